"""Hands fitted ahead are what they would be in their stage; what goes wrong is told where they are asked for."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.data import Camera
from dexman_pose.data.tracks import HandObservations, HandTrack
from dexman_pose.errors import EstimationError
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.hands.lifting.lift import lift_hands
from dexman_pose.hands.model.kinematics import SHAPE_NAMES, hand_joints
from dexman_pose.interaction.fit import picture_hands
from dexman_pose.pipeline.with_contact.pictures_ahead import PicturesAhead

FRAMES = 6
CAMERA = Camera.from_focal(600.0, 640, 480)
TIMES = np.arange(FRAMES) / 30.0


def _seen() -> tuple[dict[str, HandTrack], HandObservations]:
    """A right hand that turns a little, as a detector without errors sees it."""
    turns = so3_exp(np.outer(np.linspace(0.0, 0.1, FRAMES), [1.0, 0.5, 0.0]) + [2.5, 0.0, 0.0])
    places = se3(turns, np.tile([0.0, 0.0, 0.6], (FRAMES, 1)))
    joints = hand_joints(np.zeros(len(SHAPE_NAMES)), np.full((FRAMES, 21), 0.2), places)
    both = np.stack([np.zeros_like(joints), joints], 1)
    flags = np.zeros((FRAMES, 2), bool)
    pixels = np.zeros((FRAMES, 2, 21, 2))
    pixels[:, 1] = CAMERA.project(joints)
    observations = HandObservations(
        pixels,
        both - both[:, :, :1],
        np.tile([False, True], (FRAMES, 1)),
        flags,
        np.tile([0.0, 1.0], (FRAMES, 1)),
    )
    return lift_hands(observations, CAMERA), observations


def test_hands_ahead_are_those_of_the_stage() -> None:
    hands, observations = _seen()
    with PicturesAhead(lambda: hands, observations, CAMERA, TIMES).begun() as ahead:
        assert ahead.lifted() is hands
        pictured = ahead.pictured(dict(hands))
        withheld = {side: replace(hand, valid=~hand.valid) for side, hand in hands.items()}
        assert ahead.pictured(withheld) is None and pictured is not None
    found = pictured["right"]
    expected = picture_hands(hands, observations, CAMERA, TIMES)["right"]
    np.testing.assert_array_equal(found.alone.angles, expected.alone.angles)
    np.testing.assert_array_equal(found.alone.shape, expected.alone.shape)
    assert all(thread.name != "pictures" for thread in threading.enumerate())


def test_what_goes_wrong_is_raised_where_the_hands_are_asked_for() -> None:
    hands, observations = _seen()
    broken = HandObservations(
        *(part[:2] for part in (observations.joints_2d, observations.joints_local, observations.detected)),
        observations.bridged[:2],
        observations.score[:2],
    )
    with PicturesAhead(lambda: hands, broken, CAMERA, TIMES).begun() as ahead:
        assert ahead.lifted() is hands
        with pytest.raises(IndexError):
            ahead.pictured(hands)


def test_hands_that_cannot_be_lifted_are_told_of_in_both_places() -> None:
    def fail() -> dict[str, HandTrack]:
        raise EstimationError("no hands")

    _, observations = _seen()
    with PicturesAhead(fail, observations, CAMERA, TIMES).begun() as ahead:
        for ask in (ahead.lifted, lambda: ahead.pictured({})):
            with pytest.raises(EstimationError, match="no hands"):
                ask()
