"""Objects tracked again by their colours where they were followed before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Clip, MaskSequence, PoseTrack
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.pose.clip.track_followed import (
    AgainOptions,
    fill_between,
    frames_to_look_at,
    track_followed,
)
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.tracking.object_tracker import ObjectTracker
from dexman_pose.pose.tracking.track_record import TrackRecord, TrackStart

FRAMES = 20
Poses = NDArray[np.float64]


def poses_of_motion() -> Poses:
    return np.stack(
        [
            se3(
                so3_exp([0.4 + 0.04 * t, 0.5 - 0.03 * t, 0.02 * t]),
                [-0.04 + 0.004 * t, 0.01, 0.34 + 0.002 * t],
            )
            for t in range(FRAMES)
        ]
    )


def as_followed(poses: Poses, doubted: tuple[int, ...] = ()) -> PoseTrack:
    valid = ~np.isin(np.arange(len(poses)), doubted)
    return PoseTrack(poses, valid, np.where(valid, 0.9, 0.0))


@pytest.fixture(scope="module")
def film(scene: Any) -> tuple[Clip, MaskSequence, Poses]:
    poses, frames = poses_of_motion(), []
    masks = MaskSequence(("wedge",), scene.camera.height, scene.camera.width, FRAMES)
    for t, pose in enumerate(poses):
        image, labels, _ = scene.picture(scene.mesh, pose)
        frames.append(image)
        masks.set(t, labels)
        masks.confidence[t] = 1.0
    return Clip.from_frames(np.stack(frames)), masks, poses


def again(scene: Any, film: tuple[Clip, MaskSequence, Poses], followed: PoseTrack) -> PoseTrack:
    clip, masks, poses = film
    start = TrackStart(refiner_for(scene.mesh, masks.mask(0, "wedge")), 0, poses[0])
    return track_followed(clip, masks, scene.camera, {"wedge": start}, {"wedge": followed})["wedge"]


def errors(scene: Any, track: PoseTrack, poses: Poses) -> Poses:
    return np.array([scene.error(track.camera_from_object[t], poses[t]) for t in range(FRAMES)])


def test_poses_that_are_a_little_off_are_mended_in_all_frames(
    scene: Any, film: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = se3(so3_exp([0.03, -0.02, 0.02]), [0.001, -0.001, 0.003])
    looks: list[int] = []
    step = ObjectTracker.step
    monkeypatch.setattr(ObjectTracker, "step", lambda self, *a: looks.append(1) or step(self, *a))
    followed = as_followed(film[2] @ off)
    found = again(scene, film, followed)
    assert found.valid.all()
    before, after = errors(scene, followed, film[2]), errors(scene, found, film[2])
    assert after[:, 0].max() < 2.5 < before[:, 0].min()
    assert after[:, 1].max() < 1.5 < before[:, 1].min()
    assert len(looks) < FRAMES - 2


def test_a_second_half_that_was_followed_wrongly_does_not_count(scene: Any, film: Any) -> None:
    poses = film[2].copy()
    poses[8:] = poses[8:] @ se3(so3_exp([0.0, 0.0, np.pi]), np.zeros(3))
    found = again(scene, film, as_followed(poses))
    assert found.valid.all()
    assert errors(scene, found, film[2])[:, 1].max() < 3.0


def test_frames_in_doubt_are_looked_at_and_tracked(scene: Any, film: Any) -> None:
    poses, doubted = film[2].copy(), (11, 12, 13)
    poses[list(doubted), :3, 3] += 0.05
    found = again(scene, film, as_followed(poses, doubted))
    assert found.valid.all()
    assert errors(scene, found, film[2])[:, 0].max() < 2.5


def test_which_frames_are_looked_at() -> None:
    eye = np.repeat(np.eye(4)[None], 14, 0)
    tracks = {"a": as_followed(eye, (9,)), "b": as_followed(eye)}
    looked = frames_to_look_at(tracks, 0, 1, AgainOptions(every=3, around=1))
    assert np.flatnonzero(looked).tolist() == [0, 1, 4, 7, 8, 9, 10, 13]


def test_clips_shorter_than_what_is_looked_at_around_a_doubt() -> None:
    eye = np.repeat(np.eye(4)[None], 3, 0)
    looked = frames_to_look_at({"a": as_followed(eye, (1,))}, 0, 0, AgainOptions(around=5))
    assert looked.all() and len(looked) == 3


def test_what_changed_is_carried_over_to_frames_between() -> None:
    truth, off = poses_of_motion(), se3(so3_exp([0.0, 0.05, 0.0]), [0.0, 0.002, 0.0])
    record = TrackRecord.empty(FRAMES, truth[0])
    looked = np.arange(FRAMES) % 3 == 0
    looked[-1] = True
    record.poses[looked], record.valid[looked] = truth[looked], True
    record.valid[9] = False
    record.confidence[looked] = 0.8
    record.signals[3] = replace(record.signals[3], overlap=0.7)
    fill_between(record, as_followed(truth @ off), looked, 0, AgainOptions())
    lost = [7, 8, 9, 10, 11]
    assert np.flatnonzero(~record.valid).tolist() == lost
    np.testing.assert_allclose(record.poses[record.valid], truth[record.valid], atol=1e-12)
    assert record.confidence[4] == 0.8
    assert record.signals[5].overlap == 0.7
