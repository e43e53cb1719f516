"""Shapes of any robot's hand, open and closed: which way motors close fingers, and what is between their tips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse, se3, transform_points
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.planning.holds import Hold
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.world.pads import pad_direction

_TRIED = 0.05  # of a motor's range, to see where it moves a tip
_CLOSES = 0.6  # cosine between that way and where the tip's inner side looks, at least
_HALF = 0.45  # share by which fingers are closed between whose tips things are taken
_THUMB = "thumb"
_TIPS = 2


@dataclass(frozen=True)
class Seen:
    """A hand somewhere.

    Attributes:
        palm: (4, 4) world from palm.
        tips: (P, 3) metres, world.
        inner: (P, 3) unit directions out of the tips' inner sides, world.
        bases: (3,) metres, world, the middle of the fingers' motors' joints.
    """

    palm: Array
    tips: Array
    inner: Array
    bases: Array


class HandShape:
    """The free hand of a hold, where the task's controls have it when it has closed.

    Attributes:
        at: the frame.
        palm: (4, 4) world from palm there.
        bases: (3,) middle of the fingers' joints, palm frame, metres.
        middle: (3,) between the thumb's and the other tips, fingers half closed, palm frame.

    Raises:
        InputError: which way fingers close is not known: there are less than two tips or no motors, tips do not bend,
            or motors do not drive joints one to one.
    """

    def __init__(self, task: Task, hold: Hold) -> None:
        self.task, self.hold, self.at = task, hold, hold.start
        self._data = mujoco().MjData(task.world.model)
        self._tips = [k for k in hold.hand.points if task.world.points[k].endswith("_tip")]
        model = task.world.model
        known = len(self._tips) >= _TIPS and len(hold.fingers) > 0
        if not known or not _one_to_one(model, [*hold.hand.motors, *hold.fingers]):
            raise InputError(f"how the hand of {task.world.points[hold.hand.points[0]]} closes is not known")
        self._pads = np.stack([pad_direction(model, task.world.points[k]) for k in self._tips])
        span = model.actuator_ctrlrange[hold.fingers]
        self._low, self._high = span[:, 0], span[:, 1]
        self._closing = self._ways()
        half = self.seen(self.fingers(_HALF))
        thumb = np.array([_THUMB in task.world.points[k] for k in self._tips])
        if not thumb.any() or thumb.all():
            thumb = np.arange(len(self._tips)) == 0
        between = 0.5 * (half.tips[thumb].mean(0) + half.tips[~thumb].mean(0))
        self.palm = half.palm
        self.middle, self.bases = transform_points(inverse(half.palm), np.stack([between, half.bases]))

    def fingers(self, share: float) -> Array:
        """(F,) controls of fingers that are closed by a share; what spreads them is in the middle of its range."""
        up = self._low + share * (self._high - self._low)
        down = self._high - share * (self._high - self._low)
        middle = 0.5 * (self._low + self._high)
        return np.where(self._closing > 0, up, np.where(self._closing < 0, down, middle))

    def seen(self, fingers: Array) -> Seen:
        """The hand at its frame, with other fingers (F,)."""
        model, data, world = self.task.world.model, self._data, self.task.world
        data.qpos[:] = self.task.start
        data.qpos[world.joint_at] = self.task.joints[self.at]
        motors = [*self.hold.hand.motors, *self.hold.fingers]
        values = [*self.task.controls[self.at, self.hold.hand.motors], *fingers]
        for motor, value in zip(motors, values):
            joints = _joints_of(model, int(motor))
            for joint in joints:
                data.qpos[model.jnt_qposadr[joint]] = value / len(joints)
        mujoco().mj_kinematics(model, data)
        body = int(model.jnt_bodyid[model.actuator_trnid[self.hold.hand.motors[-1], 0]])
        sites = [model.site(world.points[k]).id for k in self._tips]
        turns = [data.xmat[model.site_bodyid[s]].reshape(3, 3) for s in sites]
        moved = [j for motor in self.hold.fingers for j in _joints_of(model, int(motor))]
        return Seen(
            se3(data.xmat[body].reshape(3, 3).copy(), data.xpos[body].copy()),
            data.site_xpos[sites].copy(),
            np.stack([turn @ pad for turn, pad in zip(turns, self._pads)]),
            data.xanchor[_first_joints(model, moved)].mean(0),
        )

    def _ways(self) -> Array:
        """(F,) 1 where more closes, -1 where less does, 0 for motors that only spread or turn fingers."""
        middle = 0.5 * (self._low + self._high)
        before = self.seen(middle)
        out = np.zeros(len(middle))
        for i in range(len(middle)):
            fingers = middle.copy()
            fingers[i] += _TRIED * (self._high[i] - self._low[i])
            moved = self.seen(fingers).tips - before.tips
            most = int(np.linalg.norm(moved, axis=1).argmax())
            length = float(np.linalg.norm(moved[most]))
            along = float(moved[most] @ before.inner[most]) / length if length > 0 else 0.0
            out[i] = np.sign(along) if abs(along) > _CLOSES else 0.0
        return out


def _joints_of(model: Any, motor: int) -> list[int]:
    """Joints that a motor drives: one, or those of a tendon."""
    target = int(model.actuator_trnid[motor, 0])
    if model.actuator_trntype[motor] != mujoco().mjtTrn.mjTRN_TENDON:
        return [target]
    first, count = int(model.tendon_adr[target]), int(model.tendon_num[target])
    return [int(j) for j in model.wrap_objid[first : first + count]]


def _one_to_one(model: Any, motors: list[int]) -> bool:
    """Whether a control of each of the motors is its joint's angle, or the sum of its tendon's."""
    if not np.allclose(model.actuator_gear[motors, 0], 1.0):
        return False
    tendons = [m for m in motors if model.actuator_trntype[m] == mujoco().mjtTrn.mjTRN_TENDON]
    for tendon in model.actuator_trnid[tendons, 0]:
        first = int(model.tendon_adr[tendon])
        if not np.allclose(model.wrap_prm[first : first + int(model.tendon_num[tendon])], 1.0):
            return False
    return True


def _first_joints(model: Any, joints: list[int]) -> list[int]:
    """Of each finger that joint which is nearest to the palm."""
    bodies = {int(model.jnt_bodyid[j]) for j in joints}
    out = [j for j in joints if int(model.body_parentid[model.jnt_bodyid[j]]) not in bodies]
    return out or joints
