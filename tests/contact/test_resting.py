"""Touches of hands that rest beside a thing, or pass it, are taken away; those of hands that came for it stay."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.contact.detect import JOINT_RADIUS
from dexman_pose.contact.phases import Handling
from dexman_pose.contact.resting import without_resting_touches
from dexman_pose.data import Contacts, HandTrack, Mesh, PoseTrack, RigidObject

FRAMES = 90
TIMES = np.arange(FRAMES) / 30.0
INDEX, THUMB = 8, 4


def still_thing(moved: np.ndarray | None = None) -> RigidObject:
    corners = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]])
    mesh = Mesh(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, 2, 3] = 0.6
    if moved is not None:
        poses[:, 0, 3] += moved
    known = np.ones(FRAMES, np.bool_)
    return RigidObject("cup", mesh, PoseTrack(poses, known, known.astype(float)))


def hand_at(x: np.ndarray) -> HandTrack:
    joints = np.zeros((FRAMES, 21, 3))
    joints[..., 2] = 0.6
    joints[..., 0] = x[:, None]
    known = np.ones(FRAMES, np.bool_)
    return HandTrack(
        "right", joints, np.zeros((FRAMES, 21, 2)), known, ~known, known.astype(float), np.full(21, 0.03)
    )


def touches(*spans: tuple[int, int], joints: tuple[int, ...] = (INDEX,)) -> Contacts:
    flags = np.zeros((1, FRAMES, 21), np.bool_)
    for first, stop in spans:
        flags[0, first:stop, list(joints)] = True
    gaps = np.where(flags, 0.0, 0.1) + JOINT_RADIUS
    valid = np.ones((1, FRAMES), np.bool_)
    return Contacts((("right", "cup"),), gaps, flags, np.zeros((1, FRAMES, 21, 3)), valid, 0.005, 0.008)


def reach_and_return() -> np.ndarray:
    """Still beside the thing for a second, at it for a second, and back, each way in a third of a second."""
    return np.interp(np.arange(FRAMES), [30, 40, 60, 70], [-0.1, 0.0, 0.0, -0.1])


def left_over(
    contacts: Contacts,
    hand: HandTrack,
    thing: RigidObject | None = None,
    handled: list[Handling] | None = None,
) -> np.ndarray:
    found = without_resting_touches(
        contacts, {"cup": thing or still_thing()}, {"right": hand}, handled or [], TIMES
    )
    assert not (found.touching & ~contacts.touching).any()
    return np.asarray(found.touching[0].any(1))


def test_a_hand_that_came_and_left_touched() -> None:
    kept = left_over(touches((42, 58)), hand_at(reach_and_return()))
    assert kept[42:58].all()


def test_a_hand_that_rests_at_the_start_or_end_does_not() -> None:
    kept = left_over(touches((0, 25), (42, 58), (75, 90)), hand_at(reach_and_return()))
    assert not kept[:25].any() and not kept[75:].any() and kept[42:58].all()


def test_thumb_and_finger_stay_even_so() -> None:
    assert left_over(touches((0, 25), joints=(THUMB, INDEX)), hand_at(reach_and_return()))[:25].all()


def test_a_hand_that_passes_does_not_touch_what_lies_still() -> None:
    passing = hand_at(np.linspace(-0.4, 0.4, FRAMES))
    assert not left_over(touches((40, 50)), passing).any()
    carried = still_thing(np.linspace(-0.4, 0.4, FRAMES))
    assert left_over(touches((40, 50)), passing, carried)[40:50].all()


def test_what_is_gripped_stays() -> None:
    gripped = np.zeros(FRAMES, np.bool_)
    gripped[:25] = True
    kept = left_over(
        touches((0, 25)),
        hand_at(reach_and_return()),
        handled=[Handling("right", "cup", gripped, gripped)],
    )
    assert kept[:25].all()


@pytest.mark.parametrize("count", [0, 1])
def test_clips_of_hardly_a_frame(count: int) -> None:
    whole = touches((0, 25))
    cut = Contacts(
        whole.pairs,
        whole.distance[:, :count],
        whole.touching[:, :count],
        whole.nearest[:, :count],
        whole.valid[:, :count],
        0.005,
        0.008,
    )
    hand, thing = hand_at(np.zeros(FRAMES)), still_thing()
    part = HandTrack(
        "right",
        hand.joints[:count],
        hand.joints_2d[:count],
        hand.valid[:count],
        hand.bridged[:count],
        hand.confidence[:count],
        hand.bone_lengths,
    )
    track = PoseTrack(thing.camera_from_object[:count], thing.valid[:count], thing.track.confidence[:count])
    found = without_resting_touches(
        cut, {"cup": RigidObject("cup", thing.mesh, track)}, {"right": part}, [], TIMES[:count]
    )
    assert not found.touching.any()
