"""Joints of our own hand and their derivatives with respect to its size, its angles and its place.

The unknowns of a hand in T frames: a shape that all frames share (:data:`SHAPE_NAMES`, 0 is the average adult), 21
anatomical angles (``ANGLE_NAMES``) and a transform per frame. Derivatives are analytic, and written down finger by
finger: a joint depends on the angles and lengths of its own finger only, which are 18 of 58 unknowns.
All of it is a right hand; a left one is its mirror image, see :mod:`dexman_pose.hands.model.fit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.geometry.se3 import hat, so3_exp, so3_left_jacobian
from dexman_pose.hands.model.skeleton import (
    ANGLE_NAMES,
    BONE_JOINTS,
    BONE_NAMES,
    FINGERS,
    Skeleton,
    rest_skeleton,
    rotation_vectors,
)

FACTOR_NAMES: tuple[str, ...] = ("scale", *(f"{name}_bone" for name in BONE_NAMES))
"""Factors of a hand's shape: on everything, and on the length of each bone, named after the joint it begins at."""
SHAPE_NAMES: tuple[str, ...] = (
    *(f"log_{name}" for name in FACTOR_NAMES),
    *(f"{finger}_base_{axis}" for finger in FINGERS for axis in "xyz"),
)
"""The shape: natural logarithms of the factors, then by how much the first joint of each finger lies off the average
hand's, metres in the hand frame, before the scale."""

BASES: tuple[int, ...] = (1, 5, 9, 13, 17)
"""Index in JOINT_NAMES of the first joint of each finger."""

_BONES_PER_FINGER = 3

ANGLES_OF_FINGER: tuple[slice, ...] = (slice(0, 5), slice(5, 9), slice(9, 13), slice(13, 17), slice(17, 21))
"""Of the 21 angles, those of each finger."""
MOST_ANGLES = 5
"""Columns for angles in the derivatives of a finger; the last one of all but the thumb's is 0."""
PLACE = slice(MOST_ANGLES, MOST_ANGLES + 6)
"""Columns of the place: a twist (v, w) in the hand's own frame, ``frame_from_hand @ exp(twist)``."""
_SCALE = PLACE.stop
_LENGTHS = slice(_SCALE + 1, _SCALE + 4)
_BASE = slice(_SCALE + 4, _SCALE + 7)
SHAPE = slice(_SCALE, _BASE.stop)
"""Columns of the shape: the scale, the three lengths and the base of the finger."""
COLUMNS = SHAPE.stop
"""Unknowns that a joint depends on."""


def shape_of_finger(finger: int) -> tuple[slice, slice, slice]:
    """Of SHAPE_NAMES, scale, lengths and base of a finger: the columns :data:`SHAPE`."""
    lengths = 1 + _BONES_PER_FINGER * finger
    base = len(FACTOR_NAMES) + 3 * finger
    return slice(0, 1), slice(lengths, lengths + _BONES_PER_FINGER), slice(base, base + 3)


@dataclass(frozen=True)
class JointDerivatives:
    """Joints of T hands and how they change.

    Attributes:
        joints: (T, 21, 3) metres, the frame that ``frame_from_hand`` leads to.
        by_finger: (T, 5, 5, 3, COLUMNS) of the wrist and the four joints of each finger, with respect to the angles of
            the finger, the place, and the shape of the finger.
    """

    joints: Array
    by_finger: Array


def shaped_offsets(shape: Array) -> tuple[Array, Array]:
    """From each joint to its parent at rest, for a shape (S,): offsets (21, 3) in metres, and factors (21,) in it."""
    count = len(FACTOR_NAMES)
    parents = np.maximum(np.array(JOINT_PARENTS), 0)
    rest = _skeleton().joints
    rest = rest - rest[parents]
    rest[list(BASES)] += shape[count:].reshape(len(FINGERS), 3)
    factor = np.exp(_factors() @ shape[:count])
    return factor[:, None] * rest, factor


def hand_joints(shape: Array, angles: Array, frame_from_hand: Array) -> Array:
    """Joints (T, 21, 3) of a right hand in T frames.

    Args:
        shape: (S,) in the order of :data:`SHAPE_NAMES`.
        angles: (T, 21) radians.
        frame_from_hand: (T, 4, 4).
    """
    vectors = rotation_vectors(_skeleton(), angles)
    points, _, _ = _posed(_finger_offsets(shape), so3_exp(vectors).reshape(-1, len(FINGERS), 3, 3, 3))
    return _carried(points, frame_from_hand)


def hand_derivatives(shape: Array, angles: Array, frame_from_hand: Array) -> JointDerivatives:
    """Joints of a right hand in T frames and their derivatives; arguments as for :func:`hand_joints`."""
    vectors = rotation_vectors(_skeleton(), angles)
    local = so3_exp(vectors).reshape(-1, len(FINGERS), _BONES_PER_FINGER, 3, 3)
    turning = so3_left_jacobian(vectors).reshape(local.shape) @ _finger_axes()
    points, arms, turns = _posed(_finger_offsets(shape), local)
    count = len(angles)
    out = np.zeros((count, len(FINGERS), 5, 3, COLUMNS))
    out[..., PLACE.start : PLACE.start + 3] = np.eye(3)
    fingers = out[:, :, 1:]
    fingers[..., PLACE.start + 3 : PLACE.stop] = -hat(points)
    fingers[..., _SCALE] = points
    _, factor = shaped_offsets(shape)
    fingers[..., _BASE] = factor[list(BASES)][None, :, None, None, None] * np.eye(3)
    spin = np.zeros((count, len(FINGERS), 3, MOST_ANGLES))
    for k in range(_BONES_PER_FINGER):
        spin = spin + turns[k] @ turning[:, :, k]  # how angles turn this bone, hand frame
        turned = fingers[:, :, k, :, :MOST_ANGLES] - hat(arms[k]) @ spin
        fingers[:, :, k + 1, :, :MOST_ANGLES] = turned
        fingers[:, :, k + 1 :, :, _LENGTHS.start + k] = arms[k][:, :, None]
    return JointDerivatives(_carried(points, frame_from_hand), frame_from_hand[:, None, None, :3, :3] @ out)


def _posed(offsets: Array, local: Array) -> tuple[Array, list[Array], list[Array]]:
    """Fingers bent by turns (T, 5, 3, 3, 3) of their bones.

    Returns:
        The joints (T, 5, 4, 3) in the hand frame, and per bone from its first joint to the next (T, 5, 3), and the turn
        (T, 5, 3, 3) of the frame that the bone turns in.
    """
    points = np.empty((len(local), len(FINGERS), 4, 3))
    points[:, :, 0] = offsets[:, 0]
    arms, turns = [], [np.broadcast_to(np.eye(3), local.shape[:2] + (3, 3))]
    for k in range(_BONES_PER_FINGER):
        turn = turns[k] @ local[:, :, k]
        arms.append((turn @ offsets[:, k + 1, :, None])[..., 0])
        points[:, :, k + 1] = points[:, :, k] + arms[k]
        turns.append(turn)
    return points, arms, turns


def _carried(points: Array, frame_from_hand: Array) -> Array:
    """Joints (T, 21, 3) where the hand is, of those of the fingers (T, 5, 4, 3) in its own frame."""
    own = np.concatenate([np.zeros((len(points), 1, 3)), points.reshape(len(points), -1, 3)], 1)
    out: Array = own @ np.swapaxes(frame_from_hand[:, :3, :3], 1, 2) + frame_from_hand[:, None, :3, 3]
    return out


def _finger_offsets(shape: Array) -> Array:
    """(5, 4, 3) from each joint of the fingers to its parent at rest."""
    return shaped_offsets(shape)[0][1:].reshape(len(FINGERS), -1, 3)


@lru_cache(maxsize=1)
def _skeleton() -> Skeleton:
    return rest_skeleton()


@lru_cache(maxsize=1)
def _finger_axes() -> Array:
    """(5, 3, 3, 5): the rotation vector of each bone of a finger is this times the angles of the finger."""
    every = np.moveaxis(rotation_vectors(_skeleton(), np.eye(len(ANGLE_NAMES))), 0, -1)
    out = np.zeros((len(FINGERS), _BONES_PER_FINGER, 3, MOST_ANGLES))
    for finger, own in enumerate(ANGLES_OF_FINGER):
        bones = slice(_BONES_PER_FINGER * finger, _BONES_PER_FINGER * (finger + 1))
        out[finger, ..., : own.stop - own.start] = every[bones, :, own]
    return out


@lru_cache(maxsize=1)
def _factors() -> Array:
    """(21, N): the logarithm of the factor on each offset is this times the logarithms of the named factors."""
    out = np.zeros((21, len(FACTOR_NAMES)))
    out[:, 0] = 1.0
    for bone, joint in enumerate(BONE_JOINTS):
        out[joint + 1, 1 + bone] = 1.0
    return out
