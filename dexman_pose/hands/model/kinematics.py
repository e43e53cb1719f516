"""Joints of our own hand and their derivatives with respect to its size, its angles and its place.

The unknowns of a hand in T frames: a shape that all frames share (:data:`SHAPE_NAMES`, 0 is the average adult), 21
anatomical angles (``ANGLE_NAMES``) and a transform per frame. Derivatives are analytic.
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


@dataclass(frozen=True)
class JointDerivatives:
    """Joints of T hands and how they change.

    Attributes:
        joints: (T, 21, 3) metres, the frame that ``frame_from_hand`` leads to.
        by_shape: (T, 21, 3, S) with respect to the shape.
        by_angles: (T, 21, 3, 21) per radian.
        by_place: (T, 21, 3, 6) by a twist (v, w) in the hand's own frame: ``frame_from_hand @ exp(twist)``.
    """

    joints: Array
    by_shape: Array
    by_angles: Array
    by_place: Array


def shaped_offsets(shape: Array) -> tuple[Array, Array]:
    """From each joint to its parent at rest, for a shape (S,).

    Returns:
        Offsets (21, 3) in metres, and their derivatives (21, 3, S).
    """
    across, count = _factors(), len(FACTOR_NAMES)
    parents = np.maximum(np.array(JOINT_PARENTS), 0)
    rest = _skeleton().joints
    rest = rest - rest[parents]
    rest[list(BASES)] += shape[count:].reshape(len(FINGERS), 3)
    factor = np.exp(across @ shape[:count])[:, None]
    by_shape = np.zeros((*rest.shape, len(shape)))
    by_shape[..., :count] = (factor * rest)[..., None] * across[:, None]
    for finger, joint in enumerate(BASES):
        for axis in range(3):
            by_shape[joint, axis, count + 3 * finger + axis] = factor[joint, 0]
    return factor * rest, by_shape


def hand_joints(shape: Array, angles: Array, frame_from_hand: Array) -> JointDerivatives:
    """Joints of a right hand in T frames and their derivatives.

    Args:
        shape: (S,) in the order of :data:`SHAPE_NAMES`.
        angles: (T, 21) radians.
        frame_from_hand: (T, 4, 4).
    """
    skeleton, axes = _skeleton(), _axes()
    offsets, by_shape = shaped_offsets(shape)
    vectors = rotation_vectors(skeleton, angles)
    local = so3_exp(vectors)
    turning = so3_left_jacobian(vectors) @ axes  # (T, 15, 3, 21)
    count = len(angles)
    points = np.zeros((count, 21, 3))
    shape_part = np.zeros((count, 21, 3, len(shape)))
    angle_part = np.zeros((count, 21, 3, len(ANGLE_NAMES)))
    for finger, first in enumerate(BASES):
        points[:, first], shape_part[:, first] = offsets[first], by_shape[first]
        rotation, spin = np.tile(np.eye(3), (count, 1, 1)), np.zeros((count, 3, len(ANGLE_NAMES)))
        for k in range(_BONES_PER_FINGER):
            bone, joint = _BONES_PER_FINGER * finger + k, first + k
            spin = spin + rotation @ turning[:, bone]  # how angles turn this bone, hand frame
            rotation = rotation @ local[:, bone]
            arm = rotation @ offsets[joint + 1]
            points[:, joint + 1] = points[:, joint] + arm
            shape_part[:, joint + 1] = shape_part[:, joint] + rotation @ by_shape[joint + 1]
            angle_part[:, joint + 1] = angle_part[:, joint] - hat(arm) @ spin
    turn, shift = frame_from_hand[:, None, :3, :3], frame_from_hand[:, None, :3, 3]
    place_part = np.concatenate([np.broadcast_to(np.eye(3), (count, 21, 3, 3)), -hat(points)], -1)
    moved = (turn @ points[..., None])[..., 0] + shift
    return JointDerivatives(moved, turn @ shape_part, turn @ angle_part, turn @ place_part)


@lru_cache(maxsize=1)
def _skeleton() -> Skeleton:
    return rest_skeleton()


@lru_cache(maxsize=1)
def _axes() -> Array:
    """(15, 3, 21): the rotation vector of each bone is this times the angles."""
    vectors = rotation_vectors(_skeleton(), np.eye(len(ANGLE_NAMES)))
    return np.moveaxis(vectors, 0, -1)


@lru_cache(maxsize=1)
def _factors() -> Array:
    """(21, N): the logarithm of the factor on each offset is this times the logarithms of the named factors."""
    out = np.zeros((21, len(FACTOR_NAMES)))
    out[:, 0] = 1.0
    for bone, joint in enumerate(BONE_JOINTS):
        out[joint + 1, 1 + bone] = 1.0
    return out
