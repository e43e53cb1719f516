"""``dexman-pose export`` and ``view --3d``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dexman_pose.cli.main import main
from dexman_pose.data import Camera, Mesh, PoseTrack, RigidObject, Trajectory
from dexman_pose.data.video.writer import write_video


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of three frames."""
    folder = tmp_path_factory.mktemp("run")
    mesh = Mesh(
        0.05 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]],
    )
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, 2, 3] = [0.5, 0.51, 0.52]
    thing = RigidObject("thing", mesh, PoseTrack(poses, [True, True, False], [0.9, 0.8, 0.0]))
    Trajectory(Camera.from_focal(60.0, 64, 48), [0.0, 0.04, 0.08], {"thing": thing}).save(folder)
    write_video(folder / "clip.mp4", [np.full((48, 64, 3), 90, np.uint8)] * 3, 25.0)
    (folder / "run.json").write_text(json.dumps({"video": str(folder / "clip.mp4")}))
    return folder


def test_export_prints_where_it_wrote(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(run), "--format", "gltf", "--out", str(tmp_path / "a.glb")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "a.glb")
    assert (tmp_path / "a.glb").read_bytes()[:4] == b"glTF"


def test_pictures_of_the_run_go_along(run: Path, tmp_path: Path) -> None:
    assert main(["export", str(run), "--format", "bop", "--out", str(tmp_path), "--pictures"]) == 0
    with Image.open(tmp_path / "test" / "000000" / "rgb" / "000002.png") as picture:
        assert picture.size == (64, 48)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--format", "fbx", "--out", "a.fbx"], "there is no format 'fbx'"),
        (["--format", "gltf", "--out", "a.glb", "--bodies", "free"], "'gltf' has no option bodies"),
        (["--format", "gltf", "--out", "a.glb", "--pictures"], "'gltf' holds no pictures"),
        (["--format", "mano", "--out", "a.npz"], "give mano_right"),
        (["--format", "dexmachina", "--out", "a"], "no table"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    run: Path, more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(run), *more]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_view_3d(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rerun")
    assert main(["view", str(run), "--3d"]) == 0
    assert f"rerun {run / 'scene.rrd'}" in capsys.readouterr().out
    assert (run / "scene.rrd").stat().st_size > 1000


def test_view_3d_without_rerun_says_how_to_get_it(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "rerun", None)
    assert main(["view", str(run), "--3d"]) == 2
    assert "dexman-pose[view3d]" in capsys.readouterr().err
