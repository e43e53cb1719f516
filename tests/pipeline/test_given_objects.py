"""Objects of a run: followed, tracked, or with poses that were given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dexman_pose as dp
from dexman_pose.data import MaskSequence
from dexman_pose.given.poses import GivenPoses
from dexman_pose.pipeline import given_objects
from dexman_pose.pipeline.before_masks.followed import FollowedObjects, follow
from dexman_pose.pipeline.given import Given
from dexman_pose.pipeline.inputs import Inputs
from dexman_pose.render import Rasterizer


@pytest.fixture(scope="module")
def masks(tiny_scene: Any) -> MaskSequence:
    """The true outlines."""
    drawn = Rasterizer(tiny_scene.mesh).render(tiny_scene.camera_from_object, tiny_scene.camera.K, 128, 96)
    out = MaskSequence(("box",), 96, 128, 4, np.ones((4, 1), np.float32))
    for t in range(4):
        out.set(t, drawn.mask[t].astype(np.uint8))
    return out


def inputs_of(scene: Any, **given: Any) -> Inputs:
    prompts = {"box": dp.ObjectPrompt(box=np.array(scene.box), mesh=scene.mesh)}
    clip = dp.Clip.from_frames(np.stack(scene.frames))
    return Inputs(clip, prompts, {"box": scene.mesh}, scene.camera, given=Given(**given))


def test_the_overlap_with_a_mask_made_of_the_pose_is_not_told(tiny_scene: Any, masks: MaskSequence) -> None:
    inputs = inputs_of(tiny_scene)
    followed = follow(inputs, inputs.prompts, None)
    assert followed.masks is not None and followed.tracks["box"].mask_iou is not None
    found = given_objects.make_objects(inputs, followed.masks, tiny_scene.camera, {}, followed)["box"]
    assert found.track.mask_iou is None and found.valid.all()
    off = np.linalg.norm(found.camera_from_object[:, :3, 3] - tiny_scene.camera_from_object[:, :3, 3], axis=1)
    assert off.max() < 0.012
    tracked = given_objects.make_objects(inputs, masks, tiny_scene.camera, {})["box"]
    assert tracked.track.mask_iou is not None and tracked.track.mask_iou.min() > 0.8
    nothing = FollowedObjects({}, {})
    same = given_objects.make_objects(inputs, masks, tiny_scene.camera, {}, nothing)["box"]
    np.testing.assert_array_equal(same.camera_from_object, tracked.camera_from_object)
    assert same.track.mask_iou is not None


def test_followed_objects_start_where_they_were_followed(
    tiny_scene: Any, masks: MaskSequence, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = inputs_of(tiny_scene)
    followed = follow(inputs, inputs.prompts, None)
    asked: dict[str, Any] = {}

    def noting(*_: Any, **options: Any) -> Any:
        asked.update(options)
        raise RuntimeError("asked")

    monkeypatch.setattr("dexman_pose.pose.reconstruct_objects", noting)
    with pytest.raises(RuntimeError, match="asked"):
        given_objects.make_objects(inputs, masks, tiny_scene.camera, {}, followed)
    assert asked["followed"] is followed.tracks
    frame, pose = asked["starts"]["box"]
    assert frame == 0
    np.testing.assert_array_equal(pose, followed.tracks["box"].camera_from_object[0])


def test_fixed_poses_are_the_result_as_they_are(tiny_scene: Any, masks: MaskSequence) -> None:
    given = np.array([True, True, False, True])
    poses = {"box": GivenPoses(tiny_scene.camera_from_object, given)}
    found = given_objects.make_objects(
        inputs_of(tiny_scene, poses=poses, fixed=True), masks, tiny_scene.camera, {}
    )["box"]
    np.testing.assert_array_equal(found.camera_from_object, tiny_scene.camera_from_object)
    np.testing.assert_array_equal(found.valid, given)
    assert found.scale_source == "given" and found.scale == 1.0
