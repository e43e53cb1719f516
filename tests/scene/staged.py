"""Boxes on a table before a camera, in exact numbers: what the table's tests look at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh, RigidObject
from dexman_pose.data.tracks import HandTrack, PoseTrack
from dexman_pose.geometry import inverse, se3, so3_exp, transform_points
from dexman_pose.synthetic.demo.clip import look_at

CAMERA = Camera.from_focal(600.0, 640, 480)
CAMERA_FROM_WORLD = look_at([-0.1, -0.6, 0.45], [0.0, 0.05, 0.05])
UP: NDArray[np.float64] = CAMERA_FROM_WORLD[:3, 2]
OFFSET = float(inverse(CAMERA_FROM_WORLD)[2, 3])


def box(x: float, y: float, z: float) -> Mesh:
    """A box about the origin, metres."""
    corners = np.array([[i, j, k] for i in (-0.5, 0.5) for j in (-0.5, 0.5) for k in (-0.5, 0.5)]) * [x, y, z]
    faces = [
        [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
        [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
    ]  # fmt: skip
    return Mesh(corners, np.array(faces))


def standing(x: float, y: float, yaw: float, height: float) -> Array:
    """World from object of a box of this height that stands on the table."""
    return se3(so3_exp(np.array([0.0, 0.0, yaw])), np.array([x, y, 0.5 * height]))


def thing(name: str, mesh: Mesh, world_from_object: Array) -> RigidObject:
    """An object with its poses (T, 4, 4) in the world."""
    count = len(world_from_object)
    track = PoseTrack(CAMERA_FROM_WORLD @ world_from_object, np.ones(count, np.bool_), np.ones(count))
    return RigidObject(name, mesh, track, scale_source="given")


def moved(count: int = 60, name: str = "box", to: tuple[float, float] = (0.15, 0.12)) -> RigidObject:
    """A box that rests, is lifted, turned and carried, and rests elsewhere; a third of the frames each."""
    third = count // 3
    share = np.clip((np.arange(count) - third) / third, 0.0, 1.0)
    poses = []
    for s in share:
        arc = np.sin(np.pi * s)
        place = standing(to[0] * s, to[1] * s, 0.3 + 0.8 * s, 0.12)
        place[2, 3] += 0.15 * arc
        poses.append(place @ se3(so3_exp(np.array([0.4 * arc, 0.2 * arc, 0.0])), np.zeros(3)))
    return thing(name, box(0.08, 0.06, 0.12), np.stack(poses))


def still(name: str, x: float, y: float, yaw: float = 0.4, count: int = 60) -> RigidObject:
    """A box that is never moved."""
    return thing(name, box(0.05, 0.1, 0.07), np.tile(standing(x, y, yaw, 0.07), (count, 1, 1)))


def hand(world_joints: Array, side: str = "right") -> HandTrack:
    """A hand with its joints (T, 21, 3) in the world."""
    joints = transform_points(CAMERA_FROM_WORLD, world_joints.reshape(-1, 3)).reshape(world_joints.shape)
    count = len(joints)
    return HandTrack(
        side,
        joints,
        CAMERA.project(joints),
        np.ones(count, np.bool_),
        np.zeros(count, np.bool_),
        np.ones(count),
        np.full(21, 0.03) * (np.arange(21) > 0),
    )


def noisy(obj: RigidObject, degrees: float, metres: float, seed: int = 0) -> RigidObject:
    """The object with poses that are off, about its middle, otherwise in every frame."""
    rng = np.random.default_rng(seed)
    count = len(obj.track)
    turn = so3_exp(np.radians(degrees) * rng.standard_normal((count, 3)))
    poses = obj.camera_from_object.copy()
    poses[:, :3, :3] = turn @ poses[:, :3, :3]
    poses[:, :3, 3] += metres * rng.standard_normal((count, 3))
    return replace(obj, track=replace(obj.track, camera_from_object=poses))


def degrees_between(a: Array, b: Array) -> float:
    """Angle of two unit vectors."""
    return float(np.degrees(np.arccos(np.clip(a @ b, -1, 1))))
