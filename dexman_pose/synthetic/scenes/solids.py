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


@dataclass(frozen=True)
class Solid:
    """A convex solid.

    Attributes:
        sides: the first is its top.
        normals: (S, 3) of the sides, outwards, not of unit length.
        middle: (3,).
    """

    sides: tuple[Side, ...]
    normals: Array
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
        unit = n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-12)
        return self.shade_unit(unit.astype(np.float32)).astype(np.float64)

    def shade_unit(self, normals: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same of unit normals (..., 3)."""
        direct = np.maximum(normals @ self.way.astype(np.float32), 0)
        out = self.ambient * (0.88 + 0.12 * normals[..., 2]) + self.direct * direct
        return out.astype(np.float32)


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
    corners = [high, *around]
    normals = np.array([np.cross(c[1] - c[0], c[2] - c[0]) for c in corners])
    shades = lamp.shade(normals)
    sides = [
        _side(c, color, float(shade), None if seed is None else seed + i)
        for i, (c, shade) in enumerate(zip(corners, shades))
    ]
    return Solid(tuple(sides), normals, np.array([*outline.mean(0), 0.5 * height]))


def _side(corners: Array, color: ArrayLike, shade: float, seed: int | None) -> Side:
    base = np.asarray(color, np.float64)
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
        first = np.array([side.corners[0] for side in solid.sides])
        facing = np.flatnonzero(np.einsum("sk,sk->s", solid.normals, eye - first) > 0)
        seen = [solid.sides[k] for k in facing]
        pixels = _projected(np.concatenate([side.corners for side in seen]), k, camera_from_world)
        if pixels is None or (pixels.max(0) < 0).any() or (pixels.min(0) > image.shape[1::-1]).any():
            continue
        ends = np.cumsum([len(side.corners) for side in seen])
        for side, points in zip(seen, np.split(pixels, ends[:-1])):
            paint_side(image, side, points)


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
    inside = cv2.warpPerspective(
        side.print, warp, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
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
