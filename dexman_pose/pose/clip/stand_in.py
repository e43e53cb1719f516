"""When a mesh of wires or bars is compared with masks through a closed stand-in."""

from __future__ import annotations

import logging

import cv2
import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.geometry import se3
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.geometry.symmetry_samples import rotations_everywhere
from dexman_pose.meshing.closed_shape import closed_shape, fill_share
from dexman_pose.pose.clip.options import ClosedOptions
from dexman_pose.pose.clip.types import ObjectRequest
from dexman_pose.render import Rasterizer
from dexman_pose.symmetry.cache import symmetry_of

_log = logging.getLogger(__name__)
_DEFAULTS = ClosedOptions()


def compared_shape(
    request: ObjectRequest, own: SymmetryGroup, options: ClosedOptions = _DEFAULTS
) -> tuple[Mesh, SymmetryGroup]:
    """The shape whose outline is compared with masks, and its symmetry: the user's mesh, or a closed stand-in of it.

    Args:
        request: with a mesh.
        own: symmetry of that mesh.
        options: from where on gaps are closed.
    """
    mesh = request.mesh
    assert mesh is not None
    if request.closed is False or (request.closed is None and picture_share(mesh, options) > options.full):
        return mesh, own
    filled = closed_shape(mesh, options.gap)
    share = fill_share(mesh, filled)
    if request.closed is None and share > options.full:
        return mesh, own
    _log.info("%s: gaps are closed; the mesh covers %.2f of what its stand-in does", request.name, share)
    return filled, symmetry_of(filled) if request.symmetry is None else request.symmetry


def picture_share(mesh: Mesh, options: ClosedOptions = _DEFAULTS) -> float:
    """Share of its closed pictures that a mesh covers, over viewpoints.

    Pictures are closed by a disk as wide as the ball that closes shapes. A picture of the closed shape lies within the
    closed picture, so this is at most :func:`~dexman_pose.meshing.closed_shape.fill_share`, and much quicker.
    """
    side, turns = options.side, rotations_everywhere(options.views)
    focal = options.distance * 0.5 * side / options.margin
    poses = se3(turns, np.array([0.0, 0.0, options.distance * mesh.radius]) - turns @ mesh.center)
    middle = 0.5 * (side - 1)
    camera = np.array([[focal, 0.0, middle], [0.0, focal, middle], [0.0, 0.0, 1.0]])
    drawn = Rasterizer(mesh).render(poses, camera, side, side).mask
    per_metre = focal / (options.distance * mesh.radius)
    disk = _disk(0.5 * options.gap * float(mesh.extents.max()) * per_metre)
    covered = [float(np.count_nonzero(m)) for m in drawn]
    closed = [
        float(np.count_nonzero(cv2.morphologyEx(m.astype(np.uint8), cv2.MORPH_CLOSE, disk))) for m in drawn
    ]
    return sum(covered) / max(sum(closed), 1.0)


def _disk(radius: float) -> Array:
    reach = int(np.ceil(radius))
    v, u = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray((u * u + v * v <= (radius + 0.5) ** 2).astype(np.uint8))
