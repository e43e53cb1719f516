"""Two free hands that would lie in each other: solved at once, so that they give way to each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.robot.retarget.kinematics import FreeKinematics
from dexman_pose.robot.retarget.motion import PressOptions, Retargeted, retargeted
from dexman_pose.robot.retarget.obstacles import Obstacle
from dexman_pose.robot.retarget.solve import solve_joints


def together(
    hands: tuple[Retargeted, ...],
    options: PressOptions | None = None,
    obstacles: Sequence[Obstacle] = (),
) -> tuple[Retargeted, ...]:
    """Let free hands keep clear of each other.

    Hands that never meet are given back as they are: nothing else ties them to each other.

    Args:
        hands: free, each retargeted alone.
        options: as they were retargeted with.
        obstacles: what they keep clear of while they come and go.
    """
    o = options or PressOptions()
    placed = [
        x for hand in hands if isinstance(hand.kinematics, FreeKinematics) for x in hand.kinematics.free
    ]
    if len(placed) < 2 or o.solve.clear <= 0.0:
        return hands
    both = FreeKinematics(placed, obstacles=obstacles)
    start = _joined(both, hands)
    if not any(_meet(both, q, o.solve.clear) for q in start):
        return hands
    aims = np.concatenate([hand.aims for hand in hands], axis=1)
    joints = solve_joints(both, aims, start, o.solve)
    return tuple(retargeted(x.hand, both, joints, x.aims, x.pressed, o) for x in hands)


def _joined(both: FreeKinematics, hands: tuple[Retargeted, ...]) -> Array:
    out = np.zeros((len(hands[0].joints), len(both.joints)))
    for hand in hands:
        out[:, [both.joints.index(name) for name in hand.names]] = hand.joints
    return out


def _meet(both: FreeKinematics, joints: Array, clear: float) -> bool:
    """Whether a part of one hand is too near a part of another one."""
    marks = [hand.mark for hand in both.hands]
    sides = [
        [next(m for m in marks if part.startswith(m)) for part in x.parts]
        for x in both.overlaps(joints, clear)
    ]
    return any(a != b for a, b in sides)
