"""Contacts between hands and objects, frame by frame, from their poses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.contact.distance import SurfaceQuery, signed_distance
from dexman_pose.contact.hysteresis import hysteresis
from dexman_pose.data import Contacts, HandTrack, RigidObject
from dexman_pose.data.accept import by_name
from dexman_pose.data.numbers import cast, plain
from dexman_pose.errors import InputError
from dexman_pose.geometry import inverse, transform_points
from dexman_pose.render.devices import device_name

_FINGER_RADIUS = (0.013, 0.0095, 0.0085, 0.008)  # knuckle, middle joint, end joint, tip

JOINT_RADIUS: Array = np.array([0.020, 0.015, 0.013, 0.011, 0.009, *(4 * _FINGER_RADIUS)])
"""(21,) metres from each joint to the skin on the palm's side, in the order of ``JOINT_NAMES``.

Joints lie inside the flesh. The values are half of an adult's finger breadth (about 16 mm at the end joint
and 19 mm at the middle one, 22 mm at the thumb's), half the thickness of the palm at the knuckles, and of the
wrist. They move contact flags only; stored distances are from the joint itself.
"""


def detect_contacts(
    objects: Mapping[str, RigidObject],
    hands: Mapping[str, HandTrack],
    *,
    threshold_on: float = 0.01,
    threshold_off: float = 0.02,
    min_frames: int = 3,
    joint_radius: ArrayLike | None = None,
    device: str = "cpu",
) -> Contacts:
    """Distance and contact of every hand joint with every object, in every frame.

    The stored ``distance`` runs from the joint to the surface. The flag ``touching`` looks at the gap between
    skin and surface, ``distance - joint_radius``: a contact begins when the gap falls below ``threshold_on``,
    ends when it exceeds ``threshold_off`` or when hand or object is not valid, and counts if it lasts
    ``min_frames``.

    Args:
        objects: by name; poses and meshes in metres.
        hands: by side; joints in the camera frame, metres.
        threshold_on: metres between skin and surface that start a contact.
        threshold_off: metres that end it, at least ``threshold_on``.
        min_frames: shortest contact kept, in frames.
        joint_radius: (21,) or a single value, metres from joint to skin; :data:`JOINT_RADIUS` when None.
        device: Warp device of the mesh queries, ``"cpu"`` or ``"cuda:0"``.

    Returns:
        One entry per (side, object), sides first; no entries when there are no hands or no objects.

    Raises:
        InputError: tracks of different length, thresholds the wrong way round, radii of the wrong shape.
    """
    objects, hands = by_name(objects, RigidObject, "objects"), by_name(hands, HandTrack, "hands")
    radius, device = _radii(joint_radius), device_name(device)
    frames = _common_length(objects, hands)
    sides = list(hands)
    pairs = [(side, name) for side in sides for name in objects]
    shape = (len(pairs), frames, 21)
    distance, nearest = np.zeros(shape), np.zeros((*shape, 3))
    valid = np.zeros(shape[:2], bool)
    for k, (name, obj) in enumerate(objects.items() if hands else ()):
        found = _all_joints(obj, [hands[side] for side in sides], device)
        rows = slice(k, None, len(objects))
        distance[rows] = found.distance.reshape(len(sides), frames, 21)
        nearest[rows] = found.nearest.reshape(len(sides), frames, 21, 3)
        valid[rows] = [hands[side].valid & objects[name].valid for side in sides]
    gap = np.moveaxis(distance - radius, 1, 2)
    touching = hysteresis(gap, valid[:, None], threshold_on, threshold_off, min_frames=min_frames)
    return Contacts(
        tuple(pairs), distance, np.moveaxis(touching, 2, 1), nearest, valid, threshold_on, threshold_off
    )


def _all_joints(obj: RigidObject, hands: list[HandTrack], device: str) -> SurfaceQuery:
    """Every joint of every hand in every frame against one object, in its frame and in one launch."""
    joints = np.stack([hand.joints for hand in hands])
    in_object = transform_points(inverse(obj.camera_from_object)[None], joints)
    return signed_distance(obj.mesh, in_object.reshape(-1, 3), device=device)


def _radii(joint_radius: ArrayLike | None) -> Array:
    if joint_radius is None:
        return JOINT_RADIUS
    radius = cast(plain(joint_radius, "joint_radius"), np.float64, "joint_radius")
    if radius.shape not in ((), (21,)) or not np.isfinite(radius).all() or (radius < 0).any():
        raise InputError(
            f"joint_radius must be one length or 21, in metres and not negative, but got {radius.tolist()}"
        )
    return np.broadcast_to(radius, (21,))


def _common_length(objects: dict[str, RigidObject], hands: dict[str, HandTrack]) -> int:
    lengths = {f"object {name!r}": len(obj.track) for name, obj in objects.items()}
    lengths |= {f"{side} hand": len(hand) for side, hand in hands.items()}
    if len(set(lengths.values())) > 1:
        text = ", ".join(f"{what}: {n}" for what, n in lengths.items())
        raise InputError(f"objects and hands must cover the same frames, but got {text}")
    return next(iter(lengths.values()), 0)
