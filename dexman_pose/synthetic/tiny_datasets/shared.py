"""Tiny synthetic roots of DexYCB, HO3D and OakInk2 with known truth and everything that readers stumble over."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Camera, Mesh
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.synthetic.scenes.shapes import stress_shape

FRAMES = 4
_SIZE = (96, 72)


@dataclass(frozen=True)
class SmallTruth:
    """What is true in one view of a tiny dataset.

    Attributes:
        camera: of the pictures.
        camera_from_world: (T, 4, 4).
        poses: camera from object (T, 4, 4) by name; rows that are not valid mean nothing.
        valid: (T,) by name.
        joints: (T, 21, 3) camera frame, in the order of ``JOINT_NAMES``; None without a hand.
        hand_valid: (T,).
        mano: arrays as written, by name, and those that depend on axes as they should be read.
        meshes: by name, metres.
    """

    camera: Camera
    camera_from_world: Array
    poses: dict[str, Array]
    valid: dict[str, Bools]
    joints: Array | None = None
    hand_valid: Bools = field(default_factory=lambda: np.zeros(FRAMES, np.bool_))
    mano: dict[str, Array] = field(default_factory=dict)
    meshes: dict[str, Mesh] = field(default_factory=dict)


def tiny_camera() -> Camera:
    width, height = _SIZE
    return Camera(np.array([[110.0, 0, 46.5], [0, 111.0, 37.25], [0, 0, 1]]), width, height)


def tiny_mesh(name: str) -> Mesh:
    return stress_shape(name, textured=False).mesh


def world_from_objects() -> tuple[Array, Array]:
    """(T, 4, 4) each of two things that move a little, half a metre before the first camera."""
    steps = np.arange(FRAMES)[:, None]
    one = se3(so3_exp([1.3, 0.1, 0.2] + 0.1 * steps), [-0.1, 0.02, 0.6] + 0.01 * steps * [1.0, 0.0, 1.0])
    two = se3(so3_exp([1.5, -0.2, 0.4] + 0.1 * steps), [0.08, 0.03, 0.62] - 0.01 * steps * [0.0, 1.0, 0.0])
    return one, two


def hand_joints() -> Array:
    """(T, 21, 3) of an open hand that moves, camera frame."""
    hand = np.zeros((21, 3))
    for finger in range(5):
        for k in range(4):
            reach = 0.03 + 0.028 * (k + 1)
            angle = 0.35 * (finger - 2)
            hand[1 + 4 * finger + k] = [reach * np.sin(angle), -reach * np.cos(angle), 0.004 * k]
    return (
        hand + (np.array([0.0, 0.08, 0.55]) + 0.01 * np.arange(FRAMES)[:, None] * [1.0, -1.0, 0.5])[:, None]
    )


def hand_betas() -> Array:
    return np.linspace(-0.9, 0.9, 10)
