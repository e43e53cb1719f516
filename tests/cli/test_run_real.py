"""The command on a few frames of real clips: what the README promises, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import dexman_pose as dp
from dexman_pose.cli.main import main

pytestmark = pytest.mark.data


@pytest.fixture(autouse=True)
def weights(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hand detector's weights out of the data folder: nothing is downloaded."""
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(data_dir / "weights"))


def run(data_dir: Path, clip: str, out: Path, frames: int, *options: str) -> dp.Trajectory:
    clips = data_dir / "clips"
    arguments = ["run", str(clips / clip), "--prompts", str(clips / "prompts.json"), "--out", str(out)]
    assert main([*arguments, "--max-frames", str(frames), *options]) == 0
    return dp.Trajectory.load(out)


def test_two_objects_and_two_hands_of_a_clip_without_mesh_or_camera(data_dir: Path, tmp_path: Path) -> None:
    result = run(data_dir, "taco/20231006_276.mp4", tmp_path, 8)
    assert list(result.objects) == ["bowl", "cup"] and set(result.hands) == {"left", "right"}
    for obj in result.objects.values():
        assert obj.valid.all()
        assert obj.track.mask_iou is not None and obj.track.mask_iou.min() > 0.9
    for hand in result.hands.values():
        assert hand.valid.mean() > 0.8
        assert 0.2 < np.median(hand.joints[hand.valid][:, 0, 2]) < 3.0
    assert result.camera.source in ("estimated", "assumed")
    assert all((tmp_path / name).stat().st_size > 10_000 for name in ("overlay.mp4", "report.html"))


def test_a_cube_with_mesh_and_camera_is_where_the_truth_says(data_dir: Path, tmp_path: Path) -> None:
    cube = data_dir / "clips" / "cube"
    truth = json.loads((cube / "poses.json").read_text())
    k = np.array(truth["K"])
    intrinsics = ",".join(str(x) for x in (k[0, 0], k[1, 1], k[0, 2], k[1, 2]))
    options = ("--mesh", f"cube={cube / 'cube.obj'}", "--mesh-unit", "m", "--K", intrinsics, "--no-overlay")
    result = run(data_dir, "cube/cube_video.mp4", tmp_path, 12, *options)
    found = result.objects["cube"]
    assert found.scale_source == "given" and found.valid.all()
    right = [i for i in range(12) if truth["frames"].get(str(i), {}).get("ok")]
    assert right
    for i in right:
        true = np.array(truth["frames"][str(i)]["camera_from_object"]).reshape(-1, 4)
        assert np.linalg.norm(found.camera_from_object[i, :3, 3] - true[:3, 3]) < 0.01
