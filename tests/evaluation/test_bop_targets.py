"""A data set's targets decide what is scored, and results are matched to what is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.datasets.bop.reader import image_ids, read_bop
from dexman_pose.datasets.bop.results import BopEstimate, write_bop_results
from dexman_pose.datasets.bop.scene import read_bop_targets
from dexman_pose.errors import InputError
from dexman_pose.evaluation.protocol import load_protocol
from dexman_pose.evaluation.runner import score
from dexman_pose.evaluation.sources import Source
from dexman_pose.geometry import se3
from dexman_pose.synthetic.tiny_datasets.bop import demo_bop

OLD, NEW = "test_targets_bop19.json", "test_targets_bop24.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    demo_bop(tmp_path / "tiny", width=64, height=48)
    return tmp_path / "tiny"


def _source(root: Path) -> Source:
    protocol = load_protocol("bop")
    assert protocol.targets == (OLD, NEW)
    return Source("bop", root, protocol.view, protocol.split, protocol.targets)


def _read(source: Source) -> list[Any]:
    problems: list[Any] = []
    found = [r for name in source.sequences() for r in source.read(name, problems.append)]
    assert not problems
    return found


def _truth(root: Path, scene: int, image: int) -> list[BopEstimate]:
    entries = json.loads((root / f"test/{scene:06d}/scene_gt.json").read_text())[str(image)]
    return [
        BopEstimate(
            scene,
            image,
            e["obj_id"],
            1.0,
            se3(np.reshape(e["cam_R_m2c"], (3, 3)), np.array(e["cam_t_m2c"]) / 1000),
        )
        for e in entries
    ]


def test_targets_of_images_alone_ask_for_all_that_they_show(root: Path) -> None:
    (root / NEW).write_text(json.dumps([{"scene_id": 1, "im_id": 0}, {"scene_id": 1, "im_id": 1}]))
    (recording,) = read_bop(root, targets=NEW)
    assert image_ids(recording).tolist() == [0, 1]
    assert sorted(recording.objects) == ["obj_000001", "obj_000001_1", "obj_000005"]
    assert recording.objects["obj_000001_1"].valid.tolist() == [True, False]


def test_the_first_targets_file_that_is_there_limits_what_is_read(root: Path) -> None:
    (root / NEW).write_text(json.dumps([{"scene_id": 2, "im_id": 7}]))
    whole = _read(_source(root))
    assert sum(r.num_frames for r in whole) == 8
    (root / OLD).unlink()
    source = _source(root)
    assert source.sequences() == ["000002"]
    (recording,) = _read(source)
    assert image_ids(recording).tolist() == [7]
    (root / NEW).unlink()
    everything = _read(_source(root))
    assert sum(r.num_frames for r in everything) == 8
    assert all(any("every image is scored" in note for note in r.missing) for r in everything)


def test_exact_results_for_the_targets_score_perfectly(root: Path, tmp_path: Path) -> None:
    asked = {(1, 0), (2, 3), (2, 11)}
    targets = [t for t in json.loads((root / OLD).read_text()) if (t["scene_id"], t["im_id"]) in asked]
    (root / OLD).write_text(json.dumps(targets))
    rows = [row for scene, image in sorted(asked) for row in _truth(root, scene, image)]
    write_bop_results(tmp_path / "r.csv", rows)
    results = score(_source(root), load_protocol("bop"), tmp_path / "r.csv", tmp_path / "out")
    scored = [s for s in results.objects if len(s.frames)]
    assert sum(len(s.frames) for s in scored) == len(rows) and results.findings == []
    assert all(s.valid.all() and s.errors["add"].max() < 1e-6 for s in scored)


def test_instances_that_are_not_asked_for_take_no_estimate_away(root: Path, tmp_path: Path) -> None:
    # Two boxes are there, one is asked for, and the results hold both: the best by score counts, as in BOP.
    (root / OLD).write_text(
        json.dumps([{"scene_id": 1, "im_id": i, "obj_id": 1, "inst_count": 2 - i} for i in (0, 1)])
    )
    write_bop_results(tmp_path / "r.csv", _truth(root, 1, 0) + _truth(root, 1, 1))
    results = score(_source(root), load_protocol("bop"), tmp_path / "r.csv", tmp_path / "out")
    scored = [s for s in results.objects if len(s.frames)]
    assert sum(len(s.frames) for s in scored) == 3
    assert all(s.valid.all() and s.errors["add"].max() < 1e-6 for s in scored)


@pytest.mark.parametrize(
    "entry",
    [{"scene_id": 1}, {"im_id": 1}, [1, 2], None, {"scene_id": "1", "im_id": 0}, {"scene_id": 1, "im_id": 0.5},
     {"scene_id": 1, "im_id": [1, 2]}, {"scene_id": 1, "im_id": 0, "obj_id": None}, {"scene_id": -1, "im_id": 0}],
)  # fmt: skip
def test_targets_that_are_none_are_refused_with_their_place(root: Path, entry: Any) -> None:
    (root / OLD).write_text(json.dumps([{"scene_id": 1, "im_id": 0}, entry]))
    with pytest.raises(InputError, match="entry 1"):
        read_bop_targets(root / OLD)
