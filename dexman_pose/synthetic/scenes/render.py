"""Pictures of the stress suite: shaded, antialiased objects before a cluttered wall, with exact labels and depth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.render import Rasterizer, Rendering
from dexman_pose.synthetic.scenes.textures import backdrop

FloatImage = NDArray[np.float32]

_FINE = 2  # samples per pixel and side
_AMBIENT, _DIFFUSE, _GLOSS = 0.52, 0.62, 0.10


@dataclass(frozen=True)
class Actor:
    """Something solid in the scene.

    Attributes:
        rasterizer: of its mesh.
        normals: (F, 3, 3) at face corners, object frame.
        label: in the label image.
    """

    rasterizer: Rasterizer
    normals: Array
    label: int


@dataclass(frozen=True)
class _Layer:
    """An actor drawn: box (x0, y0, x1, y1) in whole pixels; mask and depth in it, twice as fine; colours (N, 3)."""

    box: tuple[int, int, int, int]
    mask: NDArray[np.bool_]
    depth: FloatImage
    color: FloatImage


Placed = Sequence[tuple[Actor, Array]]


class Studio:
    """Camera, wall and lamp.

    Args:
        camera: of the pictures.
        seed: of wall and lamp.
        distance: of the wall behind the middle of the picture, metres; it is slanted a little.
    """

    def __init__(self, camera: Camera, seed: int, distance: float) -> None:
        self.camera = camera
        k = _FINE
        self._wall = backdrop(camera.width * k, camera.height * k, seed)
        self._calm = _reduced(self._wall)
        rng = np.random.default_rng([73, seed])
        slant = rng.uniform(-0.25, 0.25, 2)
        v, u = np.mgrid[0 : camera.height, 0 : camera.width].astype(np.float64)
        x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
        self._wall_depth = (distance / (1.0 + slant[0] * x + slant[1] * y)).astype(np.float32)
        lamp = np.array([rng.uniform(-0.7, 0.7), -rng.uniform(0.4, 1.0), -1.0])
        self._lamp, self._sway = lamp, 0.12 * rng.standard_normal(2)

    def lamp(self, time: float) -> Array:
        """Unit direction (3,) towards the light, camera frame, at a time in frames."""
        out = self._lamp + np.array([*(self._sway * np.sin(0.13 * time)), 0.0])
        return out / float(np.linalg.norm(out))

    def truth(self, placed: Placed) -> tuple[NDArray[np.uint8], FloatImage]:
        """Labels (H, W) uint8 and depth (H, W) float32 of what is seen at pixel centres, wall included."""
        c = self.camera
        labels = np.zeros((c.height, c.width), np.uint8)
        depth = self._wall_depth.copy()
        for actor, pose in placed:
            seen = actor.rasterizer.render(pose, c.K, c.width, c.height)
            assert seen.depth is not None
            nearer = seen.mask[0] & (seen.depth[0] < depth)
            labels[nearer], depth[nearer] = actor.label, seen.depth[0][nearer]
        return labels, depth

    def draw(self, placed: Placed, time: float) -> FloatImage:
        """One picture (H, W, 3) float32 in 0..255, without noise."""
        drawn = [self._layer(actor, pose, self.lamp(time)) for actor, pose in placed]
        layers = [layer for layer in drawn if layer is not None]
        out = self._calm.copy()
        if not layers:
            return out
        boxes = np.array([layer.box for layer in layers])
        x0, y0 = (int(n) for n in boxes[:, :2].min(0))
        x1, y1 = (int(n) for n in boxes[:, 2:].max(0))
        k = _FINE
        fine = self._wall[y0 * k : y1 * k, x0 * k : x1 * k].copy()
        nearest = np.full(fine.shape[:2], np.inf, np.float32)
        for layer in layers:
            u0, v0, u1, v1 = layer.box
            part = (slice((v0 - y0) * k, (v1 - y0) * k), slice((u0 - x0) * k, (u1 - x0) * k))
            front = layer.mask & (layer.depth < nearest[part])
            fine[part][front] = layer.color[front[layer.mask]]
            nearest[part][front] = layer.depth[front]
        out[y0:y1, x0:x1] = _reduced(fine)
        return out

    def blurred(self, at: Callable[[float], Placed], time: float, exposure: float, steps: int) -> FloatImage:
        """The mean picture of an exposure (in frames) about a time, of ``steps`` moments."""
        moments = time + exposure * (np.arange(steps) + 0.5 - 0.5 * steps) / steps
        return np.mean([self.draw(at(float(t)), float(t)) for t in moments], axis=0, dtype=np.float32)

    def _layer(self, actor: Actor, pose: Array, lamp: Array) -> _Layer | None:
        """The actor at twice the resolution; None where the picture does not show it."""
        box = picture_box(actor, pose, self.camera)
        if box is None:
            return None
        x0, y0, x1, y1 = box
        k = _FINE
        crop = self.camera.cropped(x0, y0, (x1 - x0) * k, (y1 - y0) * k, k)
        wanted = ("depth", "color", "face_id", "barycentric")
        seen = actor.rasterizer.render(pose, crop.K, crop.width, crop.height, attributes=wanted)
        assert seen.depth is not None
        return _Layer(box, seen.mask[0], seen.depth[0], _shaded(actor, pose, seen, lamp))


def _shaded(actor: Actor, pose: Array, seen: Rendering, lamp: Array) -> FloatImage:
    """Colours (N, 3) in 0..255 of the masked pixels: ambient, diffuse and a little gloss."""
    mask = seen.mask[0]
    assert seen.barycentric is not None and seen.face_id is not None and seen.color is not None
    turned = (actor.normals @ pose[:3, :3].T).astype(np.float32)
    normals = np.einsum("nk,nkc->nc", seen.barycentric[0][mask], turned[seen.face_id[0][mask]])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    facing = np.clip(normals @ lamp.astype(np.float32), 0, 1)
    half = lamp + [0.0, 0.0, -1.0]
    gloss = np.clip(normals @ (half / np.linalg.norm(half)).astype(np.float32), 0, 1) ** 24
    shade = (_AMBIENT + _DIFFUSE * facing)[:, None]
    color: FloatImage = 255 * np.clip(seen.color[0][mask] * shade + _GLOSS * gloss[:, None], 0, 1)
    return color.astype(np.float32)


def picture_box(actor: Actor, pose: Array, camera: Camera) -> tuple[int, int, int, int] | None:
    """The rectangle of whole pixels that shows the actor; None where the picture does not."""
    p = actor.rasterizer.mesh.vertices @ pose[:3, :3].T + pose[:3, 3]
    p = p[p[:, 2] > 0.02]
    if len(p) == 0:
        return None
    pixels = camera.project(p)
    size = np.array([camera.width, camera.height])
    low = np.clip(np.floor(pixels.min(0)).astype(int) - 1, 0, size)
    high = np.clip(np.ceil(pixels.max(0)).astype(int) + 2, 0, size)
    if (high <= low).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def silhouette_size(actor: Actor, pose: Array, camera: Camera) -> int:
    """Pixels of the object's whole silhouette, what lies outside the picture and behind others included."""
    p = actor.rasterizer.mesh.vertices @ pose[:3, :3].T + pose[:3, 3]
    pixels = camera.project(p[p[:, 2] > 0.02])
    low, high = np.floor(pixels.min(0)).astype(int) - 1, np.ceil(pixels.max(0)).astype(int) + 2
    width, height = (int(n) for n in high - low)
    crop = camera.cropped(float(low[0]), float(low[1]), width, height)
    return int(actor.rasterizer.render(pose, crop.K, width, height).mask[0].sum())


def _reduced(image: FloatImage) -> FloatImage:
    """Every block of samples as one pixel."""
    k = _FINE
    height, width = image.shape[0] // k, image.shape[1] // k
    out: FloatImage = image.reshape(height, k, width, k, 3).mean((1, 3))
    return out
