"""What stands behind objects and hands: a table, painted once for a camera that does not move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.geometry.se3 import inverse
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.synthetic.studio.colors import FloatImage, linear

SAMPLES = 3
"""Samples per pixel and side when a backdrop is painted: far boards are thinner than a pixel."""


@dataclass(frozen=True)
class Backdrop:
    """The picture of a scene without what moves.

    Attributes:
        albedo: (H, W, 3) linear colours, to be multiplied by the light on a level surface.
        depth: (H, W) metres.
        points: (H, W, 3) on the plane z = 0 of the world, where shadows fall; far away for what is not on the table.
    """

    albedo: FloatImage
    depth: FloatImage
    points: Array


def wooden_table(camera: Camera, camera_from_world: Array) -> Backdrop:
    """A table of boards without an end, z = 0."""
    points = table_points(camera, camera_from_world)
    depth = (points @ camera_from_world[2, :3] + camera_from_world[2, 3]).astype(np.float32)
    fine = finer(camera)
    color = linear(wood(table_points(fine, camera_from_world)))
    return Backdrop(resize_picture(color, (camera.width, camera.height), Way.AREA), depth, points)


def finer(camera: Camera) -> Camera:
    """The camera with :data:`SAMPLES` pixels for each."""
    return camera.cropped(0, 0, camera.width * SAMPLES, camera.height * SAMPLES, SAMPLES)


def pixel_rays(camera: Camera, camera_from_world: Array) -> tuple[Array, Array]:
    """The camera's place (3,) and the directions (H, W, 3) of its pixels, world frame, of depth 1."""
    v, u = np.mgrid[0 : camera.height, 0 : camera.width].astype(np.float64)
    rays = camera.unproject(np.stack([u, v], -1), np.ones_like(u))
    world_from_camera = inverse(camera_from_world)
    return world_from_camera[:3, 3], rays @ world_from_camera[:3, :3].T


def table_points(camera: Camera, camera_from_world: Array) -> Array:
    """(H, W, 3) world points of the table (z = 0) seen by each pixel."""
    eye, direction = pixel_rays(camera, camera_from_world)
    out: Array = eye - direction * (eye[2] / direction[..., 2:])
    return out


def wood(points: Array) -> Array:
    """Colour (H, W, 3) in 0..1 of a table of grey-brown boards at table points (H, W, 3)."""
    x, y = points[..., 0], points[..., 1]
    board = np.floor((y + 0.043) / 0.115)
    shift = np.modf(np.abs(np.sin(board * 12.9898) * 43758.5453))[0]
    along, across = x + shift * 3.0, y + 0.006 * np.sin(5.0 * x + 9 * shift)
    ring = across * 190 + 2.2 * np.sin(along * 6.3 + shift * 7) + 0.9 * np.sin(along * 17 + across * 40)
    grain = 0.5 + 0.5 * np.sin(ring + 0.8 * np.sin(2.3 * ring))
    fine = np.sin(across * 1900 + 3 * np.sin(along * 25)) * np.sin(along * 60 + across * 300)
    base = np.array([0.585, 0.535, 0.480]) * (0.955 + 0.09 * shift[..., None])
    color = base * (1.0 - 0.07 * grain[..., None] * np.array([0.85, 1.0, 1.15]) + 0.012 * fine[..., None])
    gap = np.abs(np.modf(np.abs((y + 0.043) / 0.115))[0] - 0.5) > 0.492
    out: Array = np.where(gap[..., None], color * 0.7, color)
    return out
