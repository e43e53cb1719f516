"""Sizes of objects that nothing tells: what nobody holds stands where the others stood, on one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, sin

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.pose.clip.options import SharedSizeOptions
from dexman_pose.pose.clip.scale import Scale
from dexman_pose.pose.observation.view import in_front

_DEFAULTS = SharedSizeOptions()


@dataclass(frozen=True)
class Foot:
    """The point of an object that is seen lowest where it starts, which is about where it stands.

    Attributes:
        below: its y / z.
        depth: its z, in the length that the object has before it is sized.
    """

    below: float
    depth: float


def foot_of(mesh: Mesh, camera_from_object: Array) -> Foot | None:
    """The foot of a mesh at a pose (4, 4); None where it is not all before the camera."""
    points = mesh.vertices @ camera_from_object[:3, :3].T + camera_from_object[:3, 3]
    if not in_front(points):
        return None
    below = points[:, 1] / points[:, 2]
    lowest = int(below.argmax())
    return Foot(float(below[lowest]), float(points[lowest, 2]))


def shared_scales(
    scales: Mapping[str, Scale], feet: Mapping[str, Foot], options: SharedSizeOptions = _DEFAULTS
) -> dict[str, Scale]:
    """Give objects whose size nothing tells, or hands alone that pass before them, a place on the table of the others.

    How the table is tilted is not known here: that of a camera which looks at a table as people film them is assumed.
    Their source stays or becomes ``unknown``.

    Args:
        scales: of all objects, by name.
        feet: where they stand as they start, by name.
        options: the tilt that is assumed.

    Returns:
        The scales of all objects. Where no other tells anything, what passing hands say is kept.
    """
    sizes = {
        name: scale.factor * feet[name].depth * _height(feet[name], options)
        for name, scale in scales.items()
        if scale.source != "unknown" and not scale.passed and name in feet
    }
    out = dict(scales)
    if not sizes:
        return out
    height = float(np.median(list(sizes.values())))
    for name, scale in scales.items():
        if (scale.source == "unknown" or scale.passed) and name in feet:
            out[name] = Scale(height / (feet[name].depth * _height(feet[name], options)), "unknown")
    return out


def _height(foot: Foot, options: SharedSizeOptions) -> float:
    """How far below the camera a foot at depth 1 lies, along the vertical that is assumed."""
    return max(foot.below * cos(options.tilt) + sin(options.tilt), options.flattest)
