"""Mesh files into the :class:`Mesh` type, in metres; a unit that is not stated is guessed, and the mesh says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from logging import getLogger
from pathlib import Path

import numpy as np

from dexman_pose.data.files import one_line, single_line
from dexman_pose.data.mesh import Mesh
from dexman_pose.errors import MeshError
from dexman_pose.meshing.formats.gltf import read_gltf
from dexman_pose.meshing.formats.obj import read_obj
from dexman_pose.meshing.formats.off import read_off
from dexman_pose.meshing.formats.ply import read_ply
from dexman_pose.meshing.formats.stl import read_stl
from dexman_pose.meshing.parts import RawMesh, assemble
from dexman_pose.meshing.units import UNITS, detect_unit, hard_to_tell, length_text, settle_unit, unit_in_name

__all__ = [
    "UNITS",
    "detect_unit",
    "load_mesh",
    "load_mesh_with_unit",
    "merge_equal_vertices",
    "mesh_of_raw",
    "read_mesh_file",
]

log = getLogger(__name__)


def load_mesh(path: str | Path, unit: str = "auto") -> Mesh:
    """Read a mesh file (OBJ, PLY, STL, OFF, GLB, GLTF) with its texture or colours.

    The vertices are those of the file, in its order; only where a format has to repeat them (STL, GLB) are
    equal positions merged again. Several materials become one texture.

    Args:
        path: the file; images and materials are looked for beside it.
        unit: ``"m"``, ``"cm"``, ``"mm"``, ``"inch"``, or ``"auto"``: glTF files are in metres by their standard, of
            others it is judged by the size of what hands handle, see
            :func:`~dexman_pose.meshing.units.settle_unit`. ``mesh.unit`` says what was taken, who said so, and which
            other units would do as well.

    Raises:
        MeshError: no such file, another format, damaged or cut short, no faces, NaN, indices out of range, no extent,
            a size that no unit explains, or a stated unit that makes it smaller or larger than anything handled.
    """
    mesh = read_mesh_file(Path(path), unit)
    found, longest = mesh.unit, float(mesh.extents.max())
    if found is not None and found.source == "guessed" and hard_to_tell(longest / UNITS[found.name]):
        per_unit = longest / UNITS[found.name]
        others = ", ".join(f"{name} ({length_text(per_unit * UNITS[name])})" for name in found.others)
        log.warning(
            "%s: its unit is a guess: %s (%s long); it could also be %s; state it",
            path,
            found.name,
            length_text(longest),
            others,
        )
    return mesh


def read_mesh_file(path: Path, unit: str) -> Mesh:
    """As :func:`load_mesh`, for callers that tell of a guessed unit themselves."""
    raw = _read(path)
    mesh = mesh_of_raw(raw, str(path), unit, hint=unit_in_name(path.stem))
    assert mesh.unit is not None
    how = {"given": "stated as", "standard": "by its format in"}.get(mesh.unit.source, "taken for")
    longest = mesh.extents.max() / UNITS[mesh.unit.name]
    log.info("%s: longest side %.4g, %s %s", path, longest, how, mesh.unit.name)
    return mesh


def load_mesh_with_unit(path: str | Path, unit: str = "auto") -> tuple[Mesh, str, bool]:
    """As :func:`load_mesh`; also the name of the unit and whether it was guessed rather than stated or prescribed."""
    mesh = load_mesh(path, unit)
    assert mesh.unit is not None
    return mesh, mesh.unit.name, mesh.unit.source == "guessed"


def mesh_of_raw(raw: RawMesh, what: str, unit: str = "auto", *, hint: str | None = None) -> Mesh:
    """A mesh in metres of what was read, checked, its unit settled.

    Args:
        raw: vertices, faces, colours in the unit of the file.
        what: what messages call it.
        unit: as :func:`load_mesh` has it.
        hint: a unit that the file's name speaks of.

    Raises:
        MeshError: no geometry, or of a size that cannot be.
    """
    _check(raw, what)
    used = raw.vertices[np.unique(np.concatenate([part.faces for part in raw.parts]))]
    size = np.ptp(used, axis=0)
    if np.count_nonzero(size > 0) < 2:
        raise MeshError(f"{what} has no extent: its bounding box is {' x '.join(f'{s:g}' for s in size)}")
    found = settle_unit(float(size.max()), unit, what, standard=raw.standard, hint=hint)
    try:
        with np.errstate(all="ignore"):  # numbers beyond all measure are refused by the mesh
            return replace(assemble(raw, UNITS[found.name]), unit=found)
    except MeshError as error:
        raise MeshError(f"{what}: {error}") from error


def _read(path: Path) -> RawMesh:
    """What the file holds. Whatever a reader raises at damaged bytes ends here, as one line."""
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise MeshError(f"{path} has no supported mesh format; supported are {', '.join(_READERS)}")
    try:
        there = path.is_file()
    except (OSError, ValueError) as error:  # too long a name, a NUL in it
        raise MeshError(f"no mesh file at {str(path)!r}: {one_line(error)}") from error
    if not there:
        raise MeshError(f"no mesh file at {path}")
    try:
        with np.errstate(all="ignore"):
            return _READERS[suffix](path)
    except MeshError as error:
        said = single_line(str(error))  # readers quote what stands in the file, however long
        if said == str(error):
            raise
        raise MeshError(said) from error
    except MemoryError as error:
        raise MeshError(
            f"{path} cannot be read as {suffix[1:].upper()}: it asks for too much memory"
        ) from error
    except Exception as error:
        told = _told(error)
        raise MeshError(f"{path} cannot be read as {suffix[1:].upper()}: {told}") from error


def _told(error: Exception) -> str:
    """What an error of a reader means to somebody who has only the file."""
    if isinstance(error, KeyError):
        return f"it lacks {one_line(error)}"
    if isinstance(error, (TypeError, AttributeError, IndexError, RecursionError, ZeroDivisionError)):
        return f"its content is not built as the format says ({one_line(error)})"
    return one_line(error)


def _check(raw: RawMesh, what: str) -> None:
    if raw.num_faces == 0:
        has = f"{len(raw.vertices)} vertices but no faces: a point cloud is no mesh; make a surface of it"
        raise MeshError(f"{what} has {has if len(raw.vertices) else 'no geometry that can be read'}")
    bad = int((~np.isfinite(raw.vertices)).any(axis=1).sum())
    if bad:
        raise MeshError(f"{what}: {bad} of {len(raw.vertices)} vertices are NaN or infinite; repair it")
    low = min(int(part.faces.min(initial=0)) for part in raw.parts)
    high = max(int(part.faces.max(initial=0)) for part in raw.parts)
    if low < 0 or high >= len(raw.vertices):
        raise MeshError(f"{what}: faces use vertices {low} to {high}, but there are {len(raw.vertices)}")


def _merged(read: Callable[[Path], RawMesh]) -> Callable[[Path], RawMesh]:
    return lambda path: merge_equal_vertices(read(path))


def merge_equal_vertices(raw: RawMesh) -> RawMesh:
    """The same mesh with vertices of exactly equal position merged, in the order of their first appearance.

    Colours of merged vertices that differ stay with the corners of the faces.
    """
    if len(raw.vertices) == 0:
        return raw
    _, first, inverse = np.unique(raw.vertices, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    new_index = np.empty(len(order), dtype=np.int64)
    new_index[order] = np.arange(len(order))
    renumber = new_index[inverse.reshape(-1)]
    if any(part.faces.size and part.faces.max() >= len(renumber) for part in raw.parts):
        return raw  # damaged: the caller's check says how
    parts = [replace(part, faces=renumber[part.faces]) for part in raw.parts]
    return replace(raw, vertices=raw.vertices[first[order]], parts=parts, vertex_colors=None, colored=None)


_READERS: dict[str, Callable[[Path], RawMesh]] = {
    ".obj": read_obj,
    ".ply": read_ply,
    ".off": read_off,
    ".stl": _merged(read_stl),
    ".glb": _merged(read_gltf),
    ".gltf": _merged(read_gltf),
}
