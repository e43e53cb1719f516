"""Which joints of a hand cannot be seen, by where hand and objects are: a detector guesses those, and guesses badly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.contact.distance import signed_distance
from dexman_pose.data import RigidObject
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.interaction.probes import FINGER_OF_JOINT, FINGER_OF_PROBE, RADII, probes


@dataclass(frozen=True)
class HidingOptions:
    """When a joint counts as hidden.

    Attributes:
        before: metres by which flesh must be nearer to the camera than a joint that it hides.
        object_before: metres before a joint, at several of which it is asked whether an object is there.
    """

    before: float = 0.015
    object_before: tuple[float, ...] = (0.02, 0.035, 0.05, 0.07)


def hidden_by_hand(joints: Array, o: HidingOptions) -> NDArray[np.bool_]:
    """(T, 21) joints (T, 21, 3), camera frame, before which another finger or the palm of the hand lies."""
    points = probes(joints)
    behind = joints[..., 2][:, :, None] - points[..., 2][:, None] > o.before
    ray = joints / np.linalg.norm(joints, axis=-1, keepdims=True)
    along = np.einsum("tji,tki->tjk", ray, points)
    square = np.sum(points**2, -1)[:, None] - along**2
    across = np.sqrt(np.maximum(square, 0.0)) < RADII
    other = FINGER_OF_JOINT[:, None] != FINGER_OF_PROBE[None]
    return np.asarray((behind & across & other).any(-1))


def hidden_by_objects(
    joints: Array, things: Sequence[RigidObject], frames: NDArray[np.intp], o: HidingOptions
) -> NDArray[np.bool_]:
    """(T, 21) joints (T, 21, 3), camera frame, of frames of the clip, before which an object lies."""
    out = np.zeros(joints.shape[:2], np.bool_)
    far = np.linalg.norm(joints, axis=-1, keepdims=True)
    shorter = np.stack([joints * (1.0 - before / far) for before in o.object_before], 1)
    for thing in things:
        poses = thing.camera_from_object[frames]
        inside = transform_points(inverse(poses), shorter.reshape(len(joints), -1, 3))
        distance = signed_distance(thing.mesh, inside.reshape(-1, 3)).distance
        within = (distance < 0).reshape(shorter.shape[:3]).any(1)
        out |= within & thing.valid[frames][:, None]
    return out
