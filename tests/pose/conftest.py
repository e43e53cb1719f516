"""A small scene with exact truth: an asymmetric, coloured mesh, rendered by the rasteriser over a plain ground."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Camera, Mesh
from dexman_pose.geometry import rotation_angle, se3, so3_exp
from dexman_pose.render import Rasterizer

CAMERA = Camera.from_focal(420.0, 320, 240)


def wedge(subdivisions: int = 14) -> Mesh:
    """A box of 8 x 5 x 3 cm with one slanted side and colours that differ everywhere: no symmetry of any kind."""
    n = subdivisions
    u, v = np.meshgrid(np.linspace(-1, 1, n + 1), np.linspace(-1, 1, n + 1), indexing="ij")
    vertices, faces, count = [], [], 0
    cell = np.array(
        [
            [i * (n + 1) + j, (i + 1) * (n + 1) + j, (i + 1) * (n + 1) + j + 1, i * (n + 1) + j + 1]
            for i in range(n)
            for j in range(n)
        ]
    )
    for axis in range(3):
        for sign in (-1.0, 1.0):
            side = np.zeros((n + 1, n + 1, 3))
            side[..., axis] = sign
            side[..., (axis + 1) % 3], side[..., (axis + 2) % 3] = u, v
            vertices.append(side.reshape(-1, 3))
            quads = cell if sign > 0 else cell[:, ::-1]
            faces += [quads[:, [0, 1, 2]] + count, quads[:, [0, 2, 3]] + count]
            count += (n + 1) ** 2
    points = np.concatenate(vertices)
    points[:, 0] *= 1.0 - 0.35 * (points[:, 1] + 1) / 2
    points = points * [0.04, 0.025, 0.015]
    phase = 1.7 * points / [0.04, 0.025, 0.015]
    colors = 128 + 100 * np.stack(
        [
            np.sin(5.0 * phase[:, 0] + 2.0 * phase[:, 1] + 1.0),
            np.sin(4.0 * phase[:, 1] - 3.0 * phase[:, 2]),
            np.sin(6.0 * phase[:, 2] + 3.5 * phase[:, 0] * phase[:, 1]),
        ],
        -1,
    )
    return Mesh(points, np.concatenate(faces), vertex_colors=colors.clip(0, 255).astype(np.uint8))


def pose_at(
    rotation: tuple[float, float, float], translation: tuple[float, float, float]
) -> NDArray[np.float64]:
    return se3(so3_exp(np.array(rotation)), np.array(translation))


def picture(
    mesh: Mesh, pose: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """RGB frame, label image (object 1) and depth of a mesh at a pose, over a noisy grey ground."""
    drawn = Rasterizer(mesh).render(
        pose[None], CAMERA.K, CAMERA.width, CAMERA.height, attributes=("depth", "color")
    )
    assert drawn.color is not None and drawn.depth is not None
    rng = np.random.default_rng(5)
    image = 90.0 + 12.0 * rng.standard_normal((CAMERA.height, CAMERA.width, 1)) * np.ones(3)
    image[drawn.mask[0]] = 255.0 * drawn.color[0][drawn.mask[0]]
    return image.clip(0, 255).astype(np.uint8), drawn.mask[0].astype(np.uint8), drawn.depth[0]


class Scene:
    """What the tests of this room share."""

    camera = CAMERA
    mesh = wedge()
    pose_at = staticmethod(pose_at)
    picture = staticmethod(picture)

    def error(self, estimated: NDArray[np.float64], true: NDArray[np.float64]) -> tuple[float, float]:
        """Distance of the mesh centres in millimetres and angle between the rotations in degrees."""
        center = self.mesh.center
        shift = (estimated[:3, :3] - true[:3, :3]) @ center + estimated[:3, 3] - true[:3, 3]
        turn = rotation_angle(estimated[:3, :3] @ true[:3, :3].T)
        return 1e3 * float(np.linalg.norm(shift)), float(np.degrees(turn))


@pytest.fixture(scope="session")
def scene() -> Scene:
    return Scene()
