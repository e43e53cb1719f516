"""Fingers that come stay before the plane that they will touch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.data.tracks import JOINT_NAMES
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.motion.touch import closing_on_holds, touches_of
from dexman_pose.robot.retarget.motion import PressOptions, retarget
from tests.robot.gripper import FRAMES, LIFT, SIDE, lifting


@pytest.mark.parametrize(("options", "least"), [(PressOptions(), 0.005), (PressOptions(open=0.0), -0.02)])
def test_a_finger_that_cuts_a_corner_goes_around_it(
    mujoco: Any, gripper: Callable[[str], HandDescription], options: PressOptions, least: float
) -> None:
    motion = lifting()
    hand = motion.hands["right"]
    joints = hand.joints.copy()
    tip = JOINT_NAMES.index("thumb_tip")
    joints[5:8, tip, 0] = -SIDE / 2 + 0.012  # inside the cube on its way
    cut = replace(motion, hands={"right": replace(hand, joints=joints)})
    moving = {"cube": np.arange(FRAMES) >= LIFT}
    held = {"cube": np.clip((np.arange(FRAMES) - LIFT + 5) / 4.0, 0.0, 1.0)}
    poses = {"cube": motion.objects["cube"].world_from_object}
    touches = closing_on_holds(touches_of(cut), moving, poses)
    found = retarget(cut, gripper("right"), touches, held, options)
    kinematics = found.kinematics
    thumb = [f.joint for f in found.hand.followed].index("thumb_tip")
    before = [-SIDE / 2 - kinematics.points(q)[thumb, 0] for q in found.joints[5:8]]
    assert min(before) > least
    if options.open == 0.0:
        assert min(before) < 0.004, "without it the finger is inside"
