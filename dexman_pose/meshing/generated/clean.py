"""A generated mesh made fit for use: its largest parts, closed, of bearable size, upright as given, centred."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import trimesh

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Mesh
from dexman_pose.errors import MeshError
from dexman_pose.meshing.bake import baked
from dexman_pose.meshing.closed_shape import closed_shape
from dexman_pose.meshing.colors import Bytes
from dexman_pose.meshing.generated.holes import filled, joined
from dexman_pose.meshing.simplify import simplified


@dataclass(frozen=True)
class CleanOptions:
    """What is kept of a generated mesh.

    Attributes:
        crumb: parts with less than this share of the largest part's area are dropped.
        faces: a mesh with more is made coarser.
        cells: grid cells along its longest side in which vertices are then merged.
        gap: share of the longest side up to which gaps are closed where the surface is open.
        side: longest side that a mesh without a size gets, metres: that of handled things.
    """

    crumb: float = 0.02
    faces: int = 20000
    cells: int = 80
    gap: float = 0.03
    side: float = 0.1


_DEFAULTS = CleanOptions()


def cleaned(mesh: Mesh, source: str, *, metric: bool, options: CleanOptions = _DEFAULTS) -> Mesh:
    """The mesh closed, without crumbs, at most as fine as wanted, textured, centred.

    Args:
        mesh: as it was made.
        source: what made it; becomes ``mesh.source``.
        metric: whether its size is true; else its longest side becomes that of handled things.
        options: settings.

    Raises:
        MeshError: nothing of it is left: no faces, or no area.
    """
    whole = without_crumbs(mesh, options.crumb)
    if not metric:
        whole = whole.scaled(options.side / float(whole.extents.max()))
    fine = colored(whole)
    body = whole
    if not is_closed(whole) or len(whole.faces) > options.faces:
        body = _closed(joined(fine), options)
        if fine.vertex_colors is not None:
            body = baked(body, replace(fine, uv=None, texture=None, seen=None))
    offset = np.eye(4)
    offset[:3, 3] = -body.center
    return replace(body.moved(offset), source=source, unit=None)


def _closed(mesh: Mesh, options: CleanOptions) -> Mesh:
    """A closed shape, without colours, at most as fine as wanted where that does not open it."""
    whole = filled(mesh)
    if not is_closed(whole):  # faces that lie in each other, or walls without an inside
        whole = closed_shape(whole, options.gap)
    coarse = simplified(whole, options.cells, options.faces)
    body = coarse if is_closed(coarse) else whole
    return Mesh(body.vertices, body.faces)


def without_crumbs(mesh: Mesh, least: float) -> Mesh:
    """The mesh without parts that are small beside its largest one.

    Raises:
        MeshError: its surface has no area.
    """
    joined = _joined(mesh)
    pieces = trimesh.graph.connected_component_labels(joined.face_adjacency, node_count=len(joined.faces))
    area = np.bincount(pieces, weights=joined.area_faces)
    if area.max(initial=0.0) <= 0:
        raise MeshError("the mesh that was made has no surface")
    return kept_faces(mesh, (area >= least * area.max())[pieces])


def kept_faces(mesh: Mesh, kept: Bools) -> Mesh:
    """The mesh with some of its faces (F,) alone; vertices that none of them uses are dropped."""
    if kept.all():
        return mesh
    faces = mesh.faces[kept]
    used, index = np.unique(faces, return_inverse=True)
    return replace(
        mesh,
        vertices=mesh.vertices[used],
        faces=index.reshape(-1, 3).astype(np.int32),
        uv=None if mesh.uv is None else mesh.uv[kept],
        vertex_colors=None if mesh.vertex_colors is None else mesh.vertex_colors[used],
        seen=None if mesh.seen is None else mesh.seen[kept],
    )


def is_closed(mesh: Mesh) -> bool:
    """Whether every edge has two faces, where vertices in one place are one."""
    return bool(_joined(mesh).is_watertight)


def colored(mesh: Mesh) -> Mesh:
    """The mesh with vertex colours; those of a texture are read at the corners of faces and averaged."""
    if mesh.vertex_colors is not None or mesh.texture is None or mesh.uv is None:
        return mesh
    corners = texture_at(mesh.texture, mesh.uv.reshape(-1, 2).astype(np.float64)).astype(float)
    index = mesh.faces.reshape(-1)
    count = np.maximum(np.bincount(index, minlength=len(mesh.vertices)), 1)
    sums = np.stack([np.bincount(index, corners[:, i], len(mesh.vertices)) for i in range(3)], 1)
    colors = np.rint(sums / count[:, None]).astype(np.uint8)
    return replace(mesh, uv=None, texture=None, vertex_colors=colors)


def texture_at(texture: Bytes, uv: Array) -> Bytes:
    """(N, 3) colours of the pixels at texture coordinates (N, 2), (0, 0) at the bottom left."""
    height, width = texture.shape[:2]
    x = np.clip((uv[:, 0] * width).astype(int), 0, width - 1)
    y = np.clip(((1.0 - uv[:, 1]) * height).astype(int), 0, height - 1)
    return texture[y, x]


def _joined(mesh: Mesh) -> trimesh.Trimesh:
    """Shape alone, vertices in one place merged, faces in the same order."""
    scale = max(float(mesh.extents.max()), 1e-12)
    _, first, index = np.unique(
        np.round(mesh.vertices / (1e-7 * scale)), axis=0, return_index=True, return_inverse=True
    )
    return trimesh.Trimesh(mesh.vertices[first], index.reshape(-1)[mesh.faces], process=False)
