"""The object models of a BOP dataset: meshes for errors and for display, diameters, symmetries."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Mesh
from dexman_pose.data.files import existing_folder, read_json
from dexman_pose.datasets.reading import is_rotation, read_mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import SymmetryGroup, orthonormalize
from dexman_pose.geometry.symmetry_generation import generate_symmetry

MM = 0.001
"""Metres of a millimetre, the unit of everything in a BOP dataset."""

SYMMETRY_STEP = 2 * pi / 315
"""Radians between samples of a continuous symmetry: as BOP has it, no vertex moves more than 1 % of the diameter."""

_FIT_ANGLE = (
    0.06  # radians and metres by which fitted symmetries may be off when they are closed into a group
)
_FIT_DISTANCE = 0.003

Use = Literal["errors", "display"]
_FOLDERS: dict[str, tuple[str, ...]] = {
    "errors": ("models_eval", "models"),
    "display": ("models", "models_eval"),
}


class BopModels:
    """Models by object number, read when asked for.

    Meshes hold the vertices of their file, in its order, in metres. BOP measures errors with the evenly resampled
    meshes of ``models_eval`` and shows those of ``models``; where one folder is missing the other is used.

    Args:
        root: folder of the dataset.

    Raises:
        InputError: no such folder, no ``models_info.json``, or one that is damaged.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = existing_folder(root, "the folder of a BOP dataset")
        self._info = self._read_info()
        self._symmetries: dict[int, SymmetryGroup] = {}

    @property
    def ids(self) -> list[int]:
        """Numbers of all objects."""
        return sorted(self._info)

    def info(self, obj_id: int) -> dict[str, Any]:
        """The entry of ``models_info.json``, in millimetres as it stands there."""
        if obj_id not in self._info:
            raise InputError(f"{self.root}: models_info.json has no object {obj_id}; it has {self.ids}")
        return self._info[obj_id]

    def path(self, obj_id: int, use: Use = "errors") -> Path:
        """The mesh file of an object.

        Raises:
            InputError: it is in neither folder.
        """
        paths = [self.root / folder / f"obj_{obj_id:06d}.ply" for folder in _FOLDERS[use]]
        for path in paths:
            if path.is_file():
                return path
        raise InputError(f"object {obj_id} has no mesh: neither {paths[0]} nor {paths[1]} is there")

    def mesh(self, obj_id: int, use: Use = "errors") -> Mesh:
        """The mesh of an object, metres.

        Raises:
            InputError: missing or damaged.
        """
        return read_mesh(self.path(obj_id, use), "mm")

    def diameter(self, obj_id: int) -> float:
        """Largest distance between two vertices as the dataset states it, metres."""
        value = self.info(obj_id).get("diameter")
        if not isinstance(value, (int, float)) or not value > 0:
            raise InputError(
                f"{self.root}: models_info.json: object {obj_id} has no positive diameter: {value}"
            )
        return MM * float(value)

    def symmetry(self, obj_id: int) -> SymmetryGroup:
        """The declared symmetries, metres.

        Discrete ones are taken as they stand, as BOP takes them: some are fitted (a half turn of 178.5 degrees) and
        close to no group. With an axis of continuous symmetry they are closed into one.

        Raises:
            InputError: numbers that are no symmetries of a bounded object.
        """
        if obj_id not in self._symmetries:
            info = self.info(obj_id)
            try:
                self._symmetries[obj_id] = _symmetry(info)
            except (InputError, TypeError, ValueError, KeyError, AttributeError) as error:
                raise InputError(f"{self.root}: models_info.json: object {obj_id}: {error}") from error
        return self._symmetries[obj_id]

    def symmetry_transforms(self, obj_id: int) -> NDArray[np.float64]:
        """(S, 4, 4) the symmetries as transforms, identity first, as finely as BOP samples them."""
        return self.symmetry(obj_id).sampled(SYMMETRY_STEP)

    def _read_info(self) -> dict[int, dict[str, Any]]:
        candidates = [self.root / folder / "models_info.json" for folder in _FOLDERS["errors"]]
        found = next((path for path in candidates if path.is_file()), None)
        if found is None:
            raise InputError(
                f"{self.root} holds no models_info.json in models_eval or models; give the root of a BOP dataset, "
                "with its models unpacked"
            )
        raw = read_json(found)
        if not isinstance(raw, dict) or not all(isinstance(entry, dict) for entry in raw.values()):
            raise InputError(f"{found} must map object numbers to their properties")
        try:
            return {int(key): entry for key, entry in raw.items()}
        except ValueError as error:
            raise InputError(f"{found} has a key that is no object number: {error}") from error


def _symmetry(info: Mapping[str, Any]) -> SymmetryGroup:
    given = [np.asarray(m, dtype=np.float64) for m in info.get("symmetries_discrete", ())]
    if any(m.size != 16 for m in given):
        raise InputError("each of symmetries_discrete must hold 16 numbers, a 4x4 matrix row by row")
    discrete = np.concatenate([np.eye(4)[None], *(m.reshape(1, 4, 4) for m in given)])
    discrete[:, :3, 3] *= MM
    if not is_rotation(discrete[:, :3, :3]).all() or np.abs(discrete[:, 3] - [0, 0, 0, 1]).max() > 1e-6:
        raise InputError("each of symmetries_discrete must be a rotation, a translation and 0 0 0 1")
    axes = [
        (MM * np.asarray(entry.get("offset", (0, 0, 0)), dtype=np.float64), entry["axis"])
        for entry in info.get("symmetries_continuous", ())
    ]
    if axes:
        return generate_symmetry(discrete[1:], axes, angle=_FIT_ANGLE, distance=_FIT_DISTANCE)
    return SymmetryGroup(orthonormalize(discrete))
