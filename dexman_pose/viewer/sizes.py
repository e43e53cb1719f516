"""What speaks for or against the metric size of objects: whence the unit of their mesh, and the hands beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dexman_pose.arrays import Bools
from dexman_pose.data import HandTrack, RigidObject, Trajectory
from dexman_pose.meshing.units import UNITS, length_text
from dexman_pose.viewer._text import percent


@dataclass(frozen=True)
class HandDistanceOptions:
    """When the distances of a hand and an object that overlap in the picture cannot both be right.

    Attributes:
        ratio: a hand this many times nearer, or farther, than the object; units of length differ by 2.5 or 10.
        joints: a frame counts when so many of the 21 joints lie within the object's box in the picture.
        frames: fewer frames tell nothing, where the clip has more.
        vertices: at most about so many vertices are projected.
    """

    ratio: float = 5.0
    joints: int = 3
    frames: int = 3
    vertices: int = 400


_DEFAULTS = HandDistanceOptions()


def unit_notice(obj: RigidObject, provenance: dict[str, Any]) -> str | None:
    """A sentence about the unit of an object's mesh, where nobody stated it; None otherwise."""
    described = provenance.get("objects")
    entry = described.get(obj.name) if isinstance(described, dict) else None
    unit = entry.get("mesh_unit") if isinstance(entry, dict) else None
    if not isinstance(unit, dict):
        return _GUESSED.format(obj.name) if obj.scale_source == "guessed" else None
    name, longest = str(unit.get("unit")), float(obj.mesh.extents.max())
    if unit.get("source") == "depth":
        return f"{obj.name}: depth decided that the unit of its mesh is {name}; nobody stated it."
    if unit.get("source") not in ("guessed", "hand"):
        return None
    how = ", which the hands that touch it speak for" if unit.get("source") == "hand" else ""
    text = f"{obj.name}: the unit of its mesh was guessed: {name}{how}, so that it is {length_text(longest)} long"
    others = [u for u in unit.get("others", []) if u in UNITS and name in UNITS]
    if others:
        would = (f"{u} ({length_text(longest * UNITS[u] / UNITS[name])})" for u in others)
        text += f"; {', '.join(would)} would be plausible too"
    return (
        text
        + ". State it (--mesh-unit, mesh_unit=); size and distance are off by the same factor if it is another."
    )


_GUESSED = (
    "{}: the unit of its mesh was guessed; state it (--mesh-unit, mesh_unit=). Size and distance are off by the same "
    "factor if it is another."
)


def hand_notices(trajectory: Trajectory, options: HandDistanceOptions = _DEFAULTS) -> list[str]:
    """Sentences about hands that are far nearer or farther than an object they overlap in the picture."""
    return [text for obj in trajectory.objects.values() for text in hand_notices_of(trajectory, obj, options)]


def hand_notices_of(
    trajectory: Trajectory, obj: RigidObject, options: HandDistanceOptions = _DEFAULTS
) -> list[str]:
    """Those sentences that are about one object."""
    texts = [_hand_notice(trajectory, obj, hand, options) for hand in trajectory.hands.values()]
    return [text for text in texts if text is not None]


def _hand_notice(
    trajectory: Trajectory, obj: RigidObject, hand: HandTrack, options: HandDistanceOptions
) -> str | None:
    if len(hand) != len(obj.valid) or "unknown" in (obj.scale_source, hand.scale_source):
        return None
    near = _overlapping(trajectory, obj, hand, options)
    if near.sum() < min(options.frames, len(near)) or not near.any():
        return None
    away = np.median(obj.camera_from_object[near, 2, 3] + _center_depth(obj, near))
    reach = np.median(hand.joints[near][:, :, 2])
    if not (away > 0 and reach > 0) or 1 / options.ratio < away / reach < options.ratio:
        return None
    times = away / reach if away > reach else reach / away
    return (
        f"{obj.name}: the {hand.side} hand that overlaps it in {percent(float(near.mean()))} of the frames is "
        f"{reach:.2g} m away, the object {away:.2g} m, {times:.0f} times as {'far' if away > reach else 'near'}: check "
        "the unit of its mesh, and that of depth."
    )


def _center_depth(obj: RigidObject, frames: Bools) -> Any:
    """(n,) how much farther the middle of the mesh lies than the origin of its frame."""
    return obj.camera_from_object[frames, 2, :3] @ obj.mesh.center


def _overlapping(
    trajectory: Trajectory, obj: RigidObject, hand: HandTrack, options: HandDistanceOptions
) -> Bools:
    """(T,) frames in which enough joints of the hand lie within the object's box in the picture."""
    points = obj.mesh.vertices[:: max(1, len(obj.mesh.vertices) // options.vertices)]
    out = np.zeros(len(obj.valid), np.bool_)
    for i in np.nonzero(obj.valid & hand.valid)[0]:
        pose = obj.camera_from_object[i]
        there = points @ pose[:3, :3].T + pose[:3, 3]
        if (there[:, 2] <= 0).any():
            continue
        drawn, joints = trajectory.camera.project(there), hand.joints_2d[i]
        inside = (joints >= drawn.min(0)).all(1) & (joints <= drawn.max(0)).all(1)
        out[i] = inside.sum() >= options.joints
    return out
