"""Shapes that the pipeline made itself: how far their surface is from the true one, how thick flat things became."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.scene.scores.objects import Scores
from dexman_pose.data import Mesh
from dexman_pose.metrics.shape import align_generated_mesh

FLAT = 0.2
"""Thickness over diameter up to which a thing is flat."""
_MOST = 800  # corners and directions of a hull that are looked at


def score_shape(found: Mesh | None, true: Mesh) -> Scores:
    """Scores of a mesh after it was turned, moved and sized onto the true one.

    Returns:
        ``surface_percent`` (mean distance between the surfaces, in percent of the true diameter), ``thickness_ratio``
        (least width over the true one's, None unless the true mesh is flat). Both None where no shape was made.
    """
    if found is None:
        return {"surface_percent": None, "thickness_ratio": None}
    fit = align_generated_mesh(found, true, scale=True)
    across, thick = widths(true)
    out: Scores = {"surface_percent": 100 * fit.residual / across, "thickness_ratio": None}
    if thick < FLAT * across:
        out["thickness_ratio"] = fit.scale * widths(found)[1] / thick
    return out


def widths(mesh: Mesh) -> tuple[float, float]:
    """Diameter and least width of a mesh, metres: between vertices, and between planes about it."""
    hull = ConvexHull(mesh.vertices[np.unique(mesh.faces)])
    corners = hull.points[hull.vertices]
    few = _spread(corners)
    across = float(np.linalg.norm(few[:, None] - few[None], axis=-1).max())
    normals = _spread(np.unique(hull.equations[:, :3].round(9), axis=0))
    return across, float(np.ptp(corners @ normals.T, axis=0).min())


def _spread(rows: Array) -> Array:
    out: Array = rows[:: max(1, -(-len(rows) // _MOST))]
    return out
