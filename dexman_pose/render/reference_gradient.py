"""The differentiable renderer's plain twin: torch operations and torch's own derivatives. Slow, meant to be read.

It shares no code with the kernels. Depth is where a pixel's ray meets the plane of the face it shows, weights are areas
on that face, and the mask is found by intersecting every edge of the mesh with every segment between a covered pixel
and an uncovered neighbour.
"""

from __future__ import annotations

import torch

from dexman_pose.data.mesh import Mesh
from dexman_pose.render.reference import render_reference

Tensor = torch.Tensor


def render_reference_gradient(
    mesh: Mesh,
    pose: Tensor,
    vertices: Tensor,
    K: Tensor,
    width: int,
    height: int,
    colors: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One image: mask, depth, normal and colour, differentiable in all tensors, float64.

    Args:
        mesh: its faces.
        pose: (4, 4) camera from object.
        vertices: (V, 3) in place of the mesh's, all in front of the camera.
        K: (3, 3).
        width: pixels.
        height: pixels.
        colors: (V, 3) in 0..1; grey without.

    Returns:
        (H, W) mask, (H, W) depth, (H, W, 3) normal, (H, W, 3) colour, as
        :func:`dexman_pose.render.render` defines them.
    """
    moved = Mesh(vertices.detach().numpy(), mesh.faces)
    seen = render_reference(moved, pose.detach().numpy(), K.detach().numpy(), width, height)
    points = vertices @ pose[:3, :3].T + pose[:3, 3]
    face_id = torch.from_numpy(seen.face_id[0])
    depth, normal, color = _values(points, torch.from_numpy(mesh.faces).long(), face_id, K, colors)
    image = points @ K.T
    mask = _mask(image[:, :2] / image[:, 2:], torch.from_numpy(mesh.faces).long(), face_id >= 0)
    return mask, depth, normal, color


def _values(
    points: Tensor, faces: Tensor, face_id: Tensor, k: Tensor, colors: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Depth, normal and colour where a face is seen, zero elsewhere."""
    v, u = torch.nonzero(face_id >= 0, as_tuple=True)
    corners = faces[face_id[v, u]]
    a, b, c = (points[corners[:, i]] for i in range(3))
    pixels = torch.stack([u, v, torch.ones_like(u)], -1).to(points.dtype)
    rays = torch.linalg.solve(k, pixels.T).T
    n = torch.linalg.cross(b - a, c - a)
    z = (n * a).sum(-1) / (n * rays).sum(-1)
    hit = rays * z[:, None]
    area = (n * n).sum(-1)
    parts = [(torch.linalg.cross(q - hit, r - hit) * n).sum(-1) / area for q, r in ((b, c), (c, a), (a, b))]
    unit = n / area.sqrt()[:, None]
    facing = torch.where((unit * rays).sum(-1, keepdim=True) > 0, -unit, unit)
    rgb = torch.full_like(n, 0.5)
    if colors is not None:
        rgb = sum((part[:, None] * colors[corners[:, i]] for i, part in enumerate(parts)), torch.zeros(()))
    empty = torch.zeros((*face_id.shape, 3), dtype=points.dtype)
    where = (v, u)
    return empty[..., 0].index_put(where, z), empty.index_put(where, facing), empty.index_put(where, rgb)


def _mask(positions: Tensor, faces: Tensor, covered: Tensor) -> Tensor:
    """The antialiased mask from projected vertices (V, 2) and the covered pixels."""
    edges = torch.unique(torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).sort(1)[0], dim=0)
    mask = covered.to(positions.dtype)
    for axis in (0, 1):
        for step in (1, -1):
            mask = mask + _shares(positions, edges, covered, axis, step)
    return mask.clamp(0.0, 1.0)


def _shares(positions: Tensor, edges: Tensor, covered: Tensor, axis: int, step: int) -> Tensor:
    """What the pairs of a covered pixel and its uncovered neighbour ``step`` along x (axis 0) or y (1) add."""
    shifted = torch.roll(covered, -step, 1 - axis)
    inside = torch.ones_like(covered)
    inside.select(1 - axis, -1 if step > 0 else 0).fill_(False)  # no neighbour beyond the image
    v, u = torch.nonzero(covered & ~shifted & inside, as_tuple=True)
    out = torch.zeros_like(covered, dtype=positions.dtype)
    if len(v) == 0:
        return out
    along, line = (u, v) if axis == 0 else (v, u)
    with torch.no_grad():
        # Pairs by edges: the farthest from the covered pixel of the edges that cross between the two.
        t, s, _ = _crossing(positions, edges[None], along[:, None], line[:, None], axis, step)
        crosses = (s >= 0) & (s <= 1) & (t >= 0) & (t <= 1)
        outermost, edge = torch.where(crosses, t, -1.0).max(1)
        found = outermost >= 0
    t, _, w = _crossing(positions, edges[edge[found]], along[found], line[found], axis, step)
    goes_out = (t >= 0.5).long() * step
    to_u = u[found] + (goes_out if axis == 0 else 0)
    to_v = v[found] + (goes_out if axis == 1 else 0)
    return out.index_put((to_v, to_u), w * (t - 0.5), accumulate=True)


def _crossing(
    positions: Tensor, edges: Tensor, along: Tensor, line: Tensor, axis: int, step: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Where edges meet the pixels' lines: on the segment, on the edge (both 0 to 1 inside), and the pair's weight."""
    start, end = positions[edges[..., 0]], positions[edges[..., 1]]
    extent = end - start
    s = (line - start[..., 1 - axis]) / extent[..., 1 - axis]
    t = step * (start[..., axis] + s * extent[..., axis] - along)
    return t, s, extent[..., 1 - axis] ** 2 / (extent**2).sum(-1)
