"""A closed surface of what depth images measured, and of what they leave open.

What no camera saw is filled as far as nothing speaks against it: outlines of all views, free space that was looked
through, and the table. So it is the largest shape that fits, never a smaller one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import EstimationError
from dexman_pose.geometry.grids import interpolated
from dexman_pose.geometry.isosurface import surface_nets
from dexman_pose.meshing.carve import HullVotes
from dexman_pose.meshing.fusion.options import FusionOptions
from dexman_pose.meshing.fusion.views import View, trusted_depth
from dexman_pose.meshing.fusion.volume import Fused, Grid, Integrator, integrate

_DEFAULTS = FusionOptions()


def seen_points(
    views: Sequence[View], camera: Camera, options: FusionOptions = _DEFAULTS
) -> tuple[Array, Array]:
    """All measured points (N, 3) of the object, object frame, and their normals (N, 3)."""
    points, normals = [], []
    for view in views:
        depth, facing = trusted_depth(view.depth, view.mask, camera, options)
        v, u = np.nonzero(depth)
        turn, shift = view.camera_from_object[:3, :3], view.camera_from_object[:3, 3]
        points.append((camera.unproject(np.stack([u, v], 1), depth[v, u]) - shift) @ turn)
        normals.append(facing[v, u] @ turn)
    return np.concatenate(points), np.concatenate(normals)


def fused_views(
    views: Sequence[View], camera: Camera, options: FusionOptions = _DEFAULTS, by: Integrator = integrate
) -> Fused:
    """The distances that all views together measure, on a grid around what they show.

    Raises:
        EstimationError: no view has depth on the object.
    """
    points, _ = seen_points(views, camera, options)
    if len(points) == 0:
        raise EstimationError("no frame has depth on the object")
    low, high = np.quantile(points, 0.001, 0), np.quantile(points, 0.999, 0)
    longest = float((high - low).max())
    spacing = max(longest / options.resolution, options.finest)
    grid = Grid.around(low - options.margin * spacing, high + options.margin * spacing, spacing)
    depths = ((trusted_depth(v.depth, v.mask, camera, options)[0], v.camera_from_object) for v in views)
    return by(depths, camera, grid, max(options.band * spacing, options.widest))


@dataclass(frozen=True)
class Solid:
    """A closed body, as a field that is negative inside.

    Attributes:
        grid: in the object frame.
        field: (X, Y, Z) metres near the surface.
    """

    grid: Grid
    field: Array

    def surface(self, coarser: float = 1.0) -> Mesh:
        """Its surface, a closed mesh without colours.

        Args:
            coarser: how many times larger the faces are than the grid's cells.

        Raises:
            EstimationError: there is none: views, poses or depth do not agree.
        """
        grid, step = self.grid, coarser * self.grid.spacing

        def distance(at: Array) -> Array:
            return interpolated(self.field, (at - grid.low).T / grid.spacing)

        high = grid.low + grid.spacing * (np.array(grid.shape) - 1)
        vertices, faces = surface_nets(distance, grid.low - step, high + step, step)
        if len(faces) == 0:
            raise EstimationError("depth, masks and poses do not agree on any shape")
        return Mesh(vertices, faces, source="depth")


def closed_solid(
    fused: Fused,
    views: Sequence[View],
    camera: Camera,
    floor: tuple[Array, float] | None = None,
    options: FusionOptions = _DEFAULTS,
) -> Solid:
    """What was measured, closed where it was not seen.

    Args:
        fused: measured distances.
        views: whose outlines cut away what lies beyond them.
        camera: pinhole.
        floor: normal (3,) and offset of the table in the object frame, ``normal @ x + offset`` positive above it;
            None where none is known.
        options: settings.
    """
    cells = int(np.ceil(options.room * max(fused.grid.shape)))
    grid = fused.grid.widened(cells)
    weight = np.pad(fused.weight, cells)
    known = weight >= options.least_weight
    measured = np.where(known, np.pad(fused.distance, cells), -fused.band)
    points = grid.points()
    field = np.maximum(measured, _cut_by_outlines(grid, points, known, views, camera, options))
    if floor is not None:
        above = (points @ floor[0] + floor[1]).reshape(grid.shape)
        # What was measured goes before: a table is known less well than the surface that stands on it.
        field = np.where(known, field, np.maximum(field, -above))
    field = ndimage.gaussian_filter(_own_part(field, known), options.smoothed)
    for axis in range(3):  # where nothing says how far it goes, it ends here
        ends = np.moveaxis(field, axis, 0)
        ends[:3] = np.maximum(ends[:3], grid.spacing)
        ends[-3:] = np.maximum(ends[-3:], grid.spacing)

    return Solid(grid, field)


def _cut_by_outlines(
    grid: Grid,
    points: Array,
    known: Bools,
    views: Sequence[View],
    camera: Camera,
    options: FusionOptions,
) -> Array:
    """A field that is positive where the outlines of enough views leave a point out."""
    high = grid.low + grid.spacing * (np.array(grid.shape) - 1)
    votes = HullVotes(grid.low, high, options.coarser * grid.spacing)
    for view in views:
        votes.add(view.labels, view.label, camera, view.camera_from_object)
    # A point that hardly any view speaks of lies outside the pictures or behind hands: nothing is known there.
    share = votes.share(points, min(options.votes, len(views))).reshape(grid.shape)
    steep = options.steep * grid.spacing
    return steep * (np.where(known, options.inside, options.unseen) - share)


def _own_part(field: Array, known: Bools) -> Array:
    """The field with that connected inside alone that was measured most."""
    parts, count = ndimage.label(field < 0)
    if count <= 1:
        return field
    sizes = np.bincount(parts[known & (field < 0)], minlength=count + 1)
    sizes[0] = 0
    return np.where((parts == sizes.argmax()) | (parts == 0), field, np.abs(field))
