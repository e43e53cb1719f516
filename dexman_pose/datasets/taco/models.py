"""The objects of a TACO sequence: meshes in centimetres, poses in the world in metres."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.datasets.taco.cameras import rigid_rows
from dexman_pose.datasets.taco.files import TacoRoot, TacoSequence, load_array, plain_name
from dexman_pose.errors import InputError
from dexman_pose.meshing import load_mesh

ROLES = ("tool", "target")


@dataclass(frozen=True)
class WorldObject:
    """One object of a sequence.

    Attributes:
        object_id: of its mesh.
        mesh: metres; its vertices are the ``v`` lines of the file, in their order.
        world_from_object: (N, 4, 4).
        valid: (N,) bool, frames with a pose.
    """

    object_id: str
    mesh: Mesh
    world_from_object: Array
    valid: NDArray[np.bool_]


def read_model(path: Path) -> Mesh:
    """A mesh of the dataset in metres, with the vertices of the file: not split at texture seams, not merged.

    The last few are kept in memory, for many sequences share their objects.

    Raises:
        InputError: it cannot be read, or it names a material or texture outside its own folder.
    """
    status = path.stat()
    return _kept_model(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=16)
def _kept_model(path: Path, *_: int) -> Mesh:
    _check_materials(path)
    return load_mesh(path, unit="cm")


def _check_materials(path: Path) -> None:
    """A mesh file names other files: only ones beside it are opened."""
    for library in _named(path, ("mtllib",)):
        for texture in _named(_beside(path, library), ("map_kd",)):
            _beside(path, texture.split()[-1] if texture.startswith("-") else texture)


def _named(path: Path, keywords: tuple[str, ...]) -> list[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            lines = [line.strip().replace("\t", " ") for line in stream if line.lstrip()[:1] in "mM"]
    except OSError:
        return []  # the reader of meshes says what is wrong
    split = (line.partition(" ") for line in lines)
    return [rest.strip() for kind, _, rest in split if kind.lower() in keywords]


def _beside(path: Path, name: str) -> Path:
    folder = path.parent.resolve()
    target = (folder / name.replace("\\", "/")).resolve()
    if not target.is_relative_to(folder):
        raise InputError(f"{path.name} names a file outside its folder: {name!r:.60}")
    return target


def read_objects(root: TacoRoot, sequence: TacoSequence, notes: list[str]) -> dict[str, WorldObject]:
    """Tool and target of a sequence, cut to their common length; what is wrong goes into ``notes``."""
    found: dict[str, WorldObject] = {}
    for role in ROLES:
        try:
            found[role] = _read_object(root, sequence, role, notes)
        except (InputError, OSError) as error:
            notes.append(f"no {role}: {error}")
    lengths = {role: len(o.valid) for role, o in found.items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{role} {n}" for role, n in lengths.items())
        notes.append(f"poses differ in number ({counts}); the first {min(lengths.values())} are used")
    count = min(lengths.values(), default=0)
    return {
        role: WorldObject(o.object_id, o.mesh, o.world_from_object[:count], o.valid[:count])
        for role, o in found.items()
    }


def _read_object(root: TacoRoot, sequence: TacoSequence, role: str, notes: list[str]) -> WorldObject:
    files = sequence.listed("objects", f"{role}_*.npy")
    if len(files) != 1:
        names = ", ".join(p.name for p in files)
        raise InputError(f"there is no {role}_<id>.npy" if not files else f"several poses: {names[:80]}")
    object_id = plain_name(files[0].stem.removeprefix(f"{role}_"), "an object id")
    poses, valid = rigid_rows(load_array(files[0], (None, 4, 4)))
    if not valid.any():
        raise InputError(f"{files[0].name} holds no pose")
    if not valid.all():
        notes.append(f"{files[0].name}: {int((~valid).sum())} of {len(valid)} frames have no pose")
    path = root.mesh_path(object_id)
    if path is None:
        raise InputError(f"the mesh {object_id}_cm.obj is missing")
    return WorldObject(object_id, read_model(path), poses, valid)
