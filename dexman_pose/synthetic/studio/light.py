"""Light in the studio: a soft key light and a dome of sky, with the shadows each of them casts.

Every light is a direction; what it reaches is read from a depth map rendered from there (Williams 1978). A dozen
lights together give soft contact shadows and darkened corners without tracing a ray.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.studio.colors import FloatImage

_DISTANCE = 4.0  # metres from the scene to a light: far enough to be nearly parallel


@dataclass(frozen=True)
class Lights:
    """Directional lights with their cameras.

    Attributes:
        directions: (L, 3) unit, from the scene to the light, world frame.
        colors: (L, 3) linear RGB irradiance on a surface that faces the light.
        light_from_world: (L, 4, 4) poses of the shadow cameras.
        focal: of the shadow cameras, pixels.
        size: width and height of the shadow maps, pixels.
    """

    directions: Array
    colors: Array
    light_from_world: Array
    focal: float
    size: int

    def project(self, index: int, points: NDArray[np.floating]) -> tuple[FloatImage, FloatImage]:
        """Shadow-map pixels (N, 2) and depths (N,) of world points (N, 3), single precision."""
        m = self.light_from_world[index].astype(np.float32)
        p = points.astype(np.float32, copy=False) @ m[:3, :3].T + m[:3, 3]
        return p[:, :2] * (np.float32(self.focal) / p[:, 2:]) + np.float32((self.size - 1) / 2), p[:, 2]

    @property
    def K(self) -> Array:
        """(3, 3) intrinsics of the shadow cameras."""
        c = (self.size - 1) / 2
        return np.array([[self.focal, 0, c], [0, self.focal, c], [0, 0, 1.0]])


def studio(center: Array, radius: float = 0.34, size: int = 208, *, turn: float = 0.0) -> Lights:
    """A warm window from the upper left, split in four to soften its shadow, and a cool dome of nine.

    Args:
        center: (3,) what the lights look at, world frame (z up), metres.
        radius: metres around it that cast and receive shadows.
        size: of the shadow maps, pixels.
        turn: radians by which all lights are turned about the vertical.
    """
    key = np.array([-0.55, -0.35, 0.95])
    spread = 0.11 * np.array([[0.5, 1, 0], [1, -0.5, 0], [-0.5, -1, 0], [-1, 0.5, 0]])
    directions = [d / np.linalg.norm(d) for d in key + spread]
    colors = [np.array([1.0, 0.96, 0.88]) * 1.0 / 4] * 4
    for elevation, count, strength in ((20.0, 3, 0.075), (48.0, 4, 0.085), (80.0, 2, 0.08)):
        for k in range(count):
            a, e = 2 * np.pi * (k + 0.35 + elevation / 90) / count, np.radians(elevation)
            directions.append(np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)]))
            colors.append(np.array([0.92, 0.97, 1.06]) * strength)
    d = np.array(directions) @ so3_exp(np.array([0.0, 0.0, turn])).T
    focal = 0.5 * size * _DISTANCE / radius
    return Lights(d, np.array(colors), np.stack([_light_pose(v, center) for v in d]), focal, size)


def _light_pose(direction: Array, center: Array) -> Array:
    """Camera transform (4, 4) that looks at ``center`` from ``direction``."""
    z = -direction
    x = np.cross(z, [0.0, 1.0, 0.1])
    x /= np.linalg.norm(x)
    rotation = np.stack([x, np.cross(z, x), z])
    return se3(rotation, -rotation @ (center + _DISTANCE * direction))


def shadow_maps(lights: Lights, solids: list[tuple[Rasterizer, Array]]) -> FloatImage:
    """Depth (L, S, S) of the first surface each light meets; infinite where it meets none.

    Args:
        lights: the lights.
        solids: what casts shadows, with its (4, 4) world_from_object.
    """
    out = np.full((len(lights.directions), lights.size, lights.size), np.inf, np.float32)
    for rasterizer, world_from_object in solids:
        poses = lights.light_from_world @ world_from_object
        seen = rasterizer.render(poses, lights.K, lights.size, lights.size)
        assert seen.depth is not None
        out = np.minimum(out, np.where(seen.mask, seen.depth, np.inf))
    return out


def lit(lights: Lights, maps: FloatImage, points: Array, normals: Array, *, wrap: float = 0.0) -> FloatImage:
    """Irradiance (N, 3) at points with normals, world frame; ``wrap`` lets light creep around (skin does that)."""
    bias = 0.004  # metres a point may lie behind what the light met: about a texel, so that no surface shades itself
    normals = normals.astype(np.float32)
    lifted = points.astype(np.float32) + np.float32(0.002) * normals
    reached = np.zeros((len(lights.directions), len(points)), np.float32)
    for index, direction in enumerate(lights.directions):
        cosine = (normals @ direction.astype(np.float32) + np.float32(wrap)) / np.float32(1 + wrap)
        facing = np.flatnonzero(cosine > 0)
        pixels, depth = lights.project(index, lifted[facing])
        reached[index, facing] = cosine[facing] * _visible(maps[index], pixels, depth - np.float32(bias))
    out: FloatImage = reached.T @ lights.colors.astype(np.float32)
    return out


def _visible(shadow_map: FloatImage, pixels: FloatImage, depth: FloatImage) -> FloatImage:
    """Share (N,) of four neighbouring texels that see the point: bilinear percentage-closer filtering."""
    size = shadow_map.shape[0]
    pixels = np.clip(pixels, 0, np.float32(size - 1.001))
    base = pixels.astype(np.int32)
    fx, fy = (pixels - base.astype(np.float32)).T
    first = base[:, 1] * size + base[:, 0]
    flat = shadow_map.ravel()
    top = (1 - fx) * (flat[first] > depth) + fx * (flat[first + 1] > depth)
    bottom = (1 - fx) * (flat[first + size] > depth) + fx * (flat[first + size + 1] > depth)
    share: FloatImage = (1 - fy) * top + fy * bottom
    return share


class Ground:
    """The table seen by the camera: where each pixel's point lies, and how much light reaches it."""

    def __init__(self, lights: Lights, points: Array) -> None:
        """``points`` (H, W, 3) on the plane z = 0, world frame."""
        self.lights, self.shape = lights, points.shape[:2]
        # Light changes slowly over the table: a quarter of the pixels is enough.
        coarse = points[::2, ::2]
        self._where = [
            lights.project(i, coarse.reshape(-1, 3))[0].reshape(*coarse.shape[:2], 2).astype(np.float32)
            for i in range(len(lights.directions))
        ]

    def irradiance(self, maps: FloatImage) -> FloatImage:
        """(H, W, 3) linear light on the table; everything in the maps stands between it and the light."""
        out = np.zeros((*self._where[0].shape[:2], 3), np.float32)
        for index, where in enumerate(self._where):
            sky = cv2.GaussianBlur(np.isinf(maps[index]).astype(np.float32), (5, 5), 0)
            reached = cv2.remap(
                sky, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=1.0
            )
            color = self.lights.colors[index] * max(self.lights.directions[index][2], 0.0)
            out += reached[..., None] * color.astype(np.float32)
        grown: FloatImage = resize_picture(out, self.shape[::-1], Way.LINEAR)
        return grown
