"""The whole pipeline on parts of two real clips: one with nothing known, one with mesh, camera and truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose import Camera, ObjectPrompt, Trajectory, reconstruct
from dexman_pose.data.model_store import ENVIRONMENT_VARIABLE, locate
from dexman_pose.errors import MissingModelError
from dexman_pose.geometry import rotation_angle
from dexman_pose.pipeline import load_prompts

pytestmark = [pytest.mark.data, pytest.mark.slow]


@pytest.fixture
def weights(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hand detector's weights from the store, or from the data folder; the test is skipped where neither has."""
    try:
        locate("mediapipe-hands")
    except MissingModelError:
        monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(data_dir / "weights"))
        try:
            locate("mediapipe-hands")
        except MissingModelError as error:
            pytest.skip(str(error))


@pytest.mark.usefixtures("weights")
def test_a_bowl_a_cup_and_two_hands_with_nothing_known(data_dir: Path) -> None:
    clips = data_dir / "clips"
    prompts = load_prompts(clips / "prompts.json", clips / "taco" / "20231006_276.mp4")
    result = reconstruct(clips / "taco" / "20231006_276.mp4", prompts, max_frames=60)

    assert set(result.objects) == {"bowl", "cup"}
    for name, obj in result.objects.items():
        iou = obj.track.mask_iou
        assert iou is not None
        print(f"{name}: IoU {iou.mean():.3f}, valid {obj.valid.mean():.2f}, scale {obj.scale_source}")
        assert obj.valid.mean() > 0.9
        assert iou.mean() > 0.75
        assert obj.mesh.source != "file"
        # Kitchen things at arm's length. An object that no hand handles has no size of its own.
        assert obj.scale_source in ("hand", "contact", "unknown")
        assert 0.03 < obj.mesh.extents.max() < 0.6
    assert any(obj.scale_source in ("hand", "contact") for obj in result.objects.values())
    assert set(result.hands) == {"left", "right"}
    for hand in result.hands.values():
        print(f"{hand.side}: valid {hand.valid.mean():.2f}, scale {hand.scale_source}")
        assert hand.valid.mean() > 0.85
        assert hand.scale_source == "hand"
        assert 0.2 < float(np.median(hand.joints[hand.valid, :, 2])) < 3.0
    print(f"camera: {result.camera.source}, focal length {result.camera.fx:.0f}")
    assert result.camera.source in ("estimated", "assumed")
    assert 0.5 < result.camera.fx / result.camera.width < 2.5


@pytest.mark.usefixtures("weights")
def test_a_cube_lifted_and_turned_with_mesh_and_camera_against_truth(data_dir: Path) -> None:
    cube, start, end = data_dir / "clips" / "cube", 0, 240
    truth = json.loads((cube / "poses.json").read_text())
    box = json.loads((data_dir / "clips" / "prompts.json").read_text())["clips"]["cube/cube_video.mp4"]
    prompt = ObjectPrompt(box=np.array(box["objects"]["cube"], np.float64), mesh=cube / "cube.obj")
    camera = Camera(np.array(truth["K"]), 640, 480)
    result = reconstruct(
        cube / "cube_video.mp4", {"cube": prompt}, camera=camera, max_frames=end, mesh_unit="m"
    )

    found = result.objects["cube"]
    assert (found.scale_source, result.camera.source) == ("given", "given")
    assert found.valid.mean() > 0.95
    distance, angle = errors(result, "cube", truth["frames"], range(start, end))
    print(f"cube, {len(distance)} frames: {np.median(distance):.2f} mm, {np.median(angle):.2f} deg (medians)")
    assert len(distance) > 30
    assert np.median(distance) < 4.0
    assert np.median(angle) < 2.5
    assert np.mean((distance < 10.0) & (angle < 6.0)) >= 0.95


def errors(
    result: Trajectory, name: str, truth: dict[str, dict[str, object]], frames: range
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Millimetres between the centres and degrees between the rotations, over frames valid and with truth."""
    obj = result.objects[name]
    right = [i for i in frames if truth.get(str(i), {}).get("ok") and obj.valid[i]]
    true = np.array([truth[str(i)]["camera_from_object"] for i in right], np.float64).reshape(-1, 4, 4)
    pose, center = obj.camera_from_object[right], obj.mesh.center
    apart = (pose - true)[:, :3, :3] @ center + (pose - true)[:, :3, 3]
    turn = rotation_angle(pose[:, :3, :3] @ np.swapaxes(true[:, :3, :3], 1, 2))
    return 1e3 * np.linalg.norm(apart, axis=1), np.degrees(turn)
