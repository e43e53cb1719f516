"""Grasps that stay as they are: hand and object go as one piece, however fingers were measured meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dexman_pose.arrays import Array, Bools, runs
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.robot.motion.touch import Touches
from dexman_pose.robot.motion.types import RATE, Motion


@dataclass(frozen=True)
class FixedOptions:
    """How a grasp is held fast.

    Attributes:
        blend: seconds in which a hand comes into its grasp, and in which it leaves it.
        clear: metres above the table that joints keep while they hold.
        share: of the frames in which an object moves that a hand touches it, at least; one that does not is left as it
            was measured.
        come: seconds after its first touch at which the grasp of a hand is taken that comes to what moves already.
    """

    blend: float = 0.27
    clear: float = 0.008
    share: float = 0.5
    come: float = 0.2


def with_fixed_grasps(
    motion: Motion,
    touches: Sequence[Touches],
    moving: Mapping[str, Bools],
    options: FixedOptions | None = None,
) -> Motion:
    """Let hands hold objects as they do when those begin to move, until they are put down or handed over.

    Measured fingers slide over what they hold, by a few millimetres where nothing slid, and people shift their grip
    while they lift. A hand that goes along with the object as one piece keeps it more surely, and one change of it is a
    change of the whole grasp.

    Args:
        motion: with its objects where they stand.
        touches: of the motion.
        moving: (T,) frames in which each object has left its place or moves.
        options: settings.

    Returns:
        The motion with other joints of hands.
    """
    o = options or FixedOptions()
    hands = dict(motion.hands)
    for side, hand in motion.hands.items():
        joints, taken = hand.joints.copy(), np.zeros(len(hand.joints), np.bool_)
        for touch in sorted(touches, key=lambda t: -int(t.touching.sum())):
            if touch.side != side:
                continue
            poses = motion.objects[touch.name].world_from_object
            for start, stop in runs(moving[touch.name]):
                hold = _held(touch, touches, (start, stop), o)
                if hold is None or taken[hold[0] : hold[1]].any():
                    continue
                begin, end, at = hold
                joints = _fixed(joints, poses, (begin, end), at, taken, o)
                taken[begin:end] = True
        if taken.any():
            hands[side] = replace(hand, joints=joints)
    return replace(motion, hands=hands)


def _held(
    touch: Touches, touches: Sequence[Touches], run: tuple[int, int], o: FixedOptions
) -> tuple[int, int, int] | None:
    """Frames of a run in which a hand holds the object: all, but for those in which another one does.

    And the frame of its grasp: where the run begins, or a little after its first touch, if that is later.

    None where it hardly touches.
    """
    start, stop = run
    frames = start + np.flatnonzero(touch.touching[start:stop].any(1))
    if not len(frames) or len(frames) < o.share * (stop - start):
        return None
    first, last = int(frames[0]), int(frames[-1]) + 1
    others = np.zeros(len(touch.touching), np.bool_)
    for other in touches:
        if other.name == touch.name and other.side != touch.side:
            others |= other.touching.any(1)
    begin, end = first if others[start:first].any() else start, last if others[last:stop].any() else stop
    return begin, end, start if first == start else min(first + round(o.come * RATE), end - 1)


def _fixed(
    joints: Array, poses: Array, span: tuple[int, int], at: int, taken: Bools, o: FixedOptions
) -> Array:
    """Joints (T, J, 3) that are, seen from the object, as in frame ``at`` over a span, and blend into it and out.

    No farther than to frames that are taken: other holds stay as they are.
    """
    count, over = len(joints), max(round(o.blend * RATE), 1)
    frames, others = np.arange(count), np.flatnonzero(taken)
    before, after = others[others < span[0]], others[others >= span[1]]
    rise = min(over, span[0] - int(before[-1])) if len(before) else over
    fall = min(over, int(after[0]) - span[1] + 1) if len(after) else over
    weight = np.minimum((frames - (span[0] - rise)) / rise, (span[1] - 1 + fall - frames) / fall)
    weight = np.clip(weight, 0.0, 1.0)[:, None, None]
    local = transform_points(inverse(poses), joints)
    out = transform_points(poses, (1.0 - weight) * local + weight * local[at])
    out[..., 2] += weight[..., 0] * np.maximum(o.clear - out[..., 2], 0.0)
    return np.asarray(out)
