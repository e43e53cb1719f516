"""The same rasterisation by PyTorch3D, where a user has installed it: a second opinion on speed."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from dexman_pose.benchmarks.speed.fastest import fastest_in_turns
from dexman_pose.data.mesh import Mesh
from dexman_pose.render.rasterizer import Rasterizer


def bench_pytorch3d(
    mesh: Mesh, size: int = 128, repeats: int = 10, device: str = "cpu"
) -> tuple[float, float] | None:
    """Time one square image by this rasteriser and by PyTorch3D's, taking turns, both warmed up before.

    Both give depth of the same mesh at the same pose and focal length, once per call; poses on both sides go in as
    arrays already in place.

    Args:
        mesh: metres, around the origin.
        size: side of the image in pixels.
        repeats: counted calls of each; the fastest counts.
        device: ``cpu`` or a CUDA device, for both.

    Returns:
        Seconds of this rasteriser and of PyTorch3D, or None when PyTorch3D cannot be imported.
    """
    try:
        importlib.import_module("pytorch3d.renderer")
    except ImportError:
        return None
    rasterizer = Rasterizer(mesh, device)
    focal, distance = 1.7 * size, 0.5
    k = np.array([[focal, 0.0, (size - 1) / 2], [0.0, focal, (size - 1) / 2], [0.0, 0.0, 1.0]])
    pose = np.eye(4)[None]
    pose[:, 2, 3] = distance
    peer = _pytorch3d(mesh, size, focal, distance, device)
    both = (lambda: rasterizer.render(pose, k, size, size), peer)
    own, other = fastest_in_turns(both, repeats)
    return own, other


def bench_pytorch3d_gradient(
    mesh: Mesh, size: int = 128, repeats: int = 10, device: str = "cpu"
) -> tuple[float, float] | None:
    """Time one square image and the gradient of its silhouette, by ``render`` and by PyTorch3D's soft rasteriser.

    Arguments are those of :func:`bench_pytorch3d`.

    Returns:
        Seconds, forward and backward together, of ``render`` and of PyTorch3D, or None when PyTorch3D cannot be
        imported.
    """
    try:
        importlib.import_module("pytorch3d.renderer")
    except ImportError:
        return None
    from dexman_pose.benchmarks.speed.gradients import time_gradient
    from dexman_pose.render.functional import render
    from dexman_pose.render.pytorch3d_backend import render_pytorch3d

    own, peer = (
        time_gradient(r, mesh, size, size, 1, ("mask",), device=device, repeats=repeats)
        for r in (render, render_pytorch3d)
    )
    return 1e-3 * (own.forward + own.backward), 1e-3 * (peer.forward + peer.backward)


def _pytorch3d(mesh: Mesh, size: int, focal: float, distance: float, device: str) -> Any:
    """A function that rasterises once with PyTorch3D and waits for the result."""
    import torch

    renderer: Any = importlib.import_module("pytorch3d.renderer")
    structures: Any = importlib.import_module("pytorch3d.structures")
    vertices = torch.tensor(mesh.vertices, dtype=torch.float32, device=device)
    faces = torch.tensor(mesh.faces.astype(np.int64), device=device)
    meshes = structures.Meshes([vertices], [faces])
    # PyTorch3D's camera has +x left and +y up; a sphere around the axis looks the same in both.
    cameras = renderer.PerspectiveCameras(
        focal_length=((focal, focal),),
        principal_point=((size / 2, size / 2),),
        T=torch.tensor([[0.0, 0.0, distance]]),
        image_size=((size, size),),
        in_ndc=False,
        device=device,
    )
    settings = renderer.RasterizationSettings(image_size=size, blur_radius=0.0, faces_per_pixel=1)
    rasterize = renderer.MeshRasterizer(cameras=cameras, raster_settings=settings)

    def work() -> Any:
        with torch.no_grad():
            return rasterize(meshes).zbuf.cpu()

    return work
