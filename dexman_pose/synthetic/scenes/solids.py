"""Clutter: convex solids with flat, shaded sides that OpenCV paints, far ones first; in world axes, z up, metres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.synthetic.scenes import textures as paint

Pixels = NDArray[np.uint8]

_SHIFT = 4  # bits of a pixel in OpenCV's drawing coordinates
_NEAR = 0.05  # metres before the camera
_PATCH = 96  # pixels along the side of a printed patch


@dataclass(frozen=True)
class Side:
    """A flat side.

    Attributes:
        corners: (K, 3), counter-clockwise from outside, world axes.
        color: (3,) 0..255, shaded.
        print: (h, w, 3), shaded, its corners those of the side (K = 4), or None.
    """

    corners: Array
    color: Array
    print: Pixels | None = None

    @property
    def normal(self) -> Array:
        """(3,) outwards, not of unit length."""
        out: Array = np.cross(self.corners[1] - self.corners[0], self.corners[2] - self.corners[0])
        return out


@dataclass(frozen=True)
class Solid:
    """A convex solid: its sides, and its middle (3,)."""

    sides: tuple[Side, ...]
    middle: Array

    def triangles(self) -> Array:
        """(F, 3, 3) its surface, world axes."""
        out = [s.corners[[0, k, k + 1]] for s in self.sides for k in range(1, len(s.corners) - 1)]
        return np.array(out)


@dataclass(frozen=True)
class Lamp:
    """A distant soft light: unit direction (3,) towards it, and the shares of ambient and direct light."""

    way: Array
    ambient: float = 0.55
    direct: float = 0.5

    def shade(self, normals: ArrayLike) -> Array:
        """Brightness (...) of matt surfaces with normals (..., 3) of any length; from below it is a little darker."""
        n = np.asarray(normals, np.float64)
        n = n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-12)
        return self.ambient * (0.88 + 0.12 * n[..., 2]) + self.direct * np.clip(n @ self.way, 0, None)


def prism(outline: Array, height: float, color: ArrayLike, lamp: Lamp, seed: int | None = None) -> Solid:
    """An upright prism on the ground.

    Args:
        outline: (K, 2) of its convex footprint, counter-clockwise.
        height: metres.
        color: (3,) 0..255.
        lamp: shades its sides.
        seed: of the print on its sides (K = 4), or None for none.
    """
    k = len(outline)
    low = np.column_stack([outline, np.zeros(k)])
    high = low + [0.0, 0.0, height]
    around = [np.array([low[i], low[(i + 1) % k], high[(i + 1) % k], high[i]]) for i in range(k)]
    sides = [_side(c, color, lamp, None if seed is None else seed + i) for i, c in enumerate([high, *around])]
    return Solid(tuple(sides), np.array([*outline.mean(0), 0.5 * height]))


def _side(corners: Array, color: ArrayLike, lamp: Lamp, seed: int | None) -> Side:
    base = np.asarray(color, np.float64)
    shade = float(lamp.shade(np.cross(corners[1] - corners[0], corners[2] - corners[0])))
    patch = None if seed is None else _shaded(_patch(base, seed), shade)
    return Side(corners, np.clip(base * shade, 0, 255), patch)


def _patch(color: Array, seed: int) -> Pixels:
    r, g, b = (int(c) for c in np.clip(color, 0, 255))
    image, draw = paint.canvas(_PATCH, _PATCH, (r, g, b))
    paint.panel(draw, (0, 0, _PATCH - 1, _PATCH - 1), (r, g, b), seed, marks=7)
    return paint.finished(image)


def _shaded(image: Pixels, shade: float) -> Pixels:
    return np.clip(image * np.float32(shade), 0, 255).astype(np.uint8)


def paint_solids(image: Pixels, solids: Sequence[Solid], k: Array, camera_from_world: Array) -> None:
    """Paint solids into a picture (H, W, 3), those farther away first.

    Solids that are not wholly before the camera are left out; where two of them interlock, one hides the other.
    """
    eye = -camera_from_world[:3, :3].T @ camera_from_world[:3, 3]
    order = sorted(solids, key=lambda s: -float(np.linalg.norm(s.middle[:2] - eye[:2])))
    for solid in order:
        seen = [side for side in solid.sides if float(side.normal @ (eye - side.corners[0])) > 0]
        points = [_projected(side.corners, k, camera_from_world) for side in seen]
        if any(p is None for p in points):
            continue
        for side, p in zip(seen, points):
            assert p is not None
            paint_side(image, side, p)


def paint_side(image: Pixels, side: Side, points: Array) -> None:
    """Paint a side whose corners are seen at points (K, 2)."""
    height, width = image.shape[:2]
    low, high = np.floor(points.min(0)).astype(int) - 1, np.ceil(points.max(0)).astype(int) + 2
    low, high = np.maximum(low, 0), np.minimum(high, [width, height])
    if (high <= low).any():
        return
    if side.print is None:
        cv2.fillConvexPoly(image, _fixed(points), side.color.tolist(), cv2.LINE_AA, _SHIFT)
        return
    part = image[low[1] : high[1], low[0] : high[0]]
    h, w = side.print.shape[:2]
    own = np.array([[-0.5, h - 0.5], [w - 0.5, h - 0.5], [w - 0.5, -0.5], [-0.5, -0.5]], np.float32)
    warp = cv2.getPerspectiveTransform(own, (points - low).astype(np.float32))
    size = (part.shape[1], part.shape[0])
    inside = cv2.warpPerspective(side.print, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = np.zeros(part.shape[:2], np.uint8)
    cv2.fillConvexPoly(alpha, _fixed(points - low), 255, cv2.LINE_AA, _SHIFT)
    share = alpha[..., None].astype(np.uint16)
    part[:] = ((inside * share + part * (255 - share) + 127) // 255).astype(np.uint8)


def _projected(points: Array, k: Array, camera_from_world: Array) -> Array | None:
    """Pixels (K, 2); None where one of them is not before the camera."""
    p = points @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    if (p[:, 2] < _NEAR).any():
        return None
    q = p @ k.T
    return q[:, :2] / q[:, 2:]


def _fixed(points: Array) -> NDArray[np.int32]:
    # far corners of a wall must not overflow OpenCV's fixed point numbers
    return np.round(np.clip(points, -8000, 8000) * 2**_SHIFT).astype(np.int32)
