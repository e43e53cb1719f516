from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Clip, DepthSequence, HandTrack, MaskSequence, MeshUnit, ObjectPrompt
from dexman_pose.errors import EstimationError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.meshing.units import UNITS
from dexman_pose.pose import estimate_camera, reconstruct_objects

FRAMES = 12


@pytest.fixture(scope="module")
def sliding(scene: Any) -> tuple[Clip, MaskSequence, np.ndarray]:
    """A mesh that slides and turns in the image plane."""
    poses = np.stack(
        [
            se3(so3_exp([0, 0, 0.05 * t]) @ so3_exp([0.3, 0.2, 0]), [-0.03 + 0.005 * t, 0.0, 0.35])
            for t in range(FRAMES)
        ]
    )
    masks = MaskSequence(("thing",), scene.camera.height, scene.camera.width, FRAMES)
    frames = []
    for t, pose in enumerate(poses):
        image, labels, _ = scene.picture(scene.mesh, pose)
        frames.append(image)
        masks.set(t, labels)
        masks.confidence[t] = 1.0
    return Clip.from_frames(np.stack(frames)), masks, poses


def hand_at(scene: Any, poses: np.ndarray, depth_offset: float) -> HandTrack:
    """A hand whose finger tips lie on the object in the picture, ``depth_offset`` metres behind its middle."""
    joints = np.zeros((FRAMES, 21, 3))
    for t, pose in enumerate(poses):
        middle = pose[:3, :3] @ scene.mesh.center + pose[:3, 3]
        joints[t] = middle + [0.0, 0.0, depth_offset] + 0.002 * np.arange(21)[:, None] * [0.1, 0.1, 0.0]
    ones = np.ones(FRAMES)
    return HandTrack(
        "right", joints, scene.camera.project(joints), ones > 0, ones < 0, ones, np.full(21, 0.03)
    )


def test_object_without_a_mesh_follows_its_mask(scene: Any, sliding: Any) -> None:
    clip, masks, _ = sliding
    prompts = {"thing": ObjectPrompt(box=np.array([0.0, 0.0, 300.0, 200.0]))}
    found = reconstruct_objects(clip, masks, prompts, {"thing": None}, scene.camera)["thing"]
    assert found.track.mask_iou is not None
    assert found.valid.all()
    assert found.track.mask_iou.min() > 0.85
    assert found.scale_source == "unknown"
    assert found.mesh.source in {
        "silhouette",
        "lying",
        "standing",
        "revolved",
        "vessel",
        "rolled",
        "extruded",
        "box",
    }
    assert found.mesh.sure is not None and 0 < found.mesh.sure <= 1
    assert found.mesh.seen is not None and not found.mesh.seen.all()


def test_hand_on_the_object_gives_its_size(scene: Any, sliding: Any) -> None:
    clip, masks, poses = sliding
    prompts = {"thing": ObjectPrompt(box=np.array([0.0, 0.0, 300.0, 200.0]))}
    hands = {"right": hand_at(scene, poses, 0.0)}
    found = reconstruct_objects(clip, masks, prompts, {"thing": None}, scene.camera, hands=hands)["thing"]
    assert found.scale_source == "hand"
    middle = np.array([(p[:3, :3] @ found.mesh.center + p[:3, 3])[2] for p in found.camera_from_object])
    np.testing.assert_allclose(np.median(middle), 0.35, rtol=0.03)
    # The long side of the true box is 8 cm, seen nearly face on.
    assert 0.07 < found.mesh.extents[:2].max() < 0.095


def test_depth_gives_the_size(scene: Any, sliding: Any) -> None:
    clip, masks, poses = sliding
    depth = DepthSequence.from_arrays([scene.picture(scene.mesh, p)[2] for p in poses])
    prompts = {"thing": ObjectPrompt(box=np.array([0.0, 0.0, 300.0, 200.0]))}
    found = reconstruct_objects(clip, masks, prompts, {"thing": None}, scene.camera, depth=depth)["thing"]
    assert found.scale_source == "depth"
    assert 0.07 < found.mesh.extents[:2].max() < 0.095


def test_user_mesh_keeps_its_scale(scene: Any, sliding: Any) -> None:
    clip, masks, poses = sliding
    prompts = {"thing": ObjectPrompt(box=np.array([0.0, 0.0, 300.0, 200.0]))}
    found = reconstruct_objects(clip, masks, prompts, {"thing": scene.mesh}, scene.camera)["thing"]
    assert (found.scale, found.scale_source) == (1.0, "given")
    errors = np.array([scene.error(a, b) for a, b in zip(found.camera_from_object, poses)])
    assert np.median(errors[:, 0]) < 1.5
    assert np.median(errors[:, 1]) < 1.5


@pytest.mark.parametrize(("read_as", "right"), [("mm", "cm"), ("cm", "cm")])
def test_hands_speak_for_a_unit_that_nobody_stated(
    scene: Any, sliding: Any, read_as: str, right: str
) -> None:
    """A mesh in centimetres, read as millimetres or rightly: the picture is the same, only the hand can tell."""
    clip, masks, poses = sliding
    factor = UNITS[right] / UNITS[read_as]
    unit = MeshUnit(read_as, "guessed", tuple(u for u in ("mm", "cm", "inch") if u != read_as))
    mesh = replace(scene.mesh.scaled(1.0 / factor), unit=unit)
    prompts = {"thing": ObjectPrompt(box=np.array([0.0, 0.0, 300.0, 200.0]))}
    hands = {"right": hand_at(scene, poses, 0.0)}
    found = reconstruct_objects(clip, masks, prompts, {"thing": mesh}, scene.camera, hands=hands)["thing"]
    assert found.scale == pytest.approx(factor, rel=1e-12) and found.scale_source == "guessed"
    np.testing.assert_allclose(found.mesh.vertices, scene.mesh.vertices, atol=1e-12)
    errors = np.array([scene.error(a, b) for a, b in zip(found.camera_from_object, poses)])
    assert np.median(errors[:, 0]) < 1.5 and np.median(errors[:, 1]) < 1.5


def test_mesh_of_unknown_scale_gets_it_from_depth(scene: Any, sliding: Any) -> None:
    clip, masks, poses = sliding
    depth = DepthSequence.from_arrays([scene.picture(scene.mesh, p)[2] for p in poses])
    prompt = ObjectPrompt(box=np.array([0.0, 0.0, 300.0, 200.0]), mesh_scale="unknown")
    given = {"thing": scene.mesh.scaled(1.3)}
    found = reconstruct_objects(clip, masks, {"thing": prompt}, given, scene.camera, depth=depth)["thing"]
    assert found.scale_source == "depth"
    assert found.scale * 1.3 == pytest.approx(1.0, abs=0.03)


def test_decisions_are_logged(scene: Any, sliding: Any, caplog: pytest.LogCaptureFixture) -> None:
    clip, masks, _ = sliding
    prompts = {"thing": ObjectPrompt(box=np.array([0.0, 0.0, 300.0, 200.0]))}
    with caplog.at_level("INFO", logger="dexman_pose.pose.clip"):
        reconstruct_objects(clip, masks, prompts, {"thing": scene.mesh}, scene.camera)
    for what in ("search in frame 0", "frames lost or in doubt", "whole clip solved"):
        assert what in caplog.text


def test_object_never_seen_is_an_error(scene: Any, sliding: Any) -> None:
    clip, _, _ = sliding
    empty = MaskSequence(("thing",), scene.camera.height, scene.camera.width, FRAMES)
    with pytest.raises(EstimationError, match="no usable mask in any frame"):
        reconstruct_objects(
            clip, empty, {"thing": ObjectPrompt(box=np.array([0.0, 0, 9, 9]))}, {"thing": None}, scene.camera
        )


def test_focal_length_is_assumed_without_a_mesh_and_said_to_be(scene: Any, sliding: Any) -> None:
    clip, masks, _ = sliding
    prompts = {"thing": ObjectPrompt(box=np.array([0.0, 0.0, 300.0, 200.0]))}
    camera = estimate_camera(clip, masks, prompts, {"thing": None})
    assert camera.source == "assumed"
    assert (camera.width, camera.height) == (clip.width, clip.height)


def test_focal_length_is_estimated_from_a_near_mesh(scene: Any) -> None:
    pose = scene.pose_at((0.6, 0.7, 0.2), (0.0, 0.0, 0.16))
    image, labels, _ = scene.picture(scene.mesh, pose)
    masks = MaskSequence(("thing",), scene.camera.height, scene.camera.width, 1)
    masks.set(0, labels)
    masks.confidence[:] = 1.0
    prompts = {"thing": ObjectPrompt(box=np.array([0.0, 0.0, 300.0, 200.0]))}
    camera = estimate_camera(Clip.from_frames(image[None]), masks, prompts, {"thing": scene.mesh})
    assert camera.source == "estimated"
    assert abs(camera.fx / scene.camera.fx - 1.0) < 0.1
