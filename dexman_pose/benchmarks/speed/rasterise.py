"""How long the rasteriser takes, in milliseconds per image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.benchmarks.speed.fastest import fastest
from dexman_pose.data.mesh import Mesh
from dexman_pose.render.rasterizer import Rasterizer


@dataclass(frozen=True)
class RasterTiming:
    """One measurement.

    Attributes:
        width: image width in pixels.
        height: image height in pixels.
        faces: faces of the mesh.
        batch: images per call.
        attributes: what was rendered.
        milliseconds: the fastest of the repeated calls, per image, everything from pose to numpy arrays.
    """

    width: int
    height: int
    faces: int
    batch: int
    attributes: tuple[str, ...]
    milliseconds: float


def bench_rasterizer(device: str = "cpu", repeats: int = 10) -> list[RasterTiming]:
    """Time an icosphere that fills most of the image: 5,120 faces, 128x128 and 640x480, single and batched.

    The kernels are compiled, or loaded from Warp's cache, before the clock starts.
    """
    rasterizer = Rasterizer(icosphere(4, 0.1), device)
    everything = ("depth", "face_id", "barycentric", "normal", "color")
    cases = [
        (128, 128, 1, ("depth",)),
        (128, 128, 64, ("depth",)),
        (128, 128, 64, everything),
        (640, 480, 1, ("depth",)),
        (640, 480, 8, ("depth",)),
        (640, 480, 8, everything),
    ]
    return [_time(rasterizer, *case, repeats=repeats) for case in cases]


def icosphere(subdivisions: int, radius: float) -> Mesh:
    """A sphere of 20 * 4**subdivisions faces around the origin, radius in metres."""
    import trimesh

    sphere = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return Mesh(np.asarray(sphere.vertices), np.asarray(sphere.faces))


def _time(
    rasterizer: Rasterizer, width: int, height: int, batch: int, attributes: tuple[str, ...], *, repeats: int
) -> RasterTiming:
    focal = 1.7 * min(width, height)
    k = np.array([[focal, 0.0, (width - 1) / 2], [0.0, focal, (height - 1) / 2], [0.0, 0.0, 1.0]])
    poses = np.tile(np.eye(4), (batch, 1, 1))
    poses[:, 2, 3] = 0.5
    seconds = fastest(lambda: rasterizer.render(poses, k, width, height, attributes=attributes), repeats)
    return RasterTiming(width, height, len(rasterizer.mesh.faces), batch, attributes, 1e3 * seconds / batch)
