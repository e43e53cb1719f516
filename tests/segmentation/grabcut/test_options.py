"""Every threshold is an option, documented, read, and taken from the instance that the backend was given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose import imaging
from dexman_pose.data import HandObservations, ObjectPrompt
from dexman_pose.segmentation.grabcut import options as module
from dexman_pose.segmentation.grabcut.backend import segment_by_propagation
from dexman_pose.segmentation.grabcut.options import DEFAULTS, GrabCutOptions

CONCERNS = [field.name for field in fields(GrabCutOptions)]


@pytest.mark.parametrize("concern", CONCERNS)
def test_options_are_frozen_documented_and_read(concern: str) -> None:
    options: Any = getattr(DEFAULTS, concern)
    documented = type(options).__doc__ or ""
    folders = [Path(str(m.__file__)).parent for m in (module, imaging)]
    files = [p for folder in folders for p in folder.rglob("*.py") if not p.stem.endswith("options")]
    code = "".join(p.read_text() for p in files)
    for field in fields(options):
        assert f"\n        {field.name}: " in documented, field.name
        assert re.search(rf"\.{field.name}\b", code), f"{concern}.{field.name} is read nowhere"
    first = fields(options)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(options, first, getattr(options, first))


def _emptied(options: Any) -> Iterator[tuple[Any, str, Any]]:
    for field in fields(options):
        value = getattr(options, field.name)
        if is_dataclass(value):
            yield from _emptied(value)
        else:
            yield options, field.name, value


def _segment(truth: Any, options: GrabCutOptions) -> np.ndarray:
    count = truth.clip.num_frames
    joints = np.full((count, 2, 21, 2), 20.0) + np.linspace(0, 40, 21)[:, None]
    seen = np.tile([True, False], (count, 1))
    hands = HandObservations(joints, np.zeros((count, 2, 21, 3)), seen, ~seen & False, seen * 1.0)
    masks = segment_by_propagation(
        truth.clip, {"thing": ObjectPrompt(box=truth.box("thing", 0))}, hands, options
    )
    return np.stack([masks.labels(t) for t in range(count)])


@pytest.fixture(scope="module")
def leaving(make_clip: Any, shape_type: Any) -> Any:
    """An object that leaves the picture and is looked for."""
    return make_clip([shape_type("thing", lambda t: (150 + 9.0 * t, 75, 0.0))], 12)


def test_options_given_are_the_only_ones_used(leaving: Any) -> None:
    expected = _segment(leaving, DEFAULTS)
    own = deepcopy(DEFAULTS)
    emptied = list(_emptied(DEFAULTS))
    try:
        for options, name, _ in emptied:
            object.__setattr__(options, name, None)
        found = _segment(leaving, own)
    finally:
        for options, name, value in emptied:
            object.__setattr__(options, name, value)
    assert np.array_equal(found, expected)


def test_an_option_changes_what_is_found(leaving: Any) -> None:
    never = replace(DEFAULTS, propagation=replace(DEFAULTS.propagation, least_share=10.0))
    labels = _segment(leaving, DEFAULTS)
    changed = _segment(leaving, never)
    assert np.array_equal(changed[0], labels[0])
    assert not np.array_equal(changed, labels)
