"""A trajectory with everything that exporters meet: texture, colours, odd names, gaps, a fitted hand and a bare one."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from dexman_pose.contact import detect_contacts
from dexman_pose.data import Camera, HandTrack, Mesh, PoseTrack, RigidObject, Trajectory
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry import inverse, se3, so3_exp
from dexman_pose.hands.model.fit import HandFit, fit_joints
from dexman_pose.hands.model.hand_model import HandModel

FRAMES = 12
CAN, BALL = "soup can / 1", "ball"


def textured_can() -> Mesh:
    """A box with a picture on it, a corner of each face its own."""
    shape = trimesh.creation.box((0.06, 0.08, 0.10))
    faces = np.asarray(shape.faces)
    uv = np.tile(np.array([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]), (len(faces), 1, 1))
    uv += np.arange(len(faces))[:, None, None] * 0.005
    texture = np.zeros((16, 24, 3), np.uint8)
    texture[:8], texture[8:, :, 1] = (220, 40, 30), np.arange(24) * 10
    return Mesh(np.asarray(shape.vertices), faces, uv=uv, texture=texture)


def coloured_ball() -> Mesh:
    """A ball whose colour changes from bottom to top."""
    shape = trimesh.creation.icosphere(2, 0.03)
    v = np.asarray(shape.vertices)
    colors = np.column_stack([np.full(len(v), 200.0), 100 + 3000 * v[:, 2], np.full(len(v), 60.0)])
    return Mesh(v, np.asarray(shape.faces), vertex_colors=colors.round().astype(np.uint8))


def _track(poses: np.ndarray, valid: np.ndarray) -> PoseTrack:
    return PoseTrack(poses, valid, np.where(valid, 0.9, 0.0))


def _hand(side: str, camera: Camera, way: np.ndarray, bend: np.ndarray, *, bare: bool) -> HandTrack:
    model = HandModel(side, 0.95, forearm_length=0.05, resolution=0.005)
    pose = np.stack([model.pose(finger_flexion=float(b)) for b in bend])
    joints = model.joints(pose, way)
    valid = np.arange(len(way)) >= (2 if bare else 0)
    fit = fit_joints(joints, side)
    more = (
        {} if bare else {"camera_from_wrist": fit.frame_from_hand, "angles": fit.angles, "shape": fit.shape}
    )
    seen = joints if bare else _of(fit)
    return HandTrack(
        side,
        seen,
        camera.project(seen),
        valid,
        np.zeros(len(way), bool),
        valid * 0.8,
        fit.model(resolution=0.005).bone_lengths,
        **more,
    )


def _of(fit: HandFit) -> np.ndarray:
    model = fit.model(resolution=0.005)
    return model.joints(model.pose_from_angles(fit.angles), fit.frame_from_hand)


@pytest.fixture(scope="session")
def trajectory() -> Trajectory:
    """Twelve frames at 25 a second on a table seen from above."""
    camera = Camera(np.array([[420.0, 0, 161.5], [0, 425.0, 118.0], [0, 0, 1]]), 320, 240)
    camera_from_world = se3(so3_exp([1.9, 0.05, 0.02]), [0.02, 0.05, 0.7])
    t = np.linspace(0.0, 1.0, FRAMES)
    flat = np.zeros(FRAMES)
    turned = so3_exp(np.stack([0.4 * t, 0.1 + flat, 3.4 * t], -1))
    can = camera_from_world @ se3(turned, np.stack([-0.08 + 0.12 * t, flat, 0.05 + 0.08 * t], -1))
    ball = np.tile(camera_from_world @ se3(np.eye(3), [0.10, 0.02, 0.03]), (FRAMES, 1, 1))
    valid = np.ones(FRAMES, bool)
    valid[[0, 5, 6]] = False
    can[~valid] = np.eye(4)  # numbers without meaning
    objects = {
        CAN: RigidObject(CAN, textured_can(), _track(can, valid), scale_source="given"),
        BALL: RigidObject(BALL, coloured_ball(), _track(ball, np.ones(FRAMES, bool)), 1.3, "hand"),
    }
    right = camera_from_world @ se3(
        so3_exp(np.stack([flat, 0.8 + flat, 0.3 * t], -1)), np.stack([-0.2 + 0.1 * t, flat, 0.12 + flat], -1)
    )
    left = camera_from_world @ se3(
        so3_exp(np.stack([flat, 0.6 + flat, 2.6 + flat], -1)),
        np.stack([0.25 + flat, flat, 0.1 + 0.02 * t], -1),
    )
    hands = {
        "left": _hand("left", camera, left, 0.3 + 0.2 * t, bare=True),
        "right": _hand("right", camera, right, 0.2 + 0.8 * t, bare=False),
    }
    normal = camera_from_world[:3, 2]
    table = TablePlane(normal, float(-normal @ camera_from_world[:3, 3]), 1e-6 * np.eye(4))
    return Trajectory(
        camera,
        np.arange(FRAMES) / 25.0,
        objects,
        hands,
        detect_contacts(objects, hands),
        inverse(camera_from_world),
        {"world": "table"},
        table=table,
    )
