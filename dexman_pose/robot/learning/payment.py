"""The terms of the reward, asked of a task and a simulator's state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.arrays import Array
from dexman_pose.robot.learning import rewards
from dexman_pose.robot.learning.observations import turns_of
from dexman_pose.robot.learning.options import ContactReward, RewardOptions
from dexman_pose.robot.learning.worlds import Worlds
from dexman_pose.robot.planning.task import Task

_CARRY = 6
"""Joints that carry a free hand: slides, then hinges."""


class Payment:
    """Computes rewards.

    Args:
        task: the motion.
        options: of the terms.
    """

    def __init__(self, task: Task, options: RewardOptions) -> None:
        self._torch = require("torch", "learn", "learning a skill")
        self._task, self._options = task, options
        self._start = task.reference[0, :, 2]
        self._kind = (
            np.zeros(len(task.world.points))
            if options.contact is None
            else _weights(task.world.points, options.contact)
        )
        self._hands = _hands(task.world.joints)

    def earned(self, worlds: Worlds, frame: NDArray[np.intp], metres: Array, radians: Array) -> Array:
        """(N,) at frames (N,), objects metres and radians (N, O) from their reference."""
        o, task, tensor = self._options, self._task, self._torch.as_tensor
        places = task.world.object_places(worlds.qpos)
        wanted = task.reference[frame, :, 2]
        lifted = rewards.off_the_table(tensor(places[..., 2]), tensor(wanted), tensor(self._start), o.lifted)
        total = rewards.follow_reward(tensor(metres), tensor(radians), lifted, o.follow)
        off = worlds.qpos[:, task.world.joint_at] - task.joints[frame]
        carried = np.stack([off[:, hand[:_CARRY]] for hand in self._hands], 1)
        fingers = np.stack([off[:, hand[_CARRY:]] for hand in self._hands], 1)
        half = _CARRY // 2
        total = total + rewards.imitation_reward(
            tensor(carried[..., :half]), tensor(carried[..., half:]), tensor(fingers), o.imitation
        )
        if o.contact is not None:
            of = tensor(task.touch_object[frame])
            turns = turns_of(places)
            aims = rewards.touched_places(
                tensor(places[..., :3]), tensor(turns), of, tensor(task.touch_point[frame])
            )
            total = total + rewards.contact_reward(
                tensor(worlds.points),
                tensor(worlds.pads),
                aims,
                tensor(self._kind * task.touch_weight[frame]),
                lifted.gather(1, of),
                o.contact,
            )
        return np.asarray(o.scale * total.numpy())


def _weights(points: tuple[str, ...], options: ContactReward) -> Array:
    """(P,) by kind of point."""
    return np.array([options.tip if name.endswith("_tip") else options.palm for name in points])


def _hands(joints: tuple[str, ...]) -> list[list[int]]:
    """Indices of each hand's joints, the six that carry it first."""
    sides = sorted({name.split("_")[0] for name in joints})
    out = []
    for side in sides:
        own = [i for i, name in enumerate(joints) if name.startswith(f"{side}_")]
        base = [i for i in own if joints[i].startswith(f"{side}_base_")]
        out.append([*base, *[i for i in own if i not in base]])
    return out
