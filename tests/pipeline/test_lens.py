"""A clip filmed through a lens: undistorted once at the door, told in the result, drawn on undistorted frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import dexman_pose as dp
from dexman_pose.data import MaskSequence
from dexman_pose.errors import InputError
from dexman_pose.imaging.undistort import undistortion_of
from dexman_pose.pipeline.inputs import Inputs
from dexman_pose.pose import estimate_pose, refine_pose, track
from dexman_pose.pose.observation.crop import gather
from dexman_pose.render import render

LENS = np.array([-0.35, 0.12, 0.0, 0.0])


def _bent(image: Any, camera: dp.Camera, how: int) -> Any:
    """An ideal picture as the lens films it, by OpenCV."""
    v, u = np.indices((camera.height, camera.width)).astype(float)
    at = cv2.undistortPoints(np.stack([u, v], -1).reshape(-1, 1, 2), camera.K, LENS, P=camera.K)
    at = at.reshape(camera.height, camera.width, 2).astype(np.float32)
    return cv2.remap(image, at[..., 0], at[..., 1], how)


@pytest.fixture(scope="module")
def filmed(tiny_scene: Any) -> tuple[dp.Camera, list[Any], np.ndarray]:
    """The camera with the lens, the frames as it films them, the box as it stands there."""
    camera = dp.Camera(tiny_scene.camera.K, tiny_scene.camera.width, tiny_scene.camera.height, LENS)
    frames = [_bent(frame, camera, cv2.INTER_LINEAR) for frame in tiny_scene.frames]
    x0, y0, x1, y1 = np.array(tiny_scene.box)
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    seen = camera.project(camera.without_lens().unproject(corners, np.ones(4)))
    return camera, frames, np.array([*seen.min(0), *seen.max(0)])


def test_poses_are_those_of_the_truth(tiny_scene: Any, filmed: Any, tmp_path: Path) -> None:
    camera, frames, box = filmed
    prompt = dp.ObjectPrompt(box=box, mesh=tiny_scene.mesh)
    result = dp.reconstruct(
        dp.Clip.from_frames(frames), {"box": prompt}, camera=camera, hands=None, overlay=False, out=tmp_path
    )
    found = result.objects["box"]
    error = found.camera_from_object[:, :3, 3] - tiny_scene.camera_from_object[:, :3, 3]
    assert found.valid.all() and np.median(np.linalg.norm(error, axis=1)) < 0.004
    assert result.camera.is_pinhole and result.camera.fx < camera.fx
    for kept in (result.filmed_camera, dp.Trajectory.load(tmp_path).filmed_camera):
        assert kept is not None and kept.distortion is not None
        np.testing.assert_array_equal(kept.distortion, LENS)
        np.testing.assert_array_equal(kept.K, camera.K)
    assert result.provenance["lens"]["undistorted"]
    assert any("undistorted" in text for text in result.provenance["notices"])


def test_inputs_without_a_lens_are_left_alone(tiny_scene: Any) -> None:
    clip = dp.Clip.from_frames(tiny_scene.frames)
    prompts = {"box": dp.ObjectPrompt(box=np.array(tiny_scene.box))}
    inputs = Inputs.check(clip, prompts, camera=tiny_scene.camera)
    assert inputs.clip is clip and inputs.camera is tiny_scene.camera and inputs.filmed_camera is None
    assert inputs.prompts == prompts


def test_single_pictures(tiny_scene: Any, filmed: Any) -> None:
    camera, frames, _ = filmed
    truth = tiny_scene.camera_from_object[0]
    ideal = np.asarray(render(tiny_scene.mesh, truth, camera.without_lens()).mask)
    mask = _bent(ideal.astype(np.uint8), camera, cv2.INTER_NEAREST) > 0
    for found in (
        estimate_pose(tiny_scene.mesh, frames[0], mask, camera),
        refine_pose(tiny_scene.mesh, truth, mask, camera, image=frames[0]),
    ):
        assert found.valid
        assert np.linalg.norm(found.camera_from_object[:3, 3] - truth[:3, 3]) < 0.006


def test_tracking(tiny_scene: Any, filmed: Any) -> None:
    camera, frames, _ = filmed
    masks = MaskSequence(("box",), camera.height, camera.width, len(frames))
    for i, pose in enumerate(tiny_scene.camera_from_object):
        ideal = np.asarray(render(tiny_scene.mesh, pose, camera.without_lens()).mask)
        masks.set(i, _bent(ideal.astype(np.uint8), camera, cv2.INTER_NEAREST))
    start = tiny_scene.camera_from_object[0]
    found = track(tiny_scene.mesh, dp.Clip.from_frames(frames), masks, camera, start=start)
    error = found.camera_from_object[:, :3, 3] - tiny_scene.camera_from_object[:, :3, 3]
    assert np.median(np.linalg.norm(error, axis=1)) < 0.005


def test_lower_doors_refuse_a_lens_and_name_the_way(tiny_scene: Any, filmed: Any) -> None:
    camera, _, _ = filmed
    with pytest.raises(
        InputError, match=r"ideal pinhole, but this camera has a brown-conrady lens: undistort"
    ):
        gather(np.ones((camera.height, camera.width), np.uint8), 1, camera, (0, 0, 64, 64))
    with pytest.raises(InputError, match="render works on pictures of an ideal pinhole"):
        render(tiny_scene.mesh, tiny_scene.camera_from_object[0], camera)
    found = undistortion_of(camera)
    assert found is not None and found.camera.is_pinhole


def test_another_lens_is_no_other_clip(tiny_scene: Any, tmp_path: Path) -> None:
    """A run goes on with another lens in its folder, and ends as a run with that lens from the start."""
    camera, poses = tiny_scene.camera, tiny_scene.camera_from_object
    clip = dp.Clip.from_frames(tiny_scene.frames)
    masks = np.ones((4, 96, 128), bool)

    def run(lens: Any, folder: str) -> tuple[np.ndarray, set[str]]:
        done: set[str] = set()
        dp.reconstruct(
            clip,
            {"box": tiny_scene.mesh},
            masks=masks,
            poses=poses,
            poses_as="fixed",
            camera=dp.Camera(camera.K, camera.width, camera.height, lens),
            hands=None,
            overlay=False,
            out=tmp_path / folder,
            on_stage=lambda event: done.add(event.name) if event.state == "done" else None,
        )
        return np.asarray(dp.Trajectory.load(tmp_path / folder).camera.K), done

    run(None, "a")
    k, done = run(LENS, "a")
    assert done == {"masks", "camera_motion", "camera", "objects", "scene", "trajectory"}
    np.testing.assert_array_equal(k, run(LENS, "b")[0])
    assert k[0, 0] != camera.K[0, 0]
    assert run(LENS, "a")[1] == set()
