"""Stretches in which an object rests, and how it stands on the table then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry.se3 import se3, so3_exp, transform_points
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.scene.faces import standing_faces


@dataclass(frozen=True)
class Resting:
    """A stretch of frames in which an object rests.

    Attributes:
        first: of the clip's frames.
        stop: one past the last.
        stands: (4, 4) a pose in which it stands on the table, near the one it was seen in; None without a table.
        known: (6, 6) root of the information of twists (v, w) off it: height and tilt are known, the rest is not.
    """

    first: int
    stop: int
    stands: Array | None
    known: Array


def known_standing(table: TablePlane, point: Array, shift: float, turn: float) -> Array:
    """(6, 6) the root of what the table tells of an object on it: one over metres and radians.

    Args:
        table: under it.
        point: (3,) of the object, camera frame.
        shift: metres, standard deviation of its height beside the table's own.
        turn: radians, of its tilt.
    """
    up = np.outer(table.normal, table.normal)
    out = np.zeros((POSE_SIZE, POSE_SIZE))
    out[:3, :3] = up / np.hypot(table.height_std(point), shift)
    out[3:, 3:] = (np.eye(3) - up) / np.hypot(table.normal_std, turn)
    return out


def standing(mean: Array, mesh: Mesh, table: TablePlane | None, reach: float) -> Array:
    """(4, 4) the pose of an object at rest, seen in a mean pose: turned by the least that makes it stand, on the table.

    Args:
        mean: (4, 4) camera_from_object.
        mesh: of the object.
        table: None where it is not known; then the mean stays.
        reach: radians by which it is turned at most; farther off it leans on something, and stays too.
    """
    if table is None:
        return mean
    faces = standing_faces(mesh)
    if not len(faces.down):
        return mean
    down = faces.down @ mean[:3, :3].T
    angle = np.arccos(np.clip(-down @ table.normal, -1.0, 1.0))
    likely = angle / np.hypot(faces.sigma, reach)
    k = int(np.argmin(likely))
    if angle[k] > reach:
        return mean
    axis = np.cross(down[k], -table.normal)
    length = float(np.linalg.norm(axis))
    turn = so3_exp(axis * (angle[k] / length)) if length > 0 else np.eye(3)
    rotation = turn @ mean[:3, :3]
    middle = mean[:3, :3] @ mesh.center + mean[:3, 3]
    upright = se3(rotation, middle - rotation @ mesh.center)
    low = float(table.heights(transform_points(upright, faces.corners)).min())
    upright[:3, 3] -= low * table.normal
    return upright
