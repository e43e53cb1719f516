"""A small recording made by hand: two boxes that move in front of a camera."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from dexman_pose.data import Camera, Mesh, PoseTrack, RigidObject
from dexman_pose.datasets.recording import Recording
from dexman_pose.geometry import se3, so3_exp

COUNT = 20


def box(extents: tuple[float, float, float]) -> Mesh:
    made = trimesh.creation.box(extents)
    return Mesh(np.asarray(made.vertices, np.float64), np.asarray(made.faces, np.int32))


def path(start: tuple[float, float, float], turn: tuple[float, float, float]) -> NDArray[np.float64]:
    steps = np.arange(COUNT) / COUNT
    return np.stack(
        [se3(so3_exp(s * np.array(turn)), np.array(start) + [0.1 * s, 0.02 * s, 0.0]) for s in steps]
    )


def rigid(name: str, mesh: Mesh, poses: NDArray[np.float64]) -> RigidObject:
    return RigidObject(name, mesh, PoseTrack(poses, np.ones(len(poses), bool), np.ones(len(poses))))


@pytest.fixture
def recording() -> Recording:
    """Twenty frames of a tool (a long box) and a target (a flat box), 5 degrees of turn a frame."""
    objects = {
        "tool": rigid("tool", box((0.03, 0.05, 0.16)), path((-0.1, 0.0, 0.6), (0.5, 1.5, 0.2))),
        "target": rigid("target", box((0.12, 0.08, 0.03)), path((0.08, 0.05, 0.7), (1.2, 0.1, 0.6))),
    }
    return Recording(
        dataset="taco",
        name="20230101_001",
        view="22070938",
        camera=Camera.from_focal(200.0, 160, 120),
        camera_from_world=np.repeat(np.eye(4)[None], COUNT, 0),
        frame_times=np.arange(COUNT) / 30.0,
        objects=objects,
        object_ids={"tool": "049", "target": "017"},
        group="(cut, knife, plate)",
        split="test_1",
    )


@pytest.fixture
def no_symmetry() -> Callable[..., object]:
    from dexman_pose.geometry.symmetry import SymmetryGroup

    return lambda recording, name: (SymmetryGroup.trivial(), "none")
