"""A small scene with exact truth: an asymmetric, coloured mesh, rendered by the rasteriser over a plain ground."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import trimesh
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


def bracket() -> Mesh:
    """A body of three boxes, 7 cm long, of no colour: convex nowhere near, and no symmetry of any kind."""
    boxes = [
        trimesh.creation.box(size, trimesh.transformations.translation_matrix(place))
        for size, place in (
            ((0.07, 0.03, 0.02), (0.0, 0.0, 0.0)),
            ((0.02, 0.03, 0.05), (0.025, 0.0, 0.035)),
            ((0.02, 0.03, 0.02), (-0.025, 0.03, 0.0)),
        )
    ]
    joined = trimesh.util.concatenate(boxes)
    return Mesh(np.asarray(joined.vertices), np.asarray(joined.faces))


def clutter(seed: int = 0) -> NDArray[np.uint8]:
    """(H, W, 3) a ground of sixty sheets in as many colours."""
    rng = np.random.default_rng(seed)
    out = np.full((CAMERA.height, CAMERA.width, 3), (120, 125, 130), np.uint8)
    for _ in range(60):
        x, y = (int(n) for n in rng.integers(0, [CAMERA.width, CAMERA.height]))
        w, h = (int(n) for n in rng.integers(10, 60, 2))
        cv2.rectangle(out, (x, y), (x + w, y + h), [int(c) for c in rng.integers(30, 220, 3)], -1)
    return out


def painted(
    image: NDArray[np.uint8], mesh: Mesh, pose: NDArray[np.float64], color: Any = None
) -> NDArray[np.uint8]:
    """The picture with a mesh at a pose before it, in its own colours, or shaded in one."""
    kinds = ("color",) if color is None else ("normal",)
    drawn = Rasterizer(mesh).render(pose[None], CAMERA.K, CAMERA.width, CAMERA.height, attributes=kinds)
    mask, out = drawn.mask[0], image.copy()
    if color is None:
        assert drawn.color is not None
        out[mask] = np.round(255.0 * drawn.color[0][mask])
    else:
        assert drawn.normal is not None
        light = 0.6 + 0.4 * np.abs(drawn.normal[0][mask] @ np.array([0.3, -0.5, -0.8]))
        out[mask] = (np.asarray(color) * light[:, None]).clip(0, 255)
    return out


def filmed(image: NDArray[np.uint8], seed: int = 0) -> NDArray[np.uint8]:
    """The picture as a camera has it: a little soft, with noise."""
    noise = np.random.default_rng(seed).normal(0.0, 4.0, image.shape)
    return (cv2.GaussianBlur(image, (3, 3), 0.6) + noise).clip(0, 255).astype(np.uint8)


class Scene:
    """What the tests of this room share."""

    camera = CAMERA
    mesh = wedge()
    plain = bracket()
    plain_color = (210, 90, 40)
    pose_at = staticmethod(pose_at)
    picture = staticmethod(picture)
    clutter, painted, filmed = staticmethod(clutter), staticmethod(painted), staticmethod(filmed)

    def beside(
        self, mesh: Mesh, pose: NDArray[np.float64], shift: float, turn: float, seed: int = 0
    ) -> NDArray[np.float64]:
        """A pose (4, 4) whose centre is ``shift`` metres off, turned about it by ``turn`` degrees, either way."""
        rng = np.random.default_rng(seed)
        way, axis = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))
        out = pose.copy()
        out[:3, :3] = so3_exp(np.radians(turn) * axis) @ pose[:3, :3]
        out[:3, 3] += shift * way + (pose[:3, :3] - out[:3, :3]) @ mesh.center
        return out

    def mask(self, mesh: Mesh, pose: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(H, W) pixels that a mesh covers at a pose, nothing before it."""
        return Rasterizer(mesh).render(pose[None], CAMERA.K, CAMERA.width, CAMERA.height).mask[0]

    def error(
        self, estimated: NDArray[np.float64], true: NDArray[np.float64], mesh: Mesh | None = None
    ) -> tuple[float, float]:
        """Distance of the mesh centres in millimetres and angle between the rotations in degrees."""
        center = (self.mesh if mesh is None else mesh).center
        shift = (estimated[:3, :3] - true[:3, :3]) @ center + estimated[:3, 3] - true[:3, 3]
        turn = rotation_angle(estimated[:3, :3] @ true[:3, :3].T)
        return 1e3 * float(np.linalg.norm(shift)), float(np.degrees(turn))


@pytest.fixture(scope="session")
def scene() -> Scene:
    return Scene()
