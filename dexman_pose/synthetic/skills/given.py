"""Meshes of a plan's objects, and those that may stand in for them, as the user gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.meshing import load_mesh
from dexman_pose.synthetic.grasps.recorded import find_mesh
from dexman_pose.synthetic.skills.swaps import fitted


def meshes_of_plan(names: Sequence[str], beside: Path, folder: Path | None) -> dict[str, Mesh]:
    """Read the meshes of a plan's objects.

    Args:
        names: of the objects.
        beside: folder of ``<name>.obj`` in metres, as the command that plans leaves it.
        folder: another one of meshes in metres, where that is not there; None for none.

    Raises:
        InputError: a mesh is in neither.
    """
    out = {}
    for name in names:
        file = beside / f"{name}.obj"
        if folder is None and not file.is_file():
            raise InputError(
                f"there is no mesh of {name} at {file}; give the folder that holds it with --meshes"
            )
        path = file if folder is None else find_mesh(folder, name)
        out[name] = load_mesh(path, "m")
    return out


def swaps_for(meshes: Mapping[str, Mesh], asked: Iterable[str]) -> dict[str, dict[str, Mesh]]:
    """Read meshes that may stand in for objects, and put them in their frames.

    Args:
        meshes: of the objects by name.
        asked: ``NAME=PATH`` each, in metres.

    Returns:
        By object, the meshes by a name of their own.

    Raises:
        InputError: no such object, no mesh, or one of other proportions.
    """
    out: dict[str, dict[str, Mesh]] = {}
    for text in asked:
        name, _, path = text.partition("=")
        if name not in meshes or not path:
            raise InputError(
                f"--mesh takes NAME=PATH with an object of the plan ({', '.join(meshes)}), but got {text!r}"
            )
        mesh = load_mesh(path, "m")
        label = f"{name}/{Path(path).stem}"
        if label in out.get(name, {}):
            label = f"{label}-{len(out[name])}"
        out.setdefault(name, {})[label] = fitted(mesh, meshes[name], Path(path).name)
    return out
