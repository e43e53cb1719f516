"""What can be wrong with a trajectory, collected all at once instead of stopping at the first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.doubt import pose_doubted
from dexman_pose.data.tracks import JOINT_NAMES, JOINT_PARENTS, Contacts, HandTrack, RigidObject
from dexman_pose.data.world.table import TablePlane
from dexman_pose.errors import InputError

_BONE_TOLERANCE = 0.002  # metres a bone may differ from its constant length
_WORLD_TOLERANCE = 1e-4  # metres, and of a unit vector, by which world and table may differ
_PARENTS = np.array(JOINT_PARENTS[1:])


class TrajectoryContent(Protocol):
    """What a trajectory holds; see :class:`~dexman_pose.data.trajectory.Trajectory`."""

    @property
    def camera(self) -> Camera: ...
    @property
    def frame_times(self) -> Array: ...
    @property
    def objects(self) -> Mapping[str, RigidObject]: ...
    @property
    def hands(self) -> Mapping[str, HandTrack]: ...
    @property
    def contacts(self) -> Contacts | None: ...
    @property
    def world_from_camera(self) -> Array: ...
    @property
    def provenance(self) -> Mapping[str, Any]: ...
    @property
    def joint_names(self) -> tuple[str, ...]: ...
    @property
    def filmed_camera(self) -> Camera | None: ...
    @property
    def table(self) -> TablePlane | None: ...
    @property
    def num_frames(self) -> int: ...


def problems(trajectory: TrajectoryContent) -> list[str]:
    """Everything inconsistent in ``trajectory``, one line each; empty when all is well.

    Checked: shapes, finite values, times that start at 0 and increase, rigid transforms, values in [0, 1],
    valid frames that have a confidence, no doubt about their pose, and lie in front of the camera, constant bone
    lengths, symmetries that start with the identity, a world that stands on the table, contacts between known hands and
    objects, provenance that JSON can hold.
    """
    found = [*_of_clip(trajectory)]
    for key, obj in trajectory.objects.items():
        found += [f"object {key!r}: {line}" for line in _of_object(key, obj, trajectory.num_frames)]
    for key, hand in trajectory.hands.items():
        found += [f"{key} hand: {line}" for line in _of_hand(key, hand, trajectory.num_frames)]
    if trajectory.contacts is not None:
        found += [f"contacts: {line}" for line in _of_contacts(trajectory.contacts, trajectory)]
    return found


def _of_clip(t: TrajectoryContent) -> Iterator[str]:
    times = np.asarray(t.frame_times)
    if times.ndim != 1 or not np.isfinite(times).all():
        yield "frame_times must be finite seconds, one per frame"
    elif len(times):
        if times[0] != 0:
            yield f"frame_times must start at 0, but start at {times[0]:g}"
        steps = np.diff(times)
        if (steps <= 0).any():
            at = int(np.argmax(steps <= 0))
            late, soon = times[at], times[at + 1]
            yield f"frame_times must increase, but frame {at + 1} is at {soon:g} s after {late:g} s"
    yield from _not_rigid(np.asarray(t.world_from_camera)[None], "world_from_camera")
    yield from _shape_errors(t.camera)
    if t.filmed_camera is not None:
        yield from _shape_errors(t.filmed_camera)
    if t.table is not None:
        yield from _off_table(t.table, np.asarray(t.world_from_camera))
    if len(t.joint_names) != len(JOINT_NAMES):
        yield f"joint_names must be {len(JOINT_NAMES)} names, but there are {len(t.joint_names)}"
    try:
        json.dumps(t.provenance, allow_nan=False)
    except (TypeError, ValueError) as error:
        yield f"provenance must hold plain JSON values: {error}"


def _off_table(table: TablePlane, world: Array) -> Iterator[str]:
    errors = [*_shape_errors(table)]
    yield from errors
    if not errors and not np.allclose(world[2], [*table.normal, table.offset], atol=_WORLD_TOLERANCE):
        yield "world_from_camera must stand on the table, z = 0, but does not"


def _of_object(key: str, obj: RigidObject, count: int) -> Iterator[str]:
    errors = [*_shape_errors(obj.track), *_shape_errors(obj), *_shape_errors(obj.mesh)]
    yield from errors
    if obj.name != key:
        yield f"is stored under this name but is called {obj.name!r}"
    if errors:
        return
    if len(obj.track) != count:
        yield f"has {len(obj.track)} poses, but there are {count} frames"
    yield from _outside(obj.confidence, "confidence")
    yield from _unsure(obj.valid, obj.confidence)
    if obj.track.doubt is not None:
        yield from _frames(
            obj.valid & pose_doubted(obj.track.doubt), "are valid although their pose is doubted"
        )
    if obj.track.mask_iou is not None:
        yield from _outside(obj.track.mask_iou, "mask_iou")
    centers = obj.camera_from_object[:, :3, :3] @ obj.mesh.center + obj.camera_from_object[:, :3, 3]
    yield from _frames(obj.valid & (centers[:, 2] <= 0), "are valid but behind the camera")
    if obj.track.covariance is not None:
        c = obj.track.covariance
        size = np.abs(c).max((1, 2), initial=0.0)
        lopsided = np.abs(c - np.swapaxes(c, 1, 2)).max((1, 2), initial=0.0) > 1e-6 * size
        yield from _frames(lopsided, "have a covariance that is not symmetric")
        negative = (np.diagonal(c, axis1=1, axis2=2) < 0).any(1)
        yield from _frames(negative, "have a covariance with a negative variance")
    if len(obj.symmetry) == 0 or not np.allclose(obj.symmetry[0], np.eye(4), atol=1e-9):
        yield "symmetry must start with the identity"


def _of_hand(key: str, hand: HandTrack, count: int) -> Iterator[str]:
    errors = [*_shape_errors(hand)]
    yield from errors
    if hand.side != key:
        yield f"is stored as {key} but says it is the {hand.side} hand"
    if errors:
        return
    if len(hand) != count:
        yield f"has {len(hand)} entries, but there are {count} frames"
    yield from _outside(hand.confidence, "confidence")
    yield from _unsure(hand.valid, hand.confidence)
    yield from _frames(hand.bridged & ~hand.valid, "are bridged but not valid")
    yield from _frames(hand.valid & (hand.joints[..., 2] <= 0).any(1), "are valid but behind the camera")
    if (hand.bone_lengths[1:] <= 0).any() or hand.bone_lengths[0] != 0:
        yield "bone_lengths must be positive, and 0 for the wrist"
    bones = np.linalg.norm(hand.joints[:, 1:] - hand.joints[:, _PARENTS], axis=-1)
    off = np.abs(bones - hand.bone_lengths[1:])
    worst = 1000 * float(off[hand.valid].max(initial=0.0))
    changed = hand.valid & (off > _BONE_TOLERANCE).any(1)
    yield from _frames(changed, f"have bones that differ from bone_lengths, by up to {worst:.1f} mm")


def _of_contacts(contacts: Contacts, t: TrajectoryContent) -> Iterator[str]:
    errors = [*_shape_errors(contacts)]
    yield from errors
    for side, name in contacts.pairs:
        if name not in t.objects:
            yield f"unknown object {name!r}"
        if side not in t.hands:
            yield f"unknown hand {side!r}"
    if len(set(contacts.pairs)) != len(contacts.pairs):
        yield "a pair of hand and object is listed twice"
    if not 0 <= contacts.threshold_on <= contacts.threshold_off:
        yield (
            "thresholds must be 0 <= on <= off in metres, but are "
            f"{contacts.threshold_on:g} and {contacts.threshold_off:g}"
        )
    if errors:
        return
    if contacts.distance.shape[1] != t.num_frames and contacts.pairs:
        yield f"cover {contacts.distance.shape[1]} frames, but there are {t.num_frames}"
    else:
        # A hold goes on in frames that are not valid; what never touches in a valid one is no hold.
        known = contacts.touching & contacts.valid[:, :, None]
        alone = contacts.touching & ~known & ~known.any(1, keepdims=True)
        yield from _frames(alone.any((0, 2)), "touch without ever being valid")


def _shape_errors(value: Any) -> Iterator[str]:
    """What the type itself refuses, checked again because its fields can be changed."""
    try:
        replace(value)
    except InputError as error:
        yield str(error)


def _not_rigid(transforms: Array, name: str) -> Iterator[str]:
    r = transforms[:, :3, :3]
    ok = np.isfinite(transforms).all() and np.allclose(r @ np.swapaxes(r, 1, 2), np.eye(3), atol=1e-4)
    if not ok or (np.linalg.det(r) < 0).any() or not np.allclose(transforms[:, 3], [0, 0, 0, 1]):
        yield f"{name} is not a rigid transform"


def _outside(values: Array, name: str) -> Iterator[str]:
    yield from _frames((values < 0) | (values > 1), f"have a {name} outside 0..1")


def _unsure(valid: NDArray[np.bool_], confidence: Array) -> Iterator[str]:
    yield from _frames(valid & (confidence <= 0), "are valid but have no confidence")


def _frames(bad: Any, what: str) -> Iterator[str]:
    if bad.any():
        yield f"{int(bad.sum())} frames {what} (the first: frame {int(np.argmax(bad))})"
