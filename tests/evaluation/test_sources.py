"""Every dataset goes the whole way: written small, read, and the truth scores perfectly by its own protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.evaluation.protocol import load_protocol
from dexman_pose.evaluation.runner import score
from dexman_pose.evaluation.sources import Source
from dexman_pose.synthetic.tiny_datasets.bop import demo_bop
from dexman_pose.synthetic.tiny_datasets.dexycb import write_small_dexycb
from dexman_pose.synthetic.tiny_datasets.ho3d import write_small_ho3d
from dexman_pose.synthetic.tiny_datasets.oakink2 import write_small_oakink2

WRITERS: dict[str, Callable[[Path], Any]] = {
    "bop": demo_bop,
    "dexycb": write_small_dexycb,
    "ho3d": write_small_ho3d,
    "oakink2": write_small_oakink2,
}


@pytest.mark.parametrize("dataset", sorted(WRITERS))
def test_the_truth_of_every_dataset_scores_perfectly(tmp_path: Path, dataset: str) -> None:
    WRITERS[dataset](tmp_path / "set")
    protocol = load_protocol(dataset)
    source = Source(dataset, tmp_path / "set", protocol.view, protocol.split)
    assert source.sequences()
    results = score(source, protocol, "truth", tmp_path / "out")
    scored = [s for s in results.objects if len(s.frames)]
    assert scored
    for scores in scored:
        assert scores.valid.all()
        assert max(np.abs(e).max() for e in scores.errors.values()) < 1e-6
        assert scores.vsd.max(initial=0.0) < 0.05
    for hand in results.hands:
        assert max((e.max(initial=0.0) for e in hand.joints.values()), default=0.0) < 1e-6
    assert {f.kind for f in results.findings} <= {"unread"}


def test_unknown_datasets_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="taco, bop, dexycb, ho3d, oakink2"):
        Source("tako", tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        Source("bop", tmp_path / "nowhere")
    with pytest.raises(InputError, match="no sequence of bop"):
        Source("bop", tmp_path).sequences()


def test_a_view_that_is_not_there_is_a_problem_that_lists_those_that_are(tmp_path: Path) -> None:
    write_small_dexycb(tmp_path)
    source = Source("dexycb", tmp_path, "000000")
    problems: list[Any] = []
    assert source.read(source.sequences()[0], problems.append) == []
    assert any("has no view '000000'; there are: " in p.what for p in problems)
