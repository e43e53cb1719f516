"""Running the flag benchmark: rows of made-up results, groups by name, the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.benchmarks.flags import cases as cases_module
from dexman_pose.benchmarks.flags import run as run_module
from dexman_pose.benchmarks.flags.cases import NEVER_MM, FlagCase, flags_of, found_rows, run_case
from dexman_pose.benchmarks.flags.meshes import mesh_case, mesh_files
from dexman_pose.benchmarks.flags.options import FlagOptions
from dexman_pose.benchmarks.flags.real_clip import known_case, known_rows
from dexman_pose.benchmarks.flags.real_pictures import can
from dexman_pose.benchmarks.flags.run import NAMES, RENDERED, groups_of, run_flags
from dexman_pose.benchmarks.flags.scores import FlagRow
from dexman_pose.cli.main import main
from dexman_pose.data import Camera, PoseTrack
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.pose import PoseEstimate
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.scenes.shapes import stress_shape
from dexman_pose.synthetic.scenes.true_symmetry import TrueSymmetry, half_turns


def clip_case() -> FlagCase:
    poses = np.repeat(se3(np.eye(3), [0.0, 0.0, 0.5])[None], 2, 0)
    pictures = [np.zeros((48, 64, 3), np.uint8)] * 2
    labels = [np.zeros((48, 64), np.uint8)] * 2
    camera = Camera.from_focal(60.0, 64, 48)
    mesh = stress_shape("can").mesh
    return FlagCase("leaks", "c", "track", mesh, camera, pictures, labels, poses, np.array([1.0, 0.5]))


def moved_track() -> PoseTrack:
    poses = np.stack([se3(np.eye(3), [0.0, 0.0, 0.5]), se3(so3_exp([0.0, np.pi, 0.0]), [0.0, 0.02, 0.5])])
    return PoseTrack(poses, np.array([True, False]), np.array([0.9, 0.2]))


def test_rows_hold_errors_flags_and_signals() -> None:
    first, second = found_rows(clip_case(), moved_track())
    assert (first.millimetres, first.degrees, first.valid) == (0.0, pytest.approx(0.0, abs=1e-6), True)
    assert second.millimetres == pytest.approx(20.0)
    assert second.degrees == pytest.approx(180.0)
    assert (second.valid, second.visible, second.frame) == (False, 0.5, 1)
    assert second.signals["confidence"] == 0.2
    np.testing.assert_allclose(np.reshape(second.pose, (3, 4)), moved_track().camera_from_object[1, :3])


def test_errors_are_modulo_symmetry_and_another_objects_mesh_is_never_right() -> None:
    turning = replace(clip_case(), symmetry=TrueSymmetry(half_turns([0, 1, 0])))
    assert found_rows(turning, moved_track())[1].degrees == pytest.approx(0.0, abs=1e-5)
    rows = found_rows(replace(clip_case(), possible=False), moved_track())
    assert [r.millimetres for r in rows] == [NEVER_MM, NEVER_MM]


def test_flags_are_those_of_the_result() -> None:
    estimate = PoseEstimate(np.eye(4), 1.0, 1.0, True, np.eye(6))
    assert flags_of(estimate, 1).tolist() == [False]
    assert flags_of(replace(estimate, valid=True), 1).tolist() == [True]
    assert flags_of(moved_track(), 2).tolist() == [True, False]


def test_a_run_that_raises_gives_rows_that_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise EstimationError("no mask")

    monkeypatch.setattr(cases_module, "track", refuse)
    rows = run_case(clip_case())
    assert [r.error for r in rows] == ["EstimationError: no mask"] * 2


def test_a_track_alone_gets_its_start_and_no_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[object, object]] = []

    def noted(
        mesh: object, clip: object, masks: object, camera: object, *, start: object, **_: object
    ) -> object:
        given.append((masks, start))
        return moved_track()

    monkeypatch.setattr(cases_module, "track", noted)
    beside = se3(np.eye(3), [0.01, 0.0, 0.5])
    run_case(replace(clip_case(), work="track-alone", start=beside))
    run_case(replace(clip_case(), start=beside))
    assert given[0][0] is None and given[0][1] is beside
    assert given[1][0] is not None and given[1][1] is beside


def test_groups_by_name_and_by_what_is_given(tmp_path: Path) -> None:
    assert list(groups_of(FlagOptions())) == list(RENDERED)
    assert set(groups_of(FlagOptions(data=tmp_path, meshes=tmp_path))) == set(NAMES)
    assert list(groups_of(FlagOptions(), ["leaks"])) == ["leaks"]
    with pytest.raises(InputError, match="no group of flags named 'luck'"):
        groups_of(FlagOptions(), ["luck"])


def test_groups_say_which_folder_they_need(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give --data"):
        next(iter(can(FlagOptions())))
    with pytest.raises(InputError, match="no real data at"):
        next(iter(can(FlagOptions(data=tmp_path))))
    with pytest.raises(InputError, match="needs a folder of meshes"):
        mesh_files(FlagOptions())
    with pytest.raises(InputError, match="no mesh in"):
        mesh_files(FlagOptions(meshes=tmp_path))


def test_mesh_files_are_found_and_thinned(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / name).mkdir()
        (tmp_path / name / "textured.obj").write_text("")
        (tmp_path / name / "textured.mtl").write_text("")
    (tmp_path / "e.ply").write_text("")
    assert len(mesh_files(FlagOptions(meshes=tmp_path))) == 5
    assert len(mesh_files(FlagOptions(meshes=tmp_path, most_meshes=2))) == 2


def test_a_mesh_stands_in_clutter_with_the_mask_asked_for() -> None:
    mesh = stress_shape("box").mesh
    for kind, most in (("exact", 1.001), ("box", 2.5)):
        plain, deep = mesh_case(mesh, "box", kind, 0, TrueSymmetry())
        assert plain.depth is None and deep.depth is not None
        shape = plain.camera.height, plain.camera.width
        pose = plain.camera_from_object
        z = (pose[0, :3, :3] @ mesh.center + pose[0, :3, 3])[2]
        own = plain.labels[0] == 1
        assert own.shape == shape and own.sum() > 2000
        assert abs(float(np.median(deep.depth[0][own])) - z) < 1.5 * mesh.radius
        whole = Rasterizer(mesh).render(pose, plain.camera.K, shape[1], shape[0]).mask[0].sum()
        assert own.sum() <= most * whole
        if kind != "exact":
            assert own.sum() > 1.05 * plain.visible[0] * whole


def test_only_frames_with_a_known_pose_count() -> None:
    turned = se3(so3_exp([0.1, 0.0, 0.0]), [0.0, 0.0, 1.0])
    frames = {
        "0": {"ok": True, "camera_from_object": turned.tolist()},
        "1": {"ok": False, "camera_from_object": np.eye(4).tolist()},
        "9": {"ok": True, "camera_from_object": np.eye(4).tolist()},
    }
    case = known_case(frames, 3, clip_case())
    assert case.camera_from_object.shape == (3, 4, 4)
    np.testing.assert_allclose(case.camera_from_object[0], turned, atol=1e-9)
    rows = [FlagRow("g", "c", k, 0.0, 0.0, True) for k in range(3)]
    assert [r.frame for r in known_rows(rows, frames)] == [0]


def test_every_case_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases_module, "track", lambda *_, **__: moved_track())
    monkeypatch.setitem(run_module.RENDERED, "leaks", lambda options: iter([clip_case()]))
    said: list[tuple[str, int]] = []
    table = run_flags(only=["leaks"], report=lambda group, score: said.append((group, score.frames)))
    assert said == [("leaks", 2)]
    assert len(table.rows) == 2


def test_the_command_writes_table_and_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cases_module, "track", lambda *_, **__: moved_track())
    monkeypatch.setitem(run_module.RENDERED, "leaks", lambda options: iter([clip_case()]))
    path, out = tmp_path / "flags.json", tmp_path / "out"
    assert main(["bench", "flags", "--only", "leaks", "--json", str(path), "--out", str(out)]) == 0
    assert "| leaks | 1 | 0 | 2 | 1 | 1 | 100.0 % | 1 | 100.0 % | PASS |" in capsys.readouterr().out
    assert (out / "flags.md").read_text().startswith("| group |")
    assert [r["valid"] for r in json.loads(path.read_text())["rows"]] == [True, False]
    assert main(["bench", "flags", "--only", "luck"]) == 2


@pytest.mark.slow
def test_a_small_run_with_the_engine(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    arguments = ["--only", "half_mask,pictures", "--shapes", "can", "--conditions", "clean", "--frames", "4"]
    assert main(["bench", "flags", *arguments, "--json", str(path)]) == 0
    found = json.loads(path.read_text())
    assert [g["name"] for g in found["groups"]] == ["half_mask", "pictures", "total"]
    assert [g["cases"] for g in found["groups"]] == [4, 2, 6]
    assert len(found["rows"]) == 2 + 2 * 4 + 2
    assert all("mask_iou" in r["signals"] for r in found["rows"])
