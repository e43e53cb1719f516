"""Outlines of known solids on a table that a camera looks down on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh
from dexman_pose.meshing.hypotheses.outlines import Outline
from dexman_pose.meshing.silhouette import frame_on_ray
from dexman_pose.render import Rasterizer

CAMERA = Camera.from_focal(500.0, 320, 240)
DISTANCE = 0.6
TILT = np.radians(40.0)

See = Callable[[Mesh], tuple[Outline, Array]]


@pytest.fixture(scope="session")
def see() -> See:
    """The outline of a mesh whose z is up, 40 degrees from above, and the direction up in the outline's frame."""

    def seen(mesh: Mesh) -> tuple[Outline, Array]:
        pose = np.eye(4)
        right, ahead = np.array([1.0, 0.0, 0.0]), np.array([0.0, np.cos(TILT), -np.sin(TILT)])
        pose[:3, :3] = np.stack([right, np.cross(ahead, right), ahead])
        pose[:3, 3] = np.array([0.0, 0.0, DISTANCE]) - pose[:3, :3] @ mesh.center
        mask = Rasterizer(mesh).render(pose[None], CAMERA.K, CAMERA.width, CAMERA.height).mask[0]
        frame = frame_on_ray(mask, CAMERA, DISTANCE)
        return Outline(mask, None, CAMERA, frame), frame[:3, :3].T @ pose[:3, 2]

    return seen
