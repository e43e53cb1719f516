"""A synthetic trajectory: a cube moves in front of a ball, two hands, one of which touches the cube."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from dexman_pose.contact import detect_contacts
from dexman_pose.data import Camera, Clip, HandTrack, MaskSequence, Mesh, PoseTrack, RigidObject, Trajectory
from dexman_pose.geometry import se3, so3_exp

HOSTILE = '<script>alert("cup & $x$")</script>'
"""A name that must be shown as it is."""

_FINGER_ANGLES = np.radians([-50.0, -18.0, -4.0, 10.0, 26.0])
_REACH = np.array([[0.03, 0.055, 0.08, 0.10], *4 * [[0.09, 0.125, 0.15, 0.17]]])


def hand_shape() -> NDArray[np.float64]:
    """(21, 3) metres, wrist at the origin, fingers up the image, palm towards +z."""
    fingers = [
        np.stack([np.sin(a) * r, -np.cos(a) * r, np.zeros(4)], -1) for a, r in zip(_FINGER_ANGLES, _REACH)
    ]
    return np.concatenate([np.zeros((1, 3)), *fingers])


def _object(
    name: str, shape: trimesh.Trimesh, poses: NDArray[np.float64], valid: NDArray[np.bool_]
) -> RigidObject:
    n = len(poses)
    mesh = Mesh(np.asarray(shape.vertices), np.asarray(shape.faces))
    iou = np.where(valid, 0.9 + 0.05 * np.cos(np.arange(n)), 0.0)
    return RigidObject(name, mesh, PoseTrack(poses, valid, np.where(valid, 0.95, 0.1), iou))


def _hand(side: str, wrist: NDArray[np.float64], camera: Camera, valid: NDArray[np.bool_]) -> HandTrack:
    n = len(wrist)
    joints = hand_shape()[None] * [1 if side == "right" else -1, 1, 1] + wrist[:, None]
    bridged = np.zeros(n, bool)
    bridged[2:5] = True
    bones = np.full(21, 0.03)
    return HandTrack(side, joints, camera.project(joints), valid, bridged & valid, np.ones(n), bones)


def make_trajectory(
    width: int = 321,
    height: int = 241,
    frames: int = 24,
    *,
    detail: int = 0,
    names: tuple[str, str] = ("cube", "ball"),
) -> Trajectory:
    """The cube moves to the right, passes in front of the ball, and has no valid pose in frames 10 to 13."""
    camera = Camera.from_focal(1.1 * width, width, height)
    t = np.linspace(0.0, 1.0, frames)
    cube, ball = trimesh.creation.box((0.09, 0.09, 0.09)), trimesh.creation.icosphere(2 + detail, 0.05)
    for _ in range(2 * detail):
        cube = cube.subdivide()
    valid = np.ones(frames, bool)
    valid[10:14] = False
    x, zero = -0.12 + 0.2 * t, np.zeros(frames)
    turned = so3_exp(np.stack([0.5 + zero, 0.6 + 1.2 * t, 0.1 + zero], -1))
    moving = se3(turned, np.stack([x, 0.02 + zero, 0.6 + zero], -1))
    still = np.tile(se3(np.eye(3), [0.08, 0.03, 0.75]), (frames, 1, 1))
    objects = {
        names[0]: _object(names[0], cube, moving, valid),
        names[1]: _object(names[1], ball, still, np.ones(frames, bool)),
    }
    objects[names[1]] = replace(objects[names[1]], scale_source="hand")
    grip = np.stack([x - 0.02, 0.15 + zero, 0.52 + zero], -1)
    away = np.tile([-0.19, 0.14, 0.6], (frames, 1))
    absent = np.arange(frames) < frames - 5
    hands = {
        "left": _hand("left", away, camera, absent),
        "right": _hand("right", grip, camera, np.ones(frames, bool)),
    }
    contacts = detect_contacts(objects, hands)
    times = np.arange(frames) / 25.0
    return Trajectory(camera, times, objects, hands, contacts, provenance={"input": names[1], "seed": 3})


def make_clip(trajectory: Trajectory) -> Clip:
    """Soft grey pictures of the trajectory's size, each a little different."""
    h, w = trajectory.camera.height, trajectory.camera.width
    ramp = np.linspace(90, 150, w)[None, :, None] + np.linspace(-20, 20, h)[:, None, None]
    frames = [np.repeat(ramp + i % 10, 3, 2).astype(np.uint8) for i in range(trajectory.num_frames)]
    return Clip.from_frames(frames, 25.0)


@pytest.fixture
def trajectory() -> Trajectory:
    return make_trajectory()


@pytest.fixture
def clip(trajectory: Trajectory) -> Clip:
    return make_clip(trajectory)


@pytest.fixture
def masks(trajectory: Trajectory) -> MaskSequence:
    """A rectangle for the first object, an occluder above it."""
    camera = trajectory.camera
    found = MaskSequence(tuple(trajectory.objects), camera.height, camera.width, trajectory.num_frames)
    labels = np.zeros((camera.height, camera.width), np.uint8)
    labels[100:140, 60:120], labels[20:40, 60:120] = 1, 255
    for i in range(trajectory.num_frames):
        found.set(i, labels)
    return found


@pytest.fixture
def trajectory_named() -> Callable[[str, str], Trajectory]:
    return lambda first, second: make_trajectory(names=(first, second))


@pytest.fixture
def hostile_name() -> str:
    return HOSTILE
