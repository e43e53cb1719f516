"""Do things at rest stand on one table? Finds rotations that were converted wrongly where nothing is carried.

What rests lies on a face of its convex hull above which its middle is, and all such faces lie in one plane. Which way
is up need not be known: the things must agree. One thing alone, or round ones, agree with anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh, RigidObject
from dexman_pose.datasets.misreadings import MISREADINGS
from dexman_pose.datasets.recording import Recording
from dexman_pose.geometry import inverse, transform_points

_MOST_FACES = 400  # of a hull; more are thinned out by merging vertices


@dataclass(frozen=True)
class RestingOptions:
    """Thresholds of :func:`table_suspicion`.

    Attributes:
        speed: metres per second below which a thing is at rest.
        seconds: how long it must be.
        away: metres from the ball around a thing within which a hand may hold it.
        angle: radians that a lower face may be off the table's plane.
        height: metres that it may be above or below it.
        wrong: multiples of the two from which on things do not stand on one table.
        edge: metres that the middle of a thing may lie beyond the edge of the face it stands on.
    """

    speed: float = 0.01
    seconds: float = 0.3
    away: float = 0.04
    angle: float = 0.1
    height: float = 0.012
    wrong: float = 3.0
    edge: float = 0.002


def table_suspicion(recording: Recording, options: RestingOptions | None = None) -> str:
    """A mistake of conversion without which things at rest would stand on one table; "" where nothing says so."""
    o = options or RestingOptions()
    frames = {name: _resting_frame(thing, recording, o) for name, thing in recording.objects.items()}
    still = {name: frame for name, frame in frames.items() if frame is not None}
    # Two things that are held still agree by chance now and then: where no hand can be seen to be away, three must.
    if len(still) < (2 if recording.hands else 3):
        return ""
    meshes = [recording.objects[name].mesh for name in still]
    given = np.stack([recording.objects[name].camera_from_object[frame] for name, frame in still.items()])
    world = inverse(recording.camera_from_world[list(still.values())])
    faces = [_standing_faces(mesh, o) for mesh in meshes]

    def misfit(undo: Callable[[Array], Array]) -> float:
        return _misfit(world @ undo(given), meshes, faces, o)

    own = misfit(lambda poses: poses)
    if own < o.wrong:
        return ""
    undone = {said: misfit(undo) for said, undo in MISREADINGS.items()}
    likely = [said for said, cost in undone.items() if cost <= 1.0]
    if not likely:
        return ""
    return f"{', '.join(still)} rest, but on no common table; they would if {', or '.join(likely)}"


def _resting_frame(thing: RigidObject, recording: Recording, o: RestingOptions) -> int | None:
    """The middle of the longest time an object is at rest in the world, and no hand near it."""
    times = recording.frame_times
    if len(times) < 3:
        return None
    step = float(np.median(np.diff(times)))
    origin = transform_points(inverse(recording.camera_from_world), thing.camera_from_object[:, None, :3, 3])[
        :, 0
    ]
    slow = np.linalg.norm(np.gradient(origin, axis=0), axis=-1) < o.speed * step
    free = thing.valid & slow
    center = transform_points(thing.camera_from_object, thing.mesh.center[None])[:, 0]
    for hand in recording.hands.values():
        near = np.linalg.norm(hand.joints - center[:, None], axis=-1).min(-1) < thing.mesh.radius + o.away
        free &= ~(hand.valid & near)
    ends = np.flatnonzero(np.diff(np.r_[False, free, False]))
    runs = [(int(a), int(b)) for a, b in pairwise(ends.tolist())][::2]
    first, last = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
    return (first + last) // 2 if (last - first) * step >= o.seconds else None


def _standing_faces(mesh: Mesh, o: RestingOptions) -> Array:
    """(N, 3) outward normals of the faces of the convex hull that a mesh can stand on."""
    grid = mesh.radius / 100
    points = np.unique(np.round(mesh.vertices / grid), axis=0) * grid
    try:
        hull = ConvexHull(points)
    except (QhullError, ValueError):
        return np.zeros((0, 3))
    corners, center = points[hull.simplices], points[hull.vertices].mean(0)
    volumes = np.abs(
        np.einsum("ij,ij->i", corners[:, 0] - center, np.cross(*np.moveaxis(corners[:, 1:] - center, 1, 0)))
    )
    middle = (volumes[:, None] * (corners.sum(1) + center) / 4).sum(0) / volumes.sum()
    planes = np.unique(np.round(hull.equations, 6), axis=0)
    foot = middle - planes[:, :3] * (planes[:, :3] @ middle + planes[:, 3])[:, None]
    beyond = (foot @ planes[:, :3].T + planes[:, 3]).max(1)
    return np.asarray(planes[beyond <= o.edge, :3][:_MOST_FACES])


def _misfit(poses: Array, meshes: list[Mesh], faces: list[Array], o: RestingOptions) -> float:
    """How far things are from standing on one table, in multiples of what is allowed, for the best table there is."""
    turned = [normals @ pose[:3, :3].T for normals, pose in zip(faces, poses)]
    if any(len(normals) == 0 for normals in turned):
        return 0.0
    down = min(turned, key=len)
    cosines = np.stack([(down @ normals.T).max(1) for normals in turned])
    angle = np.arccos(np.clip(cosines, -1, 1)).max(0)
    lowest = np.stack(
        [(transform_points(pose, m.vertices) @ down.T).max(0) for pose, m in zip(poses, meshes)]
    )
    return float(np.maximum(angle / o.angle, np.ptp(lowest, axis=0) / o.height).min())
