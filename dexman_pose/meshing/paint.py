"""Colours of a mesh's vertices from the frames it was seen in, and which of its faces were seen at all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.render import Rasterizer

_LONGEST_ROW = 32000
"""Pixels in a row of a picture, which OpenCV counts in 16 bits."""


@dataclass
class Painter:
    """Averages, over frames, the colour each vertex shows where it is in view and faces the camera.

    Args:
        mesh: the mesh to paint.
        camera: intrinsics of the frames.
    """

    mesh: Mesh
    camera: Camera
    _sum: Array = field(init=False)
    _weight: Array = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.mesh.vertices)
        self._sum, self._weight = np.zeros((count, 3)), np.zeros(count)
        self._rasterizer = Rasterizer(self.mesh)
        self._normals = vertex_normals(self.mesh)

    def add(
        self,
        image: NDArray[np.uint8],
        visible: NDArray[np.bool_],
        camera_from_object: Array,
        weight: float = 1.0,
    ) -> None:
        """Add one frame: (H, W, 3) uint8 RGB, the (H, W) bool pixels that show the object, and its pose."""
        pose = camera_from_object
        points = self.mesh.vertices @ pose[:3, :3].T + pose[:3, 3]
        if (points[:, 2] <= 0.02).any():
            return
        h, w = visible.shape
        picture = self._rasterizer.render(pose[None], self.camera.K, w, h)
        assert picture.depth is not None
        depth = picture.depth[0]
        pixels = self.camera.project(points)
        at = np.round(pixels).astype(int)
        inside = (at >= 0).all(1) & (at[:, 0] < w) & (at[:, 1] < h)
        at = at.clip(0, [w - 1, h - 1])
        behind = points[:, 2] - depth[at[:, 1], at[:, 0]]
        front = (depth[at[:, 1], at[:, 0]] > 0) & (behind < 0.03 * self.mesh.radius + 2e-3)
        ray = points / np.linalg.norm(points, axis=1, keepdims=True)
        facing = -np.einsum("ni,ni->n", self._normals @ pose[:3, :3].T, ray)
        safe = cv2.erode(visible.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        use = inside & front & (facing > 0.1) & safe[at[:, 1], at[:, 0]]
        if not use.any():
            return
        amount = weight * np.clip(facing[use], 0.0, 1.0) ** 2
        self._sum[use] += amount[:, None] * _colors_at(image, pixels[use].astype(np.float32))
        self._weight[use] += amount

    def painted(self) -> Mesh:
        """The mesh with vertex colours; ``seen`` marks the faces all of whose corners were seen.

        Unseen vertices take the colour of the nearest seen one: a guess that keeps the mesh whole.
        """
        seen = self._weight > 1e-6
        colors = np.full((len(seen), 3), 128.0)
        if seen.any():
            colors[seen] = self._sum[seen] / self._weight[seen, None]
            if not seen.all():
                from scipy.spatial import cKDTree

                _, nearest = cKDTree(self.mesh.vertices[seen]).query(self.mesh.vertices[~seen])
                colors[~seen] = colors[seen][nearest]
        faces = np.all(seen[self.mesh.faces], axis=1)
        return replace(self.mesh, vertex_colors=np.round(colors).clip(0, 255).astype(np.uint8), seen=faces)


def _colors_at(image: NDArray[np.uint8], pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(N, 3) colours of a picture between its pixels (N, 2)."""
    parts = [
        cv2.remap(
            image,
            np.ascontiguousarray(part[None, :, 0]),
            np.ascontiguousarray(part[None, :, 1]),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )[0]
        for part in np.array_split(pixels, len(pixels) // _LONGEST_ROW + 1)
    ]
    return np.concatenate(parts)


def vertex_normals(mesh: Mesh) -> Array:
    """(V, 3) unit normals, outwards for a mesh whose faces are counter-clockwise from outside."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    out = np.zeros_like(mesh.vertices)
    for i in range(3):
        np.add.at(out, mesh.faces[:, i], face)
    length = np.linalg.norm(out, axis=1, keepdims=True)
    unit: Array = out / np.maximum(length, 1e-12)
    return unit


def fit_texture(mesh: Mesh, pixels_across: float) -> Mesh:
    """The mesh with its texture reduced to what a picture can show: finer texels would alias in the rendering.

    Args:
        mesh: any mesh; without a texture it is returned as it is.
        pixels_across: how large the object appears, pixels along its longest side.
    """
    if mesh.texture is None or mesh.uv is None:
        return mesh
    corners = mesh.vertices[mesh.faces]
    surface = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    ).sum()
    edges = mesh.uv[:, 1:] - mesh.uv[:, :1]
    covered = np.abs(edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]).sum()
    height, width = mesh.texture.shape[:2]
    texels_per_metre = np.sqrt(covered * width * height / max(float(surface), 1e-12))
    pixels_per_metre = pixels_across / max(float(mesh.extents.max()), 1e-9)
    factor = texels_per_metre / max(pixels_per_metre, 1e-9)
    if factor < 1.5:
        return mesh
    size = (max(int(width / factor), 8), max(int(height / factor), 8))
    return replace(mesh, texture=resize_picture(mesh.texture, size, Way.AREA))
