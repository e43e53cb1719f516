"""A held object goes where the hand that was near it goes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera, HandObservations
from dexman_pose.geometry import so3_exp
from dexman_pose.geometry.se3 import se3, transform_points
from dexman_pose.pose.tracking.hand_motion import CarriedObject, carried, placed_hands

CAMERA = Camera.from_focal(600.0, 640, 480)
CENTER = np.array([0.01, -0.02, 0.03])


def joints() -> NDArray[np.float64]:
    """(21, 3) a hand about half a metre before the camera."""
    rng = np.random.default_rng(3)
    return rng.normal(scale=0.04, size=(21, 3)) + [0.02, 0.01, 0.5]


def pose_near_it() -> NDArray[np.float64]:
    return se3(so3_exp([0.3, 0.2, 0.1]), np.array([0.0, 0.03, 0.5]))


MOTION = se3(so3_exp([0.1, 0.5, -0.7]), np.array([0.3, -0.1, 0.15]))


def test_an_object_moves_rigidly_with_its_hand() -> None:
    pose = pose_near_it()
    found = carried(pose, joints(), transform_points(MOTION, joints()), CENTER)
    factor = (pose[2, :3] @ CENTER + pose[2, 3]) / joints()[:, 2].mean()
    np.testing.assert_allclose(found[:3, :3], (MOTION @ pose)[:3, :3], atol=1e-9)
    moved = se3(MOTION[:3, :3], factor * MOTION[:3, 3])
    np.testing.assert_allclose(found, moved @ pose, atol=1e-9)


def test_hands_of_a_detector_need_no_size() -> None:
    """A guess of twice the size is put twice as far away, and carries the object to the same place."""
    first, second = (
        joints(),
        transform_points(se3(so3_exp([0, 0, 0.4]), np.array([0.05, 0.02, 0.0])), joints()),
    )
    shown = np.stack([first, second])
    pixels = CAMERA.project(shown.reshape(-1, 3)).reshape(2, 21, 2)
    poses = []
    for size in (1.0, 2.0):
        local = np.zeros((2, 2, 21, 3))
        local[:, 0] = size * (shown - shown.mean(1, keepdims=True))
        seen = np.zeros((2, 2), np.bool_)
        seen[:, 0] = True
        both = np.zeros((2, 2, 21, 2))
        both[:, 0] = pixels
        hands = HandObservations(both, local, seen, np.zeros_like(seen), seen.astype(float))
        then, now = (placed_hands(hands, t, CAMERA)["left"] for t in (0, 1))
        poses.append(carried(pose_near_it(), then, now, CENTER))
    np.testing.assert_allclose(poses[0], poses[1], atol=1e-9)
    assert np.linalg.norm(poses[0][:3, 3] - pose_near_it()[:3, 3]) > 0.03
    assert placed_hands(None, 0, CAMERA) == {}


def test_only_hands_that_were_near_carry_it() -> None:
    near, far = joints(), joints() + [0.4, 0.0, 0.0]
    thing = CarriedObject(CENTER, 0.06)
    assert thing.guesses({"left": near}) == ()
    thing.note(pose_near_it(), {"left": near, "right": far})
    moved = transform_points(MOTION, near)
    assert len(thing.guesses({"left": moved, "right": far})) == 1
    [latest] = thing.guesses({"right": far})  # the hand has left the picture
    np.testing.assert_array_equal(latest, thing.guesses({"left": moved})[0])
    thing.note(pose_near_it(), {"right": far})
    assert thing.guesses({"left": moved, "right": far}) == ()


def test_a_guess_is_not_much_nearer_or_farther_than_the_object_was() -> None:
    thing, pose = CarriedObject(CENTER, 0.06), pose_near_it()
    thing.note(pose, {"left": joints()})
    before = pose[2, :3] @ CENTER + pose[2, 3]
    for size in (0.3, 3.0):
        [guess] = thing.guesses({"left": size * joints()})
        there = guess[:3, :3] @ CENTER + guess[:3, 3]
        assert 1.0 / thing.nearer - 1e-9 <= there[2] / before <= thing.nearer + 1e-9
