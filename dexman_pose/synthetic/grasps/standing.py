"""Which way is down in a recording: the object at rest stands on a face of its convex hull.

Of the faces it could stand on, that one is taken for which object and hand stay above the table through the whole
recording, the object is lifted, the face is broad, and the camera is not rolled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.geometry.se3 import se3, transform_points
from dexman_pose.synthetic.grasps.recorded import RecordedGrasp

_Z = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class StandingOptions:
    """How faces are judged; each length or angle costs one where it is reached.

    Attributes:
        rest: metres of motion up to which the object is at rest.
        same: radians within which faces of the hull are one face.
        apart: radians by which two candidates differ.
        below: metres of the object under the table.
        hand_below: metres of the hand's joints under it.
        lift: metres by which the object is lifted at least.
        no_lift: metres missing to that.
        roll: share of down that lies across the picture.
        most_points: of the mesh that are looked at.
        foot: metres that the middle of a thing at rest may lie beyond the edge of the face it stands on.
        settles: radians by which it turns at most until it stands on a facet that carries it.
    """

    rest: float = 0.004
    same: float = 0.17
    apart: float = 0.14
    below: float = 0.004
    hand_below: float = 0.008
    lift: float = 0.15
    no_lift: float = 0.05
    roll: float = 0.3
    most_points: int = 800
    foot: float = 0.006
    settles: float = 0.26


def resting_frames(grasp: RecordedGrasp, options: StandingOptions | None = None) -> int:
    """How many frames from the first the object is at rest."""
    o = options or StandingOptions()
    places = grasp.camera_from_object[:, :3, 3]
    moved = np.linalg.norm(places - places[0], axis=1) > o.rest
    return int(np.argmax(moved)) if moved.any() else len(moved)


def world_from_camera(grasp: RecordedGrasp, options: StandingOptions | None = None) -> Array:
    """(4, 4) that puts a recording on a table: z up, z = 0 under the object at rest, its middle above the origin."""
    o = options or StandingOptions()
    rest = grasp.camera_from_object[resting_frames(grasp, o) // 2]
    faces, shares = _faces(grasp.mesh, o)
    down = faces @ rest[:3, :3].T
    step = max(1, len(grasp.mesh.vertices) // o.most_points)
    points = transform_points(grasp.camera_from_object, grasp.mesh.vertices[::step])
    depth = np.einsum("tvc,nc->tnv", points, down).max(2)
    ground = (transform_points(rest, grasp.mesh.vertices) @ down.T).max(0)
    hand = np.einsum("tjc,nc->tnj", grasp.joints[grasp.valid], down).max((0, 2)) - ground
    cost = (
        np.maximum(depth - ground, 0).max(0) / o.below
        + np.maximum(hand, 0) / o.hand_below
        + np.maximum(o.lift - (ground - depth).max(0), 0) / o.no_lift
        + (down[:, 0] / o.roll) ** 2
        - np.log(shares)
    )
    settled = rest[:3, :3] @ _settled(grasp.mesh, faces[int(np.argmin(cost))], o)
    low = float((transform_points(rest, grasp.mesh.vertices) @ settled).max())
    return _upright(settled, low, transform_points(rest, grasp.mesh.center[None])[0])


def standing_pose(mesh: Mesh, options: StandingOptions | None = None) -> Array:
    """World from object (4, 4): a mesh on the broadest face that it stands on, above the origin of the table z = 0."""
    o = options or StandingOptions()
    faces, _ = _faces(mesh, o)
    planes = ConvexHull(mesh.vertices).equations
    middle = mesh.vertices[np.unique(mesh.faces)].mean(0)
    foot = middle + faces * ((mesh.vertices @ faces.T).max(0) - faces @ middle)[:, None]
    beyond = (foot @ planes[:, :3].T + planes[:, 3]).max(1)
    down = faces[int(np.argmax(beyond < o.foot))] if (beyond < o.foot).any() else faces[0]
    down = _settled(mesh, down, o)
    return _upright(down, float((mesh.vertices @ down).max()), mesh.center)


def _settled(mesh: Mesh, down: Array, o: StandingOptions) -> Array:
    """The way out of the facet of the hull nearest to ``down`` that carries the mesh: the middle is above it.

    The mean of facets that are nearly one face is no plane that touches; a thing that stands on it would tip. Where no
    facet near carries the mesh, ``down`` is kept.
    """
    hull = ConvexHull(mesh.vertices)
    normals, offsets = hull.equations[:, :3], hull.equations[:, 3]
    middle = mesh.vertices[np.unique(mesh.faces)].mean(0)
    for k in np.argsort(-(normals @ down)):
        if normals[k] @ down < np.cos(o.settles):
            break
        a, b, c = mesh.vertices[hull.simplices[k]]
        under = middle - (float(normals[k] @ middle) + offsets[k]) * normals[k]
        u, v = np.linalg.lstsq(np.stack([b - a, c - a], 1), under - a, rcond=None)[0]
        if min(u, v, 1 - u - v) >= 0:
            out: Array = normals[k]
            return out
    return down


def _faces(mesh: Mesh, o: StandingOptions) -> tuple[Array, Array]:
    """Outward normals (N, 3) of the broad faces of a mesh's convex hull, and their shares (N,) of its area."""
    hull = ConvexHull(mesh.vertices)
    a, b, c = np.moveaxis(mesh.vertices[hull.simplices], 1, 0)
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    normals = hull.equations[:, :3]
    one_face = (normals @ normals.T > np.cos(o.same)) * area
    mean = one_face @ normals
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    share = one_face.sum(1) / area.sum()
    kept: list[int] = []
    for index in np.argsort(-share):
        if not kept or (mean[kept] @ mean[index]).max() < np.cos(o.apart):
            kept.append(int(index))
    return mean[kept], share[kept]


def _upright(down: Array, ground: float, middle: Array) -> Array:
    """World from camera for a unit direction down, the depth of the table along it, and a point above the origin."""
    x = np.cross(down, _Z)
    x /= np.linalg.norm(x)
    rotation = np.stack([x, np.cross(-down, x), -down])
    shift = -rotation @ middle
    shift[2] = ground
    return se3(rotation, shift)
