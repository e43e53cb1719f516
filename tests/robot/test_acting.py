"""Which hands act: by what the trajectory says they touch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.contact.detect import detect_contacts
from dexman_pose.data import Trajectory
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import se3
from dexman_pose.robot.motion.acting import AUTO
from dexman_pose.robot.motion.from_trajectory import motion_from_trajectory
from tests.robot.test_motion import trajectory


def seen(**given: list[int]) -> Trajectory:
    """The written motion with contacts, and a left hand that only looks on."""
    made = trajectory(**given)
    hand = made.hands["right"]
    other = replace(hand, side="left", joints=hand.joints + [0.5, 0.0, 0.0])
    hands = {"right": hand, "left": other}
    return replace(made, hands=hands, contacts=detect_contacts(dict(made.objects), hands))


def test_the_hand_that_holds_acts() -> None:
    motion = motion_from_trajectory(seen(), AUTO)
    assert set(motion.hands) == {"right"}
    assert any("right 100 %, left 0 %" in n for n in motion.notes)


def test_an_object_that_moves_untouched_is_left_out_and_told() -> None:
    """A thing beside the cube, which goes along 30 cm away: no hand can have moved it."""
    made = seen()
    cube = made.objects["cube"]
    away = cube.camera_from_object + se3(np.eye(3), [0.3, 0.0, 0.0]) - np.eye(4)
    beside = replace(cube, name="beside", track=replace(cube.track, camera_from_object=away))
    objects = {"beside": beside, "cube": cube}
    both = replace(made, objects=objects, contacts=detect_contacts(objects, dict(made.hands)))
    motion = motion_from_trajectory(both, AUTO)
    assert set(motion.objects) == {"cube"}
    assert any("no hand touches them while they move: beside; --objects" in n for n in motion.notes)
    assert set(motion_from_trajectory(both, AUTO, ["cube", "beside"]).objects) == {"cube", "beside"}
    assert set(motion_from_trajectory(both, "right").objects) == {"cube", "beside"}, "the hand was named"


def test_no_hand_that_touches_is_refused_with_the_shares() -> None:
    made = seen()
    assert made.contacts is not None
    none = replace(made.contacts, touching=np.zeros_like(made.contacts.touching))
    with pytest.raises(InputError, match=r"no hand touches .* right 0 %, left 0 %.* --hand"):
        motion_from_trajectory(replace(made, contacts=none), AUTO)
    with pytest.raises(InputError, match="no hand touches"):
        motion_from_trajectory(replace(made, contacts=None), AUTO)


def test_a_motion_says_when_it_begins_in_its_clip() -> None:
    motion = motion_from_trajectory(seen(hand=[0, 1, 2, 3]), "right")
    assert motion.begins == pytest.approx(4 / 30)
    assert motion.cut(5, 20).begins == pytest.approx(9 / 30)
