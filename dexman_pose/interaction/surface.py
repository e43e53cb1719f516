"""Objects as surfaces that probes are measured against, once per round of a fit, with the plane that is nearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.contact.distance import signed_distance
from dexman_pose.data import RigidObject
from dexman_pose.geometry.se3 import inverse, transform_points

_TOUCHING = 1e-6  # metres: nearer, the direction to the surface is noise


@dataclass(frozen=True)
class Tangents:
    """The surface of an object near N points in T frames, as planes.

    Attributes:
        points: (T, N, 3) where it was measured, camera frame, metres.
        distance: (T, N) signed distances there, negative inside.
        normals: (T, N, 3) unit vectors in which the distance grows, camera axes.
        valid: (T,) frames in which the object's pose is known.
    """

    points: Array
    distance: Array
    normals: Array
    valid: NDArray[np.bool_]

    def at(self, points: Array) -> Array:
        """(T, N) distances of points (T, N, 3) near those that were measured."""
        out: Array = self.distance + np.einsum("tni,tni->tn", self.normals, points - self.points)
        return out

    def only(self, which: tuple[int, ...]) -> Tangents:
        """Of some of the points."""
        at = list(which)
        return Tangents(self.points[:, at], self.distance[:, at], self.normals[:, at], self.valid)


def tangents(thing: RigidObject, points: Array, frames: NDArray[np.intp]) -> Tangents:
    """Measure points (T, N, 3), camera frame, of the T given frames of the clip against an object."""
    poses = thing.camera_from_object[frames]
    inside = transform_points(inverse(poses), points)
    found = signed_distance(thing.mesh, inside.reshape(-1, 3))
    away = inside.reshape(-1, 3) - found.nearest
    length = np.linalg.norm(away, axis=-1, keepdims=True)
    normals = np.where(found.distance < 0, -1.0, 1.0)[:, None] * away / np.maximum(length, _TOUCHING)
    on_surface = length[:, 0] < _TOUCHING
    normals[on_surface] = _face_normals(thing, found.face[on_surface])
    turned = normals.reshape(points.shape) @ np.swapaxes(poses[:, :3, :3], 1, 2)
    return Tangents(points, found.distance.reshape(points.shape[:2]), turned, thing.valid[frames])


def _face_normals(thing: RigidObject, faces: NDArray[np.int64]) -> Array:
    a, b, c = np.moveaxis(thing.mesh.vertices[thing.mesh.faces[faces]], 1, 0)
    out: Array = np.cross(b - a, c - a)
    return out / np.maximum(np.linalg.norm(out, axis=-1, keepdims=True), np.finfo(float).tiny)
