"""Corners of a robot's mesh as it collides: the convex hull of what its file holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import ConvexHull

from dexman_pose.arrays import Array
from dexman_pose.robot.engine import mujoco


def hull_corners(mesh: Any) -> Array:
    """Corners (3 N,) of the hull of an ``MjSpec``'s mesh, scaled as the mesh says, float32, one after the other.

    The file is compiled alone: MuJoCo knows its own formats. Compiling moves a mesh to its middle, which is undone.
    """
    mj = mujoco()
    alone = mj.MjSpec()
    alone.add_mesh(name="mesh", file=mesh.file, scale=mesh.scale)
    alone.worldbody.add_geom(type=mj.mjtGeom.mjGEOM_MESH, meshname="mesh")
    model = alone.compile()
    rotation = np.zeros(9)
    mj.mju_quat2Mat(rotation, model.mesh_quat[0])
    corners = np.asarray(model.mesh_vert, np.float64) @ rotation.reshape(3, 3).T + model.mesh_pos[0]
    out: Array = corners[ConvexHull(corners).vertices].astype(np.float32).reshape(-1)
    return out
