"""A track solved as a whole: what is refused keeps its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dexman_pose.data import Clip, Doubt, MaskSequence, PoseTrack
from dexman_pose.data.doubt import pose_doubted
from dexman_pose.geometry import se3
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.clip.options import SmoothOptions
from dexman_pose.pose.clip.smoothing import smooth_measured
from dexman_pose.pose.observation.view import ObjectClip

FRAMES = 40


def torn_track() -> PoseTrack:
    """An object at rest that is 30 cm aside from the middle of the clip on, every pose measured surely."""
    poses = np.repeat(se3(np.eye(3), [0.0, 0.0, 0.5])[None], FRAMES, 0)
    poses[FRAMES // 2 :, 0, 3] += 0.3
    covariance = np.tile(1e-8 * np.eye(6), (FRAMES, 1, 1))
    return PoseTrack(
        poses,
        np.ones(FRAMES, bool),
        np.ones(FRAMES),
        covariance=covariance,
        doubt=np.zeros(FRAMES, np.uint16),
    )


def smoothed(scene: Any, track: PoseTrack, *, guessed: bool = False) -> PoseTrack:
    clip = Clip.from_frames(np.zeros((FRAMES, 8, 8, 3), np.uint8))
    masks = MaskSequence(("thing",), 8, 8, FRAMES)
    object_clip = ObjectClip(clip, masks, "thing", scene.camera, None)
    options, group = SmoothOptions(reach=1e5), SymmetryGroup.trivial()
    return smooth_measured(track, scene.mesh, object_clip, group, options, guessed=guessed)


def test_frames_that_jump_are_not_valid_and_say_so(scene: Any) -> None:
    found = smoothed(scene, torn_track(), guessed=True)
    middle = FRAMES // 2
    assert not found.valid[middle - 1 : middle + 1].any()
    assert found.valid[: middle - 8].all() and found.valid[middle + 8 :].all()
    assert found.doubt is not None
    np.testing.assert_array_equal(pose_doubted(found.doubt), ~found.valid)
    assert (found.doubt[~found.valid] == Doubt.JUMP).all()
    assert found.confidence[~found.valid].max() == 0.0
    refused = ~found.valid
    np.testing.assert_allclose(
        found.camera_from_object[refused], torn_track().camera_from_object[refused], atol=1e-9
    )


def test_a_track_that_nobody_judged_stays_without_reasons(scene: Any) -> None:
    found = smoothed(scene, replace(torn_track(), doubt=None))
    assert found.doubt is None and not found.valid.all()


def test_a_jump_that_the_tracker_judged_confirmed_stays_with_the_mesh_that_was_given(scene: Any) -> None:
    found = smoothed(scene, torn_track())
    assert found.valid.all() and found.doubt is not None and not found.doubt.any()
