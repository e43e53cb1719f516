"""Hands are above the table: what lies far enough beneath it is nearer to the camera than it seems."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.world.table import TablePlane
from dexman_pose.interaction.options import TableOptions
from dexman_pose.interaction.probes import RADII, probes
from dexman_pose.interaction.surface import Tangents
from dexman_pose.interaction.terms import NoPenetration


def sure_table(table: TablePlane | None, joints: Array, o: TableOptions) -> TablePlane | None:
    """The table, where its height at joints (T, 21, 3), camera frame, is known well enough; None otherwise."""
    if table is None or not len(joints):
        return None
    unsure = table.height_std(joints.reshape(-1, 3).mean(0)) > o.unsure
    return None if unsure else table


def no_flesh_below(joints: Array, table: TablePlane, o: TableOptions) -> NoPenetration:
    """Flesh of hands (T, 21, 3), camera frame, is above the table, as evidence about their joints."""
    points, count = probes(joints), len(joints)
    normals = np.broadcast_to(table.normal, points.shape)
    plane = Tangents(points, table.heights(points), normals, np.ones(count, np.bool_))
    return NoPenetration(plane, o.soft, np.full(count, o.height))


def table_misfit(joints: Array, table: TablePlane, tried: Array, o: TableOptions) -> Array:
    """(T, S) how badly hands (T, 21, 3) lie above the table at every factor exp(tried) (S,) on distance and size.

    Beyond some depth it does not grow: a table may have an edge, and be wrong.
    """
    along = probes(joints) @ table.normal
    height = along[:, None] * np.exp(tried)[:, None] + table.offset
    below = np.minimum(height - RADII + o.soft, 0.0).min(-1)
    square = (below / o.height) ** 2
    out: Array = 0.5 * square / (1.0 + square / o.reach**2)
    return out
