"""The measuring script: its scores on made-up arrays with known answers, and one run on real pictures."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from dexman_pose.data import Camera, HandTrack, Mesh, ObjectPrompt
from dexman_pose.geometry import se3, so3_exp

EVAL = Path(__file__).resolve().parents[3] / "eval"


@pytest.fixture(autouse=True)
def _eval_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EVAL))


@pytest.fixture
def scores() -> ModuleType:
    return importlib.import_module("dexman_pose.benchmarks.real.scores")


def test_a_turn_about_the_centre_is_no_translation(scores: ModuleType) -> None:
    center = np.array([0.1, -0.2, 0.3])
    true = se3(so3_exp([0.3, -0.2, 0.5]), [0.0, 0.1, 0.6])
    turn = so3_exp(np.radians(10.0) * np.array([0.0, 1.0, 0.0]))
    turned = true @ se3(turn, center - turn @ center)
    mm, degrees = scores.pose_error(turned, true, center)
    assert mm == pytest.approx(0.0, abs=1e-9)
    assert degrees == pytest.approx(10.0)
    moved = true.copy()
    moved[:3, 3] += [0.003, 0.0, 0.004]
    mm, degrees = scores.pose_error(np.stack([turned, moved]), true, center)
    np.testing.assert_allclose(mm, [0.0, 5.0], atol=1e-9)
    np.testing.assert_allclose(degrees, [10.0, 0.0], atol=1e-6)


def test_the_turns_of_a_cube_form_a_group(scores: ModuleType) -> None:
    center = np.array([0.01, 0.02, -0.03])
    group = scores.cube_symmetry(center)
    assert group.shape == (24, 4, 4)
    np.testing.assert_array_equal(group[0], np.eye(4))
    products = (group[:, None] @ group[None]).reshape(-1, 16)
    assert len({tuple(np.round(m.ravel(), 9)) for m in group}) == 24
    assert {tuple(np.round(m, 9) + 0.0) for m in products} == {
        tuple(np.round(m.ravel(), 9) + 0.0) for m in group
    }
    corners = 0.05 * (1.0 - 2.0 * np.array(list(np.ndindex(2, 2, 2)))) + center
    for turn in group:
        there = {tuple(p) for p in np.round(corners @ turn[:3, :3].T + turn[:3, 3], 9)}
        assert there == {tuple(p) for p in np.round(corners, 9)}


def test_a_twin_of_the_truth_has_no_error(scores: ModuleType) -> None:
    center = np.array([0.0, 0.01, 0.0])
    true = se3(so3_exp([0.3, -0.2, 0.5]), [0.0, 0.1, 0.6])
    group = scores.cube_symmetry(center)
    off = so3_exp([0.0, np.radians(2.0), 0.0])
    mm, degrees, which = scores.symmetric_error(
        true @ group[17] @ se3(off, center - off @ center), true, center, group
    )
    assert which == 17
    assert (mm, degrees) == (pytest.approx(0.0, abs=1e-9), pytest.approx(2.0))


def test_spin_about_the_axis_does_not_count(scores: ModuleType) -> None:
    true = se3(so3_exp([0.4, 0.1, -0.7]), np.zeros(3))
    spun = true @ se3(so3_exp([0.0, 2.1, 0.0]), np.zeros(3))
    leaning = spun @ se3(so3_exp([np.radians(25.0), 0.0, 0.0]), np.zeros(3))
    upside_down = true @ se3(so3_exp([np.pi, 0.0, 0.0]), np.zeros(3))
    found = scores.angle_modulo_spin(np.stack([spun, leaning, upside_down]), true, (0.0, 2.0, 0.0))
    np.testing.assert_allclose(found, [0.0, 25.0, 180.0], atol=1e-6)


def test_lost_frames_count_in_the_median(scores: ModuleType) -> None:
    values = np.array([1.0, 2.0, 3.0, 0.0, 0.0])
    assert scores.median_or_lost(values, np.array([True, True, True, False, True])) == 2.0
    assert scores.median_or_lost(values, np.array([True, True, False, False, False])) == np.inf
    assert scores.median_or_lost(values[:4], np.array([True, True, False, False])) == np.inf
    assert scores.median_or_lost(values[:0], np.zeros(0, bool)) == np.inf


def test_spread_of_an_object_at_rest(scores: ModuleType) -> None:
    center = np.array([0.0, 0.0, 0.1])
    steps = [-0.002, 0.002, -0.002, 0.002]
    poses = []
    for step in steps:
        turn = so3_exp([np.radians(1e3 * step), 0.0, 0.0])
        poses.append(se3(turn, center - turn @ center + [step, 0.0, 0.5]))
    mm, degrees = scores.spread(np.stack(poses), center)
    assert (mm, degrees) == (pytest.approx(2.0), pytest.approx(2.0))
    assert scores.spread(np.stack(poses[:1]), center) == (np.inf, np.inf)


def test_distances_of_vertices(scores: ModuleType) -> None:
    square = np.array([[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]])
    quarter = se3(so3_exp([0.0, 0.0, np.pi / 2]), np.zeros(3))
    assert scores.average_distance(square, quarter, np.eye(4)) == pytest.approx(2000.0)
    assert scores.nearest_distance(square, quarter, np.eye(4)) == pytest.approx(0.0, abs=1e-9)
    aside = se3(np.eye(3), [0.0, 0.0, 0.003])
    assert scores.nearest_distance(square, aside, np.eye(4)) == pytest.approx(3.0)


def test_runs_of_bad_frames(scores: ModuleType) -> None:
    bad = np.zeros(30, bool)
    bad[[3, 4, 6, 12, 28, 29]] = True
    assert scores.ranges(bad, np.arange(30), gap=2) == [(3, 6, 3), (12, 12, 1), (28, 29, 2)]
    assert scores.ranges(np.zeros(5, bool), np.arange(5)) == []


def test_rows_pass_or_fail(scores: ModuleType) -> None:
    row = scores.Row
    assert row("a", 3.0, 3.0).passed and not row("a", 3.1, 3.0).passed
    assert row("a", 97.0, 97.0, True).passed and not row("a", 96.9, 97.0, True).passed
    assert row("a", 1.0).passed is None
    assert row("a", np.inf, 3.0).passed is False and row("a", np.nan, 3.0).passed is False
    assert row("a", 96.9, 97.0, True).line().endswith("FAIL")


def test_the_cache_knows_inputs_and_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_module = importlib.import_module("dexman_pose.benchmarks.real.cache")
    cache, calls = cache_module.Cache(tmp_path), []

    def compute() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"x": np.arange(len(calls))}

    for box in (1.0, 1.0, 2.0):
        cache.get("masks", (np.array([box]), "clip"), ("segmentation",), compute)
    assert len(calls) == 2
    monkeypatch.setattr(cache_module, "code_digest", lambda names: "changed")
    trusting = cache_module.Cache(tmp_path, trust_old=True)
    assert len(trusting.get("masks", (np.array([1.0]), "clip"), ("segmentation",), compute)["x"]) == 1
    assert len(calls) == 2
    cache.get("masks", (np.array([1.0]), "clip"), ("segmentation",), compute)
    assert len(calls) == 3


def test_what_the_cache_keeps_comes_back(tmp_path: Path) -> None:
    cache_module = importlib.import_module("dexman_pose.benchmarks.real.cache")
    hand = HandTrack(
        "left",
        np.random.default_rng(0).normal(size=(2, 21, 3)),
        np.zeros((2, 21, 2)),
        np.array([True, False]),
        np.zeros(2, bool),
        np.ones(2),
        np.ones(21),
        "depth",
    )
    kept = cache_module.Cache(tmp_path).get(
        "lift", (), (), lambda: cache_module.lifted_arrays({"left": hand})
    )
    (again,) = cache_module.lifted_from(kept).values()
    assert (again.side, again.scale_source) == ("left", "depth")
    np.testing.assert_array_equal(again.joints, hand.joints)
    prompt = ObjectPrompt(box=[1, 2, 3, 4], mask=np.eye(5, dtype=bool), frame=7)
    back = cache_module.prompt_from(cache_module.prompt_arrays(prompt))
    assert back.frame == 7
    np.testing.assert_array_equal(back.mask, prompt.mask)
    np.testing.assert_array_equal(back.box, prompt.box)


def test_options_a_version_does_not_know_are_left_out() -> None:
    engine = importlib.import_module("dexman_pose.benchmarks.real.engine")
    assert engine.known(lambda a, *, scale="known": None, scale="unknown", occluders=1) == {
        "scale": "unknown"
    }
    mask = np.zeros((20, 30), bool)
    mask[5:10, 8:29] = True
    np.testing.assert_array_equal(engine.box_around(mask, 3.0), [5, 2, 29, 12])
    each = engine.box_around(mask, np.array([3.0, 1.0, 4.0, 2.0]))
    np.testing.assert_array_equal(each, [5, 4, 29, 11])


def test_a_sheet_shows_estimate_and_truth(tmp_path: Path) -> None:
    from PIL import Image

    sheets = importlib.import_module("dexman_pose.benchmarks.real.sheets")
    corners = 0.05 * (1.0 - 2.0 * np.array(list(np.ndindex(2, 2, 2))))
    mesh = Mesh(corners, np.array([[0, 1, 2], [1, 3, 2], [4, 6, 5], [5, 6, 7]], np.int32))
    camera = Camera.from_focal(200.0, 160, 120)
    image = np.zeros((120, 160, 3), np.uint8)
    true, found = se3(np.eye(3), [0.0, 0.0, 0.5]), se3(np.eye(3), [0.02, 0.0, 0.5])
    tiles = [sheets.Tile(image, mesh, pose, true, "text") for pose in (found, None)]
    sheets.write_sheet(tmp_path / "sheet.png", tiles, camera, columns=2, size=100)
    drawn = np.array(Image.open(tmp_path / "sheet.png"))
    assert drawn.shape == (100, 200, 3)
    red, green = ((drawn == color).all(-1) for color in (sheets.RED, sheets.GREEN))
    assert red[:, :100].any() and not red[:, 100:].any()
    assert green[:, :100].any() and green[:, 100:].any()
    assert np.nonzero(red)[1].max() > np.nonzero(green[:, :100])[1].max()  # the estimate lies to the right


@pytest.mark.data
@pytest.mark.slow
def test_the_bottle_is_measured(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = importlib.import_module("real_clips")
    status = script.main(["--data", str(data_dir), "--out", str(tmp_path), "bottle"])
    printed = capsys.readouterr().out
    assert ("FAIL" in printed) == (status == 1)
    assert "RGB-D, frame 201: outline on mask, IoU" in printed
    with np.load(tmp_path / "bottle_rgbd.npz") as kept:
        assert kept["camera_from_object"].shape == (2, 4, 4) and kept["valid"].all()
    assert (tmp_path / "bottle_rgb.png").stat().st_size > 10_000
    masks = sorted((tmp_path / "cache").glob("still-*.npz"))
    assert len(masks) == 2


@pytest.mark.data
def test_silver_poses_and_truth_are_read(data_dir: Path) -> None:
    cube, whisking = (
        importlib.import_module(f"dexman_pose.benchmarks.real.{n}") for n in ("cube", "whisking")
    )
    poses = json.loads((data_dir / "clips" / "cube" / "poses.json").read_text())
    truth = cube.read_truth(poses, 800)
    assert truth.ok.sum() == 571
    np.testing.assert_allclose(truth.camera_from_object[0, :3, 3], [0.077647, 0.021674, 0.414596])

    class Size:
        width, height, num_frames = 1280, 720, 138

    silver, camera = whisking.read_silver(data_dir / "clips" / "whisking" / "object_layout.json", Size())
    assert (silver[:, 2, 3] > 0.5).all()
    assert camera.fx == pytest.approx(camera.fy, rel=1e-3)
    axis = camera.project((silver[120] @ np.array([[0, -0.08, 0, 1], [0, 0.08, 0, 1]]).T).T[:, :3])
    assert axis[0, 1] > axis[1, 1] + 50  # the wires hang down into the pan, the handle points up


@pytest.mark.data
def test_the_published_estimate_of_the_can_scores_as_published(data_dir: Path, scores: ModuleType) -> None:
    from dexman_pose.meshing import load_mesh

    folder = data_dir / "rgbd" / "lmo_can"
    poses = json.loads((folder / "pose.json").read_text())
    true, megapose = scores.rigid(poses["camera_from_object"]), scores.rigid(poses["megapose"])
    vertices = load_mesh(folder / "obj_000005.ply").vertices
    assert scores.average_distance(vertices, megapose, true) == pytest.approx(9.34, abs=0.02)
    assert scores.nearest_distance(vertices, megapose, true) == pytest.approx(4.35, abs=0.02)
