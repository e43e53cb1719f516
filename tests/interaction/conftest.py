"""A hand around a bar that it carries: exact landmarks, an exact guess of the shape, a distance that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import trimesh

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, HandObservations, HandTrack, Mesh, PoseTrack, RigidObject
from dexman_pose.data.tracks import JOINT_PARENTS, SIDES
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.hands.model.evidence import MARKS
from dexman_pose.hands.model.kinematics import SHAPE_NAMES, hand_joints
from dexman_pose.hands.model.skeleton import ANGLE_NAMES

RADIUS = 0.035
WRONG = 1.12
"""Factor on a hand's size and distance, as lifted."""
_BENT = {
    "thumb_cmc_flexion": -0.39,
    "thumb_cmc_abduction": 0.86,
    "thumb_cmc_twist": 0.69,
    "thumb_mcp_flexion": -0.24,
    "thumb_ip_flexion": -0.31,
    "mcp_flexion": 0.63,
    "pip_flexion": 1.73,
    "dip_flexion": 1.34,
}
"""Radians at which tips and palm lie on the bar and hardly any flesh within it."""


@dataclass(frozen=True)
class Scene:
    """What is true, and what a lifting would have made of it."""

    camera: Camera
    times: Array
    joints: Array
    bar: RigidObject
    hand: HandTrack
    seen: HandObservations


def _angles(frames: int) -> Array:
    values = [
        _BENT.get(name, 0.0 if name.startswith("thumb") else _BENT.get(name.partition("_")[2], 0.0))
        for name in ANGLE_NAMES
    ]
    return np.tile(values, (frames, 1))


def _bar(poses: Array) -> RigidObject:
    shape = trimesh.creation.cylinder(RADIUS, 0.2, sections=48)
    shape.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0]))  # along y
    mesh = Mesh(np.asarray(shape.vertices), np.asarray(shape.faces))
    track = PoseTrack(poses, np.ones(len(poses), bool), np.ones(len(poses)))
    return RigidObject("bar", mesh, track, scale_source="given")


def _track(side: str, joints: Array, camera: Camera, seen: Array) -> HandTrack:
    count = len(joints)
    parents = np.maximum(np.array(JOINT_PARENTS), 0)
    lengths = np.linalg.norm(joints[0] - joints[0, parents], axis=1)
    ok = np.ones(count, bool)
    return HandTrack(side, joints, seen, ok, ~ok, np.ones(count), lengths)


@pytest.fixture(scope="session")
def grasp() -> Callable[..., Scene]:
    """A function of the side, and of whether the bar rides along with the hand."""

    def make(side: str = "right", carried: bool = True, frames: int = 16) -> Scene:
        camera = Camera([[600, 0, 320], [0, 600, 240], [0, 0, 1]], 640, 480)
        way = 0.12 * np.clip((np.arange(frames) - 3) / max(frames - 4, 1), 0, 1)
        turn = so3_exp(np.array([2.2, 0.3, 0.4]))
        places = se3(np.tile(turn, (frames, 1, 1)), np.stack([way - 0.06, 0 * way, 0 * way + 0.62], 1))
        joints = hand_joints(np.zeros(len(SHAPE_NAMES)), _angles(frames), places)
        in_hand = se3(np.eye(3), [0.05, 0.0, -0.06])
        poses = places @ in_hand
        if side == "left":
            mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
            joints, poses = joints * [-1, 1, 1], mirror @ poses @ np.diag([1.0, -1.0, 1.0, 1.0])
        if not carried:
            poses = np.tile(poses[:1], (frames, 1, 1))
            poses[:, 0, 3] += 0.4
        pixels = camera.project(MARKS @ joints)
        two = np.zeros((frames, 2, 21, 2)), np.zeros((frames, 2, 21, 3)), np.zeros((frames, 2), bool)
        k = SIDES.index(side)
        two[0][:, k], two[1][:, k], two[2][:, k] = pixels, joints - joints.mean(1, keepdims=True), True
        seen = HandObservations(*two, np.zeros((frames, 2), bool), two[2].astype(float))
        hand = _track(side, WRONG * joints, camera, pixels)
        return Scene(camera, np.arange(frames) / 30.0, joints, _bar(poses), hand, seen)

    return make
