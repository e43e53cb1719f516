"""The rasteriser's plain twin: every pixel's ray against every face in float64. Slow, and meant to be read.

It shares no code and no method with the kernels: there is no projection of vertices, no clipping and no fill rule,
only rays and planes. Tests compare the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from dexman_pose.data.mesh import Mesh
from dexman_pose.render import _inputs


@dataclass(frozen=True)
class ReferenceRendering:
    """What the plain twin sees.

    Attributes:
        mask: (B, H, W) bool.
        depth: (B, H, W) float64 metres, 0 where the mask is False.
        face_id: (B, H, W) int64, -1 where the mask is False.
        barycentric: (B, H, W, 3) float64.
        borderline: (B, H, W) bool, True where the pixel centre lies so close to an edge, or to the near plane,
            that rounding may decide either way.
    """

    mask: NDArray[np.bool_]
    depth: NDArray[np.float64]
    face_id: NDArray[np.int64]
    barycentric: NDArray[np.float64]
    borderline: NDArray[np.bool_]


def render_reference(
    mesh: Mesh,
    camera_from_object: ArrayLike,
    K: ArrayLike,
    width: int,
    height: int,
    *,
    near: float = 0.01,
    tolerance: float = 1e-4,
) -> ReferenceRendering:
    """Render by brute force; arguments as for :meth:`dexman_pose.render.Rasterizer.render`.

    Args:
        mesh: the mesh, metres.
        camera_from_object: (B, 4, 4) or (4, 4).
        K: (3, 3) or (B, 3, 3).
        width: image width in pixels.
        height: image height in pixels.
        near: near plane in metres.
        tolerance: pixels from an edge within which a pixel counts as borderline.
    """
    poses = _inputs.poses(camera_from_object)
    intrinsics = _inputs.intrinsics(K, len(poses))
    images = [
        _render_one(
            mesh, torch.from_numpy(pose), torch.tensor(k), width, height, near=near, tolerance=tolerance
        )
        for pose, k in zip(poses, intrinsics)
    ]
    mask, depth, face, weights, borderline = (torch.stack(parts).numpy() for parts in zip(*images))
    return ReferenceRendering(mask, depth, face, weights, borderline)


def _render_one(
    mesh: Mesh, pose: torch.Tensor, k: torch.Tensor, width: int, height: int, *, near: float, tolerance: float
) -> tuple[torch.Tensor, ...]:
    """One image: the nearest hit over all faces, taken one after the other."""
    points = torch.from_numpy(mesh.vertices) @ pose[:3, :3].T + pose[:3, 3]
    v, u = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    pixels = torch.stack([u, v, torch.ones_like(u)], -1).to(torch.float64)
    depth = torch.full((height, width), torch.inf, dtype=torch.float64)
    face_id = torch.full((height, width), -1)
    weights = torch.zeros((height, width, 3), dtype=torch.float64)
    borderline = torch.zeros((height, width), dtype=torch.bool)
    for index, corners in enumerate(points[torch.from_numpy(mesh.faces).long()]):
        z, bary, hit, close = _intersect(corners, k, pixels, near, tolerance)
        closer = hit & (z < depth)
        depth[closer] = z[closer]
        weights[closer] = bary[closer]
        face_id[closer] = index
        borderline |= close
    mask = face_id >= 0
    return mask, torch.where(mask, depth, 0.0), face_id, weights, borderline


def _intersect(
    corners: torch.Tensor, k: torch.Tensor, pixels: torch.Tensor, near: float, tolerance: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Depth, weights, hit and borderline of every pixel's ray with one face.

    The plane through the eye and an edge cuts the image in the edge's line; the ray passes inside all three such
    planes where it hits the face. The weight of a corner is the volume the ray spans with the opposite edge.
    """
    homogeneous = corners @ k.T
    lines = torch.linalg.cross(homogeneous[[1, 2, 0]], homogeneous[[2, 0, 1]])
    volumes = pixels @ lines.T
    total = volumes.sum(-1, keepdim=True)
    safe = torch.where(total == 0.0, 1.0, total)
    bary = volumes / safe
    z = torch.einsum("hwi,i->hw", bary, corners[:, 2])
    solid = total[..., 0] != 0.0
    hit = solid & (bary >= 0.0).all(-1) & (z >= near)
    # Signed distance in pixels to each edge's line, positive inside.
    distance = volumes * torch.sign(safe) / torch.hypot(lines[:, 0], lines[:, 1]).clamp_min(1e-300)
    touched = (distance > -tolerance).all(-1) & ~(distance > tolerance).all(-1) & (z > 0.0)
    at_near = (distance > -tolerance).all(-1) & ((z - near).abs() < 1e-6 * near)
    return z, bary, hit, touched | at_near
