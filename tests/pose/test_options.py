"""Thresholds of matching, refinement and search are frozen, documented, and read."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

import dexman_pose
from dexman_pose.imaging import options as imaging
from dexman_pose.pose import estimate
from dexman_pose.pose.clip import focal_length
from dexman_pose.pose.matching import options as matching
from dexman_pose.pose.observation import options as observation
from dexman_pose.pose.refinement import options as refinement
from dexman_pose.pose.refinement import texture
from dexman_pose.pose.region import options as region
from dexman_pose.pose.search import options as search
from dexman_pose.pose.tracking import region_options as region_track
from dexman_pose.symmetry import options as symmetry

MODULES = (
    observation,
    matching,
    refinement,
    texture,
    region,
    search,
    region_track,
    estimate,
    focal_length,
    imaging,
    symmetry,
)
CLASSES = [
    kind
    for module in MODULES
    for name, kind in vars(module).items()
    if name.endswith("Options") and kind.__module__ == module.__name__
]
PACKAGE = Path(str(dexman_pose.__file__)).parent
CODE = "".join(p.read_text(encoding="utf-8") for p in PACKAGE.rglob("*.py"))


def test_there_are_options() -> None:
    assert len(CLASSES) > 20


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_options_are_frozen_documented_and_read(kind: Any) -> None:
    documented = kind.__doc__ or ""
    for field in fields(kind):
        assert f"\n        {field.name}: " in documented, f"{field.name} is not documented"
        assert re.search(rf"\.{field.name}\b", CODE), f"{field.name} is read nowhere"
    options, first = kind(), fields(kind)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(options, first, getattr(options, first))
