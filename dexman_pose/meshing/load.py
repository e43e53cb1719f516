"""Mesh files into the :class:`Mesh` type, in metres; a unit that is not stated is found from the size."""

from __future__ import annotations

from collections.abc import Callable
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.mesh import Mesh
from dexman_pose.errors import MeshError
from dexman_pose.meshing.obj_file import read_obj
from dexman_pose.meshing.parts import Part, RawMesh, assemble, rgb_array

log = getLogger(__name__)

UNITS: dict[str, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254}
"""Metres of one unit of length."""


def load_mesh(path: str | Path, unit: str = "auto") -> Mesh:
    """Read a mesh file (OBJ, PLY, STL, OFF, GLB, GLTF) with its texture or colours.

    The vertices are those of the file, in its order; only where a format has to repeat them (STL, GLB) are
    equal positions merged again. Several materials become one texture.

    Args:
        path: the file; images and materials are looked for beside it.
        unit: ``"m"``, ``"cm"``, ``"mm"``, ``"inch"``, or ``"auto"``: see :func:`detect_unit`. What was found
            is logged; :func:`load_mesh_with_unit` also returns it.

    Raises:
        MeshError: no such file, another format, no faces, NaN, indices out of range, no extent, or a size that
            no unit explains.
    """
    return load_mesh_with_unit(path, unit)[0]


def load_mesh_with_unit(path: str | Path, unit: str = "auto") -> tuple[Mesh, str, bool]:
    """As :func:`load_mesh`; also the name of the unit and whether it was detected rather than stated."""
    path = Path(path)
    if unit != "auto" and unit not in UNITS:
        raise MeshError(f"mesh unit must be auto, {', '.join(UNITS)}, but got {unit!r}")
    raw = _read(path)
    _check(raw, path)
    used = raw.vertices[np.unique(np.concatenate([part.faces for part in raw.parts]))]
    size = np.ptp(used, axis=0)
    if np.count_nonzero(size > 0) < 2:
        raise MeshError(f"{path} has no extent: its bounding box is {' x '.join(f'{s:g}' for s in size)}")
    name = detect_unit(float(size.max()), str(path)) if unit == "auto" else unit
    try:
        mesh = assemble(raw, UNITS[name])
    except MeshError as error:
        raise MeshError(f"{path}: {error}") from error
    how = "taken for" if unit == "auto" else "stated as"
    log.info("%s: longest side %.4g, %s %s", path, size.max(), how, name)
    return mesh, name, unit == "auto"


def detect_unit(longest: float, what: str = "the mesh") -> str:
    """The unit that makes the longest side of a handled object plausible, 1 cm to 1.5 m.

    Metres from 0.01 to 1.5, centimetres above that up to 10, millimetres from 10 to 1500. Between 10 and 150
    both centimetres and millimetres would do: millimetres are taken, as CAD programs and the BOP datasets write
    them. A mesh normalised to a box of size 1 passes for 1 m, one of size 2 for 2 cm: its scale is not known.

    Raises:
        MeshError: smaller than 0.01 or larger than 1500.
    """
    if 0.01 <= longest <= 1.5:
        return "m"
    if 1.5 < longest < 10.0:
        return "cm"
    if 10.0 <= longest <= 1500.0:
        return "mm"
    raise MeshError(
        f"the longest side of {what} is {longest:g}, which is no handled object in metres, centimetres or "
        f"millimetres; state its unit: {', '.join(UNITS)}"
    )


def _read(path: Path) -> RawMesh:
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise MeshError(f"{path} has no supported mesh format; supported are {', '.join(_READERS)}")
    if not path.is_file():
        raise MeshError(f"no mesh file at {path}")
    return _READERS[suffix](path)


def _check(raw: RawMesh, path: Path) -> None:
    if raw.num_faces == 0:
        what = f"{len(raw.vertices)} vertices but no faces: a point cloud is no mesh; make a surface of it"
        raise MeshError(f"{path} has {what if len(raw.vertices) else 'no geometry that can be read'}")
    bad = int((~np.isfinite(raw.vertices)).any(axis=1).sum())
    if bad:
        raise MeshError(f"{path}: {bad} of {len(raw.vertices)} vertices are NaN or infinite; repair it")
    low = min(int(part.faces.min(initial=0)) for part in raw.parts)
    high = max(int(part.faces.max(initial=0)) for part in raw.parts)
    if low < 0 or high >= len(raw.vertices):
        raise MeshError(f"{path}: faces use vertices {low} to {high}, but there are {len(raw.vertices)}")


def _read_trimesh(path: Path) -> RawMesh:
    """Any format trimesh reads, its scene put together in the scene's frame."""
    import trimesh

    try:
        loaded: Any = trimesh.load(str(path), process=False, maintain_order=True)
    except Exception as error:  # its readers raise whatever the damaged bytes lead them to
        raise MeshError(f"{path} cannot be read as {path.suffix[1:].upper()}: {error}") from error
    return _raw_of(loaded)


def mesh_of_trimesh(loaded: Any) -> Mesh:
    """A mesh or scene of trimesh in metres."""
    raw = _raw_of(loaded)
    _check(raw, Path(type(loaded).__name__))
    return assemble(raw, 1.0)


def _raw_of(loaded: Any) -> RawMesh:
    import trimesh

    pieces = loaded.dump() if isinstance(loaded, trimesh.Scene) else [loaded]
    meshes = [piece for piece in pieces if isinstance(piece, trimesh.Trimesh)]
    if not meshes:
        points = sum(len(getattr(piece, "vertices", ())) for piece in pieces)
        return RawMesh(np.zeros((points, 3)))
    starts = np.cumsum([0] + [len(m.vertices) for m in meshes])
    parts = [_part_of(m, int(start)) for m, start in zip(meshes, starts)]
    vertices = np.concatenate([np.asarray(m.vertices, dtype=np.float64) for m in meshes])
    return RawMesh(vertices, parts, _colors_of(meshes))


def _part_of(mesh: Any, start: int) -> Part:
    faces = np.asarray(mesh.faces, dtype=np.int64)
    part = Part(faces + start)
    material = getattr(mesh.visual, "material", None)
    image = getattr(material, "image", None) or getattr(material, "baseColorTexture", None)
    uv = getattr(mesh.visual, "uv", None)
    if image is not None and uv is not None and len(uv) == len(mesh.vertices):
        part.image, part.uv = rgb_array(image), np.asarray(uv, dtype=np.float64)[faces]
    elif material is not None:
        r, g, b = (int(x) for x in np.asarray(material.main_color)[:3])
        part.color = (r, g, b)
    return part


def _colors_of(meshes: list[Any]) -> NDArray[np.uint8] | None:
    """Vertex colours when every piece has its own."""
    if any(getattr(m.visual, "kind", None) not in ("vertex", "face") for m in meshes):
        return None
    return np.concatenate([np.asarray(m.visual.vertex_colors)[:, :3] for m in meshes]).astype(np.uint8)


def _read_merged(path: Path) -> RawMesh:
    return merge_equal_vertices(_read_trimesh(path))


def merge_equal_vertices(raw: RawMesh) -> RawMesh:
    """The same mesh with vertices of exactly equal position merged, in the order of their first appearance."""
    if len(raw.vertices) == 0:
        return raw
    _, first, inverse = np.unique(raw.vertices, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    new_index = np.empty(len(order), dtype=np.int64)
    new_index[order] = np.arange(len(order))
    renumber = new_index[inverse.reshape(-1)]
    if any(part.faces.size and part.faces.max() >= len(renumber) for part in raw.parts):
        return raw  # damaged: the caller's check says how
    parts = [Part(renumber[part.faces], part.uv, part.image, part.color) for part in raw.parts]
    kept = first[order]
    colors = None if raw.vertex_colors is None else raw.vertex_colors[kept]
    return RawMesh(raw.vertices[kept], parts, colors)


_READERS: dict[str, Callable[[Path], RawMesh]] = {
    ".obj": read_obj,
    ".ply": _read_trimesh,
    ".off": _read_trimesh,
    ".stl": _read_merged,
    ".glb": _read_merged,
    ".gltf": _read_merged,
}
