"""Small coloured objects whose poses follow from how they are lit, in one picture and in a clip."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.data import Clip, MaskSequence, PoseTrack
from dexman_pose.data.doubt import Doubt
from dexman_pose.geometry import rotation_angle
from dexman_pose.pose.matching.lit_drawing import LitWindow, fitted_light
from dexman_pose.pose.observation.view import ObjectClip, ObjectView
from dexman_pose.pose.refinement.lit import LitRefiner
from dexman_pose.pose.refinement.lit_track import lit_track
from dexman_pose.pose.refinement.refiner import apply_increment
from dexman_pose.render import Rasterizer

LIGHT = np.array([0.5, 0.15, -0.2, -0.3])
TURNS = (0.3, 0.38, 0.46)
DISTANCE = 0.4


def lit_picture(scene: Any, pose: Array) -> tuple[Any, Any]:
    image, labels, _ = scene.picture(scene.mesh, pose)
    c = scene.camera
    drawn = Rasterizer(scene.mesh).render(
        pose[None], c.K, c.width, c.height, attributes=("depth", "color", "normal")
    )
    assert drawn.normal is not None and drawn.color is not None
    bright = LIGHT[0] + drawn.normal[0] @ LIGHT[1:]
    lit = 255.0 * drawn.color[0] * bright[..., None]
    image = np.where(drawn.mask[0][..., None], lit, image).clip(0, 255).astype(np.uint8)
    return cv2.GaussianBlur(image, (0, 0), 0.7), labels


@pytest.fixture(scope="module")
def filmed(scene: Any) -> tuple[PoseTrack, ObjectClip]:
    """The object in three frames, and its true track."""
    poses = np.stack([scene.pose_at((0.4, turn, 0.2), (0.03, -0.02, DISTANCE)) for turn in TURNS])
    frames, labels = zip(*[lit_picture(scene, pose) for pose in poses])
    height, width = labels[0].shape
    masks = MaskSequence(("it",), height, width, len(poses), np.ones((len(poses), 1), np.float32))
    for index, mask in enumerate(labels):
        masks.set(index, mask)
    track = PoseTrack(
        poses, np.ones(len(poses), bool), np.ones(len(poses)), doubt=np.zeros(len(poses), np.uint16)
    )
    return track, ObjectClip(Clip.from_frames(np.stack(frames)), masks, "it", scene.camera)


def moved(scene: Any, pose: Array, growth: float, turn: float) -> Array:
    """A pose farther along its line of sight, and turned."""
    center = pose[:3, :3] @ scene.mesh.center + pose[:3, 3]
    return apply_increment(np.concatenate([growth * center, turn * np.array([0.6, -0.6, 0.5])]), pose, center)


def off(track: PoseTrack, scene: Any, growth: float, turn: float) -> PoseTrack:
    return replace(
        track, camera_from_object=np.stack([moved(scene, p, growth, turn) for p in track.camera_from_object])
    )


def assert_right(found: Array, true: Array, scene: Any) -> None:
    center = scene.mesh.center
    apart = (found[..., :3, :3] - true[..., :3, :3]) @ center + found[..., :3, 3] - true[..., :3, 3]
    assert np.linalg.norm(apart, axis=-1).max() < 0.008 * DISTANCE
    assert np.degrees(rotation_angle(np.swapaxes(found[..., :3, :3], -1, -2) @ true[..., :3, :3])).max() < 1.5


@pytest.mark.parametrize(("growth", "turn"), [(0.06, 0.0), (-0.05, 0.1), (0.1, 0.25)])
def test_a_pose_is_moved_to_where_it_looks_right(scene: Any, filmed: Any, growth: float, turn: float) -> None:
    true, clip = filmed
    pose = true.camera_from_object[0]
    look = ObjectView(clip.clip.frame(0), clip.masks.labels(0), 1, clip.camera)
    rasterizer, window = Rasterizer(scene.mesh), LitWindow(look, look.own)
    light = fitted_light([window], rasterizer, [pose])
    assert light is not None
    refiner = LitRefiner(rasterizer, window, light[0], 6.0)
    start = found = moved(scene, pose, growth, turn)
    for blur in (2.0, 1.0, 0.0):
        found = refiner.refined(found, blur, 10)
    assert_right(found, pose, scene)
    assert refiner.cost(found) < 0.7 * refiner.cost(start)
    behind = pose.copy()
    behind[2, 3] = -1.0
    assert refiner.cost(behind) == np.inf
    np.testing.assert_array_equal(refiner.refined(behind, 0.0, 3), behind)


def test_a_track_is_made_exact_and_a_doubted_frame_is_regained(scene: Any, filmed: Any) -> None:
    true, clip = filmed
    wrong = off(true, scene, 0.05, 0.12)
    poses, doubt = wrong.camera_from_object.copy(), np.zeros(len(true), np.uint16)
    poses[2], doubt[2] = poses[0], Doubt.NO_POSE
    valid = doubt == 0
    found = lit_track(
        Rasterizer(scene.mesh), replace(wrong, camera_from_object=poses, valid=valid, doubt=doubt), clip
    )
    assert_right(found.camera_from_object, true.camera_from_object, scene)
    assert found.valid.all()
    assert found.doubt is not None and not found.doubt.any()


def test_a_frame_without_the_object_stays_in_doubt(scene: Any, filmed: Any) -> None:
    true, clip = filmed
    frames = np.stack([clip.clip.frame(i) for i in range(len(true))])
    frames[2] = 90
    gone = ObjectClip(Clip.from_frames(frames), clip.masks, "it", clip.camera)
    doubt = np.array([0, 0, Doubt.NO_POSE], np.uint16)
    found = lit_track(Rasterizer(scene.mesh), replace(true, valid=doubt == 0, doubt=doubt), gone)
    assert found.valid.tolist() == [True, True, False]
    assert found.doubt is None or found.doubt[2] == Doubt.NO_POSE


def test_what_has_no_colours_is_large_or_never_seen_stays(scene: Any, filmed: Any) -> None:
    true, clip = filmed
    far = off(true, scene, 0.04, 0.0)
    plain = replace(scene.mesh, vertex_colors=np.full_like(scene.mesh.vertex_colors, 128))
    assert lit_track(Rasterizer(plain), far, clip) is far
    nothing = replace(far, valid=np.zeros(len(far), bool))
    assert lit_track(Rasterizer(scene.mesh), nothing, clip) is nothing
    near = off(true, scene, -0.45, 0.0)
    assert lit_track(Rasterizer(scene.mesh), near, clip) is near


def test_colours_that_no_light_explains_say_nothing(scene: Any, filmed: Any) -> None:
    true, clip = filmed
    far = off(true, scene, 0.04, 0.0)
    other = replace(scene.mesh, vertex_colors=255 - scene.mesh.vertex_colors)
    assert lit_track(Rasterizer(other), far, clip) is far
