"""A closed stand-in for a mesh full of gaps: wires, bars, nets.

A mask of a whisk or a basket is filled where the rendered mesh shows its background through: outlines do not agree in
any pose. The stand-in covers what a mask covers. Method: morphological closing by a ball on a voxel grid, and what is
then enclosed on all sides is filled. What stands open, as a basket does above, keeps its inside, and its walls stay
thin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.geometry.grids import interpolated
from dexman_pose.geometry.isosurface import surface_nets
from dexman_pose.symmetry.surface import Surface, sample_surface

_CELLS = 96  # along the longest side
_SAMPLES = 60000  # points on the surface, a few in each cell it passes


def closed_shape(mesh: Mesh, gap: float = 0.12) -> Mesh:
    """A mesh without the gaps of the given one, in the same frame and coloured like it.

    Args:
        mesh: any surface; it need not be closed, but its wires should enclose what they hold.
        gap: gaps up to this share of the longest side are closed.

    Raises:
        MeshError: the surface has no area.
    """
    surface = sample_surface(mesh, count=_SAMPLES)
    points = surface.points * surface.diameter + surface.center
    low, high = points.min(0), points.max(0)
    spacing = float((high - low).max()) / _CELLS
    radius = 0.5 * gap * float((high - low).max())
    low, high = low - (radius + 4 * spacing), high + (radius + 4 * spacing)
    field = _closing(points, low, high, spacing, radius)

    def distance(at: Array) -> Array:
        return interpolated(field, (at - low).T / spacing)

    vertices, faces = surface_nets(distance, low + 2 * spacing, high - 2 * spacing, 1.5 * spacing)
    return Mesh(vertices, faces, vertex_colors=_colors(surface, points, vertices))


def fill_share(mesh: Mesh, closed: Mesh) -> float:
    """Share of the closed shape's picture that the mesh itself covers, over viewpoints: 1 for a mesh without gaps."""
    from dexman_pose.geometry import se3
    from dexman_pose.geometry.symmetry_samples import rotations_everywhere
    from dexman_pose.render import Rasterizer

    turns = rotations_everywhere(24)
    far = 6.0 * mesh.radius
    poses = se3(turns, np.array([0.0, 0.0, far]) - turns @ mesh.center)
    k = np.array(
        [[64.0 * far / mesh.radius / 1.5, 0, 64.0], [0, 64.0 * far / mesh.radius / 1.5, 64.0], [0, 0, 1]]
    )
    covered = [Rasterizer(m).render(poses, k, 129, 129).mask.sum() for m in (mesh, closed)]
    return float(covered[0]) / max(float(covered[1]), 1.0)


def _closing(points: Array, low: Array, high: Array, spacing: float, radius: float) -> Array:
    """Signed distance on a grid to the closing of a set of points by a ball, negative inside."""
    from scipy import ndimage

    shape = np.ceil((high - low) / spacing).astype(int) + 1
    free = np.ones(tuple(shape), bool)
    free[tuple(np.round((points - low) / spacing).astype(int).T)] = False
    reach = radius / spacing
    grown = ndimage.binary_fill_holes(ndimage.distance_transform_edt(free) <= reach)
    inside = ndimage.distance_transform_edt(grown)
    outside = ndimage.distance_transform_edt(~grown)
    signed: Array = (reach - inside + outside) * spacing
    return signed


def _colors(surface: Surface, points: Array, vertices: Array) -> NDArray[np.uint8] | None:
    """(V, 3) mean colours of the surface around each vertex, None where it has none."""
    if surface.color is None:
        return None
    _, near = cKDTree(points).query(vertices, k=12)
    return (255.0 * surface.color[near].mean(1)).round().clip(0, 255).astype(np.uint8)
