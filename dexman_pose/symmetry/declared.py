"""Which turns leave a dataset's object as it is: declared in a small file that people review, or detected.

A file holds entries by dataset and object number; ``eval/symmetries/taco.yaml`` explains its form. An entry holds for
the mesh it was reviewed with: a mesh with another number of vertices, or one that the declared turns do not bring
onto itself, is refused rather than scored too kindly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.data.files import read_yaml
from dexman_pose.errors import InputError
from dexman_pose.geometry import SymmetryGroup, inverse, se3, so3_exp
from dexman_pose.geometry.symmetry_generation import generate_symmetry
from dexman_pose.symmetry.options import DECLARED

Key = tuple[str, str]  # dataset, object number

SOURCES = ("declared", "detected", "none")
"""Where a symmetry is known from."""

MISFIT = 0.05
"""Share of the diameter by which a declared turn may miss the surface at 9 of 10 points."""

_FIELDS = ("axes", "turns", "sphere", "none", "note", "reviewer", "vertices", "sha256")
_NAMED = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
_MOST_TURNS = 60
_NO_LENGTH = 1e-6


@dataclass(frozen=True)
class DeclaredSymmetry:
    """A reviewed entry.

    Attributes:
        group: the symmetries, in the frame of the mesh, metres.
        note: what the reviewer saw.
        reviewer: who looked.
        vertices: number of vertices of the mesh that was looked at, or None where the file gives its hash alone.
        sha256: hash of the mesh file, or "".
    """

    group: SymmetryGroup
    note: str
    reviewer: str
    vertices: int | None = None
    sha256: str = ""


Declared = Mapping[Key, DeclaredSymmetry]


def load_symmetries(path: str | Path) -> dict[Key, DeclaredSymmetry]:
    """The entries of a symmetry file.

    Args:
        path: the file, or the name of one that comes with the package, such as ``taco`` or ``taco.yaml``.

    Raises:
        InputError: no such file, or an entry that is wrong; the message names file, object and what is wrong.
    """
    path = _found(Path(path))
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise InputError(f"{path} must map a dataset to its objects, but holds a {type(content).__name__}")
    out: dict[Key, DeclaredSymmetry] = {}
    for dataset, entries in content.items():
        if not isinstance(entries, dict):
            raise InputError(f"{path}: {dataset} must map object numbers to entries; an empty one is {{}}")
        for number, entry in entries.items():
            if not isinstance(number, str):
                raise InputError(f"{path}: {dataset}: put the object number {number} in quotes, it is text")
            try:
                out[(str(dataset), number)] = _declared(entry)
            except InputError as error:
                raise InputError(f"{path}: {dataset} {number!r}: {error}") from error
    return out


def symmetry_of(
    dataset: str,
    object_id: str,
    mesh: Mesh,
    declared: Declared | None = None,
    detect: bool = True,
    *,
    sha256: str = "",
    use_color: bool = True,
) -> tuple[SymmetryGroup, str]:
    """The symmetry of an object, and where it is known from: one of :data:`SOURCES`.

    Args:
        dataset: e.g. ``"taco"``.
        object_id: the dataset's number of the object.
        mesh: metres.
        declared: entries of :func:`load_symmetries`; they go before what is detected.
        detect: look for symmetries of the mesh where none are declared; else it has none.
        sha256: hash of the mesh's file, compared with the entry's where both are known.
        use_color: detected symmetries must keep texture or colours too, where the mesh has them.

    Raises:
        InputError: the declared entry is for another mesh, or its turns do not bring this one onto itself.
    """
    entry = (declared or {}).get((dataset, object_id))
    if entry is not None:
        _check_mesh(entry, mesh, sha256, f"the declared symmetry of {dataset} {object_id}")
        return entry.group, "declared"
    if not detect:
        return SymmetryGroup.trivial(), "none"
    from dexman_pose.symmetry import cache as symmetry_cache

    find = symmetry_cache.symmetry_of if use_color else symmetry_cache.shape_symmetry_of
    return find(mesh), "detected"


def misfit(group: SymmetryGroup, mesh: Mesh) -> float:
    """How badly a group fits a mesh: of its worst turn, how far 9 of 10 points of the surface come to lie from the
    surface at most, as a share of the diameter."""
    from dexman_pose.symmetry.surface import sample_surface

    if group.is_trivial:
        return 0.0
    surface = sample_surface(mesh, count=DECLARED.samples, probes=DECLARED.probes, use_color=False)
    centred = group.moved(se3(np.eye(3), -surface.center)).scaled(1.0 / surface.diameter)
    turns = centred.sampled(DECLARED.step, DECLARED.turns)[1:]
    return max(float(np.quantile(surface.distance(turn), DECLARED.share)) for turn in turns)


def _found(path: Path) -> Path:
    if path.is_file():
        return path
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "evaluation" / "symmetries", package.parent / "eval" / "symmetries"):
        shipped = folder / f"{path.name.removesuffix('.yaml')}.yaml"
        if path.parent == Path() and shipped.is_file():
            return shipped
    raise InputError(f"no symmetry file at {path}, and none of that name comes with the package")


def _check_mesh(entry: DeclaredSymmetry, mesh: Mesh, sha256: str, what: str) -> None:
    if entry.vertices is not None and entry.vertices != len(mesh.vertices):
        raise InputError(
            f"{what} was reviewed with a mesh of {entry.vertices} vertices, but this one has {len(mesh.vertices)}; "
            "review it again"
        )
    if entry.sha256 and sha256 and entry.sha256 != sha256:
        raise InputError(f"{what} was reviewed with another mesh file (its sha256 differs); review it again")
    off = misfit(entry.group, mesh)
    if off > MISFIT:
        raise InputError(
            f"{what} ({entry.group.name}) does not fit its mesh: the surface misses itself by {off:.0%} of "
            "the diameter; check axis, point (metres) and frame"
        )


def _declared(entry: Any) -> DeclaredSymmetry:
    if not isinstance(entry, dict):
        raise InputError(f"must hold {', '.join(_FIELDS)}, but is {entry!r}")
    unknown = [str(key) for key in entry if key not in _FIELDS]
    if unknown:
        raise InputError(f"unknown key {unknown[0]!r}; there are: {', '.join(_FIELDS)}")
    for key in ("note", "reviewer"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise InputError(f"{key} is missing: who looked at the object, and what did they see")
    vertices, digest = entry.get("vertices"), entry.get("sha256", "")
    if vertices is None and not digest:
        raise InputError("give vertices or sha256 of the mesh it was reviewed with")
    if vertices is not None and (type(vertices) is not int or vertices < 3):
        raise InputError(f"vertices must be a whole number, but is {vertices!r}")
    if digest and not re.fullmatch(r"[0-9a-f]{64}", str(digest)):
        raise InputError(f"sha256 must be 64 hexadecimal digits, but is {digest!r}")
    return DeclaredSymmetry(_group(entry), entry["note"], entry["reviewer"], vertices, str(digest))


def _group(entry: dict[str, Any]) -> SymmetryGroup:
    given = [key for key in ("axes", "turns", "sphere", "none") if entry.get(key)]
    if not given:
        raise InputError("give axes, turns or sphere; or none: true for an object without symmetry")
    if "none" in given:
        if len(given) > 1 or entry["none"] is not True:
            raise InputError(f"none: true stands alone, but there is {', '.join(given)}")
        return SymmetryGroup.trivial()
    if "sphere" in given:
        if len(given) > 1:
            raise InputError("a sphere has all turns already; leave axes and turns out")
        return SymmetryGroup(sphere=_three(entry["sphere"], "sphere"))
    axes = [_line(value) for value in _list(entry, "axes")]
    return generate_symmetry([_turn(value) for value in _list(entry, "turns")], axes)


def _list(entry: dict[str, Any], key: str) -> list[Any]:
    value = entry.get(key) or []
    if not isinstance(value, list):
        raise InputError(f"{key} must be a list, but is {value!r}")
    return value


def _line(value: Any, *, extra: tuple[str, ...] = ()) -> tuple[Array, Array]:
    """Point and unit direction of an axis: a letter, or a mapping."""
    given = {"axis": value} if isinstance(value, str) else value
    if not isinstance(given, dict) or "axis" not in given or set(given) - {"axis", "point", *extra}:
        raise InputError(f"an axis must be x, y, z or {{axis: ..., point: ...}}, but is {value!r}")
    axis = given["axis"]
    if isinstance(axis, str):
        if axis not in _NAMED:
            raise InputError(f"an axis must be x, y, z or three numbers, but is {axis!r}")
        axis = _NAMED[axis]
    direction = _three(axis, "axis")
    length = float(np.linalg.norm(direction))
    if length < _NO_LENGTH:
        raise InputError("an axis must not be zero")
    return _three(given.get("point", (0, 0, 0)), "point"), direction / length


def _turn(value: Any) -> Array:
    """The transform (4, 4) of an entry of ``turns``."""
    if not isinstance(value, dict):
        raise InputError(f"a turn must be {{axis: ..., order: ...}}, but is {value!r}")
    point, direction = _line(value, extra=("order",))
    order = value.get("order")
    if type(order) is not int or not 2 <= order <= _MOST_TURNS:
        raise InputError(f"order must be a whole number from 2 to {_MOST_TURNS}, but is {order!r}")
    about = se3(np.eye(3), point)
    return about @ se3(so3_exp(2 * np.pi / order * direction), np.zeros(3)) @ inverse(about)


def _three(value: Any, name: str) -> Array:
    try:
        out = np.array([float(v) for v in value])
    except (TypeError, ValueError):
        raise InputError(f"{name} must be three numbers, but is {value!r}") from None
    if out.shape != (3,) or not np.isfinite(out).all():
        raise InputError(f"{name} must be three finite numbers, but is {value!r}")
    return out
