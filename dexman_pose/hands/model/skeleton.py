"""The skeleton of our own hand model: rest joints, anatomical axes, joint limits, forward kinematics.

Frame of the hand (right hand, all angles zero, palm down on a table): origin at the wrist, **+x distal** (wrist to
middle finger), **+y radial** (to the thumb side), **+z dorsal** (out of the back of the hand); metres. The left hand
is the mirror image in y: its thumb is at -y, x and z mean the same.

Bones turn about axes that are fixed in the hand at rest, as in MANO: the pose is one rotation vector per joint,
(15, 3), in the order of :data:`BONE_NAMES`, each relative to its parent and written in the rest axes of the hand.
:func:`rotation_vectors` makes them from 21 named anatomical angles.

Proportions are those of an adult: hand length 19 cm, breadth at the knuckles 8.5 cm, phalanges near the means of
Buryanov and Kotiuk, "Proportions of Hand Segments" (2010); ranges of motion follow the usual clinical norms (AAOS).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import JOINT_NAMES, JOINT_PARENTS
from dexman_pose.geometry.se3 import se3, so3_exp

FINGERS: tuple[str, ...] = ("thumb", "index", "middle", "ring", "pinky")
TIPS: tuple[int, ...] = (4, 8, 12, 16, 20)
BONE_JOINTS: tuple[int, ...] = tuple(j for j in range(1, 21) if j not in TIPS)
"""Index in JOINT_NAMES of the joint each of the 15 finger bones turns about."""
BONE_NAMES: tuple[str, ...] = tuple(JOINT_NAMES[j] for j in BONE_JOINTS)
"""The 15 joints of a pose, thumb first: thumb_cmc, thumb_mcp, thumb_ip, index_mcp, ... pinky_dip."""

_FINGER_MM = {  # knuckle position, spread in degrees (+ radial), phalanx lengths (the last ends near the fingertip)
    "index": ((92.0, 25.0, 0.0), 7.0, (44.0, 26.0, 22.5)),
    "middle": ((92.0, 3.5, 2.5), 1.0, (48.0, 30.0, 23.5)),
    "ring": ((86.5, -16.5, 0.5), -6.0, (45.0, 28.5, 23.5)),
    "pinky": ((78.5, -34.5, -4.5), -14.0, (35.0, 20.5, 21.0)),
}
_THUMB_CMC_MM = (21.0, 23.0, -11.0)
_THUMB_MM = (45.0, 34.0, 26.5)
_THUMB_DIRECTIONS = ((0.74, 0.60, -0.30), (0.82, 0.53, -0.22), (0.87, 0.46, -0.18))
_THUMB_DORSAL = (-0.45, 0.62, 0.64)

_FINGER_ANGLES = (
    ("mcp_flexion", -25, 95),
    ("mcp_abduction", -22, 22),
    ("pip_flexion", -5, 110),
    ("dip_flexion", -5, 85),
)
_THUMB_ANGLES = (
    ("cmc_flexion", -25, 40),
    ("cmc_abduction", -25, 55),
    ("cmc_twist", -30, 60),
    ("mcp_flexion", -15, 65),
    ("ip_flexion", -20, 85),
)
_ANGLES = tuple((f"thumb_{n}", lo, hi) for n, lo, hi in _THUMB_ANGLES) + tuple(
    (f"{f}_{n}", lo, hi) for f in FINGERS[1:] for n, lo, hi in _FINGER_ANGLES
)
ANGLE_NAMES: tuple[str, ...] = tuple(name for name, _, _ in _ANGLES)
"""The 21 anatomical angles: five of the thumb, four of each finger. Flexion closes, abduction spreads away from the
middle line of the hand to the radial side (for the thumb: out of the palm), twist turns the thumb's pad to the palm."""
ANGLE_LIMITS: Array = np.radians([(lo, hi) for _, lo, hi in _ANGLES])
"""(21, 2) smallest and largest value of each angle, radians."""


@dataclass(frozen=True)
class Skeleton:
    """A right hand at rest.

    Attributes:
        joints: (21, 3) metres, hand frame, order of ``JOINT_NAMES``.
        flexion_axes: (15, 3) unit, a positive turn closes the bone; order of :data:`BONE_NAMES`.
        dorsal: (15, 3) unit, out of the back of each bone.
        directions: (15, 3) unit, along each bone.
    """

    joints: Array
    flexion_axes: Array
    dorsal: Array
    directions: Array

    @property
    def bone_lengths(self) -> Array:
        """(21,) metres from each joint to its parent; 0 for the wrist."""
        parents = np.maximum(np.array(JOINT_PARENTS), 0)
        lengths: Array = np.linalg.norm(self.joints - self.joints[parents], axis=1)
        return lengths


def rest_skeleton(
    finger_lengths: ArrayLike = (1.0, 1.0, 1.0, 1.0, 1.0),
    bases: ArrayLike | None = None,
) -> Skeleton:
    """The right hand at rest.

    Args:
        finger_lengths: (5,) factors on the phalanges of thumb, index, ... pinky; or (5, 3), on each of their bones,
            the thumb's metacarpal first.
        bases: (5, 3) metres by which the first joint of each finger lies off the average hand's; None for none.
    """
    factors = bone_factors(finger_lengths)
    moved = np.zeros((5, 3)) if bases is None else 1e3 * np.asarray(bases, dtype=np.float64)
    joints = np.zeros((21, 3))
    directions, dorsal = np.zeros((15, 3)), np.zeros((15, 3))
    for i, finger in enumerate(FINGERS):
        start, along, lengths = _finger_at_rest(finger)
        back = np.array(_THUMB_DORSAL if finger == "thumb" else (0.0, 0.0, 1.0))
        joints[1 + 4 * i] = start + moved[i]
        for k in range(3):
            directions[3 * i + k] = along[k]
            dorsal[3 * i + k] = _unit(back - along[k] * (back @ along[k]))
            joints[2 + 4 * i + k] = joints[1 + 4 * i + k] + along[k] * lengths[k] * factors[i, k]
    return Skeleton(joints * 1e-3, np.cross(dorsal, directions), dorsal, directions)


def bone_factors(finger_lengths: ArrayLike) -> Array:
    """Factors (5, 3) on each bone, of factors (5,) on the phalanges of each finger, or of such (5, 3)."""
    factors = np.asarray(finger_lengths, dtype=np.float64)
    if factors.ndim == 1:
        factors = np.tile(factors[:, None], (1, 3))
        factors[0, 0] = 1.0  # the thumb's metacarpal is no phalanx
    return factors


def _finger_at_rest(finger: str) -> tuple[Array, Array, Array]:
    """First joint (mm), unit directions (3, 3) and lengths (mm) of one finger's bones."""
    if finger == "thumb":
        return np.array(_THUMB_CMC_MM), _unit(np.array(_THUMB_DIRECTIONS)), np.array(_THUMB_MM)
    start, spread, lengths = _FINGER_MM[finger]
    a = np.radians(spread)
    return np.array(start), np.tile([np.cos(a), np.sin(a), 0.0], (3, 1)), np.array(lengths)


def rotation_vectors(skeleton: Skeleton, angles: ArrayLike) -> Array:
    """Pose (..., 15, 3) of a right hand from anatomical angles (..., 21) in radians (:data:`ANGLE_NAMES`).

    A joint with several angles turns by the sum of their rotation vectors (one rotation about a tilted axis), so
    that the map is smooth and its inverse is a projection onto the axes.
    """
    a = np.asarray(angles, dtype=np.float64)
    flex, back, along = skeleton.flexion_axes, skeleton.dorsal, skeleton.directions
    pose = np.zeros((*a.shape[:-1], 15, 3))
    pose[..., 0, :] = a[..., 0:1] * flex[0] + a[..., 1:2] * back[0] + a[..., 2:3] * along[0]
    pose[..., 1, :] = a[..., 3:4] * flex[1]
    pose[..., 2, :] = a[..., 4:5] * flex[2]
    for i in range(4):
        s, b = 5 + 4 * i, 3 + 3 * i
        pose[..., b, :] = a[..., s : s + 1] * flex[b] + a[..., s + 1 : s + 2] * back[b]
        pose[..., b + 1, :] = a[..., s + 2 : s + 3] * flex[b + 1]
        pose[..., b + 2, :] = a[..., s + 3 : s + 4] * flex[b + 2]
    return pose


def anatomical_angles(skeleton: Skeleton, pose: ArrayLike) -> Array:
    """Angles (..., 21) of a right hand's pose (..., 15, 3): its projection on the anatomical axes.

    The inverse of :func:`rotation_vectors`; what a joint cannot do anatomically (a PIP joint bending sideways) is
    left out.
    """
    p = np.asarray(pose, dtype=np.float64)
    flex = np.sum(p * skeleton.flexion_axes, -1)
    back = np.sum(p * skeleton.dorsal, -1)
    twist = np.sum(p * skeleton.directions, -1)
    parts = [flex[..., 0], back[..., 0], twist[..., 0], flex[..., 1], flex[..., 2]]
    for b in (3, 6, 9, 12):
        parts += [flex[..., b], back[..., b], flex[..., b + 1], flex[..., b + 2]]
    return np.stack(parts, -1)


def bone_transforms(joints: Array, pose: ArrayLike) -> Array:
    """Transforms (..., 16, 4, 4) that carry each bone's points from rest to the pose, in the hand frame.

    Args:
        joints: (21, 3) rest joints.
        pose: (..., 15, 3) rotation vectors.

    Returns:
        Entry 0 is the palm (identity), entry 1 + b the bone ``BONE_NAMES[b]``.
    """
    rotation = so3_exp(pose)
    batch = rotation.shape[:-3]
    out = np.zeros((*batch, 16, 4, 4))
    out[..., 0, :, :] = np.eye(4)
    for b, joint in enumerate(BONE_JOINTS):
        pivot = joints[joint]
        local = se3(rotation[..., b, :, :], pivot - (rotation[..., b, :, :] @ pivot))
        parent = 0 if b % 3 == 0 else b
        out[..., b + 1, :, :] = out[..., parent, :, :] @ local
    return out


def posed_joints(joints: Array, transforms: Array) -> Array:
    """Joints (..., 21, 3) after :func:`bone_transforms`: each joint rides on the bone of its parent."""
    bone_of = [0] * 21
    for j in range(1, 21):
        bone_of[j] = 0 if JOINT_PARENTS[j] == 0 else 1 + BONE_JOINTS.index(JOINT_PARENTS[j])
    t = transforms[..., bone_of, :, :]
    moved: Array = (t[..., :3, :3] @ joints[..., None])[..., 0] + t[..., :3, 3]
    return moved


def _unit(v: Array) -> Array:
    out: Array = v / np.linalg.norm(v, axis=-1, keepdims=True)
    return out
