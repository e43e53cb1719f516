"""The user's own MANO file, read safely and checked.

The file is not part of this package and nothing here fetches it: everyone gets MANO_RIGHT.pkl and MANO_LEFT.pkl from
https://mano.is.tue.mpg.de under its own licence. They are pickles of Python 2 with objects of chumpy and scipy; neither
library is needed, and nothing in a file is run (:mod:`dexman_pose.data.pickles`). Copies of others are read too, as
long as they hold the same entries: pickles without chumpy, ``.npz``, a dict saved as ``.npy``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.pickles.load import load_pickle
from dexman_pose.data.pickles.numpy_files import load_numpy_file
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import so3_exp
from dexman_pose.hands.mano.layout import ANGLES, BONES, FACES, JOINTS, PARENTS, SHAPES, VERTICES

_SHAPES: Mapping[str, tuple[int, ...]] = {
    "v_template": (VERTICES, 3),
    "shapedirs": (VERTICES, 3, SHAPES),
    "posedirs": (VERTICES, 3, 9 * BONES),
    "J_regressor": (JOINTS, VERTICES),
    "weights": (VERTICES, JOINTS),
    "kintree_table": (2, JOINTS),
    "f": (FACES, 3),
    "hands_mean": (ANGLES,),
    "hands_components": (ANGLES, ANGLES),
}
_NAMES = ("MANO_{}.pkl", "MANO_{}.npz", "MANO_{}.npy", "mano_{}.pkl", "mano_{}.npz", "mano_{}.npy")
_FOLDERS = ("", "models", "mano")
_SIZES = (0.05, 0.5)
_SUM = 0.05
_BENT = 0.002
GET_IT = "MANO_RIGHT.pkl and MANO_LEFT.pkl come from https://mano.is.tue.mpg.de, under their own licence"


@dataclass(frozen=True)
class ManoFile:
    """What a MANO file holds, as it stands there: its own numbering, its own axes, metres.

    Attributes:
        side: ``"left"`` or ``"right"``.
        v_template: (778, 3) vertices of the mean shape, flat hand.
        shapedirs: (778, 3, 10) metres per shape coefficient.
        posedirs: (778, 3, 135) metres per entry of the 15 rotations less the identity, row by row.
        j_regressor: (16, 778) joints of vertices.
        weights: (778, 16) skinning weights.
        faces: (1538, 3).
        hands_mean: (45,) radians, the mean pose.
        hands_components: (45, 45) principal components of poses, one a row.
        path: where it was read from.
    """

    side: str
    v_template: Array
    shapedirs: Array
    posedirs: Array
    j_regressor: Array
    weights: Array
    faces: NDArray[np.int32]
    hands_mean: Array
    hands_components: Array
    path: str = ""

    def __repr__(self) -> str:
        return f"ManoFile({self.side}, {self.path})"


def load_mano(path: str | Path, side: str | None = None) -> ManoFile:
    """Read a MANO file.

    Args:
        path: ``.pkl`` as distributed or cleaned, ``.npz``, or a dict in ``.npy``; or the folder it lies in, with
            ``side``.
        side: ``"left"`` or ``"right"``; None: that which the mean pose shows, for it bends fingers to the palm.

    Raises:
        InputError: no such file, something in it that is no data, an entry that lacks or has another shape, another
            unit, another tree of joints, the other side. One line that names the file and the fault.
    """
    if side is not None and side not in SIDES:
        raise InputError(f"hand side must be 'left' or 'right', but got {side!r}")
    path = Path(path).expanduser()
    path = _in_folder(path, side) if path.is_dir() else path
    if not path.is_file():
        raise InputError(f"there is no MANO file at {path}; {GET_IT}")
    suffix = path.suffix.lower()
    content = load_numpy_file(path) if suffix in (".npz", ".npy") else load_pickle(path)
    return mano_from(content, str(path), side)


def load_mano_folder(folder: str | Path) -> dict[str, ManoFile]:
    """The MANO files of a folder by side, one or both.

    Raises:
        InputError: there is none, or one that cannot be read.
    """
    folder = Path(folder).expanduser()
    found = {side: path for side in SIDES if (path := _found(folder, side)) is not None}
    if not found:
        raise InputError(f"{folder} holds neither MANO_LEFT.pkl nor MANO_RIGHT.pkl; {GET_IT}")
    return {side: load_mano(path, side) for side, path in found.items()}


def mano_from(content: Any, name: str, side: str | None = None) -> ManoFile:
    """A MANO file of its entries in memory.

    Args:
        content: the entries by MANO's names.
        name: what messages call it.
        side: as for :func:`load_mano`.

    Raises:
        InputError: as :func:`load_mano`.
    """
    if not isinstance(content, Mapping):
        raise InputError(f"{name} must hold a dict of arrays, but holds a {type(content).__name__}")
    missing = [key for key in _SHAPES if content.get(key) is None]
    if missing:
        raise InputError(f"{name} is no MANO file: it lacks {', '.join(missing)}")
    arrays = {key: _numbers(content[key], shape, f"{name}: {key}") for key, shape in _SHAPES.items()}
    _check_tree(arrays["kintree_table"], name)
    _check_values(arrays, name)
    return ManoFile(
        _side_of(arrays, side, name),
        arrays["v_template"],
        arrays["shapedirs"],
        arrays["posedirs"],
        arrays["J_regressor"],
        arrays["weights"],
        arrays["f"].astype(np.int32),
        arrays["hands_mean"],
        arrays["hands_components"],
        name,
    )


def _found(folder: Path, side: str) -> Path | None:
    places = (
        folder / sub / name.format(word)
        for sub in _FOLDERS
        for name in _NAMES
        for word in (side.upper(), side)
    )
    return next((path for path in places if path.is_file()), None)


def _in_folder(folder: Path, side: str | None) -> Path:
    if side is None:
        raise InputError(f"{folder} is a folder: say which side, or give the file")
    found = _found(folder, side)
    if found is None:
        raise InputError(f"{folder} holds no MANO_{side.upper()}.pkl; {GET_IT}")
    return found


def _numbers(value: Any, shape: tuple[int, ...], what: str) -> Array:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be numbers {shape}, but is a {type(value).__name__}") from error
    if array.shape != shape:
        raise InputError(f"{what} must have shape {shape}, but has {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{what} holds NaN or infinity")
    return array


def _check_tree(table: Array, name: str) -> None:
    """The first row holds parents, the root's being any number, the second the joints."""
    parents = table[0].astype(np.int64)
    if not np.array_equal(parents[1:], PARENTS[1:]) or not np.array_equal(table[1], np.arange(JOINTS)):
        raise InputError(f"{name}: kintree_table is not MANO's tree of joints: parents {parents.tolist()}")


def _check_values(arrays: Mapping[str, Array], name: str) -> None:
    size = float(np.ptp(arrays["v_template"], axis=0).max())
    if not _SIZES[0] < size < _SIZES[1]:
        raise InputError(
            f"{name}: v_template must be a hand in metres, but is {size:.4g} long: is the unit right?"
        )
    for key, axis in (("weights", "of every vertex"), ("J_regressor", "of every joint")):
        sums = arrays[key].sum(1)
        if np.abs(sums - 1.0).max() > _SUM:
            raise InputError(
                f"{name}: {key} {axis} must add up to 1, but do to {sums.min():.3g} to {sums.max():.3g}"
            )
    faces = arrays["f"]
    if faces.min() < 0 or faces.max() >= VERTICES or (faces != np.round(faces)).any():
        raise InputError(f"{name}: f must hold numbers of vertices, 0 to {VERTICES - 1}")


def _side_of(arrays: Mapping[str, Array], side: str | None, name: str) -> str:
    shown = shown_side(arrays["J_regressor"] @ arrays["v_template"], arrays["hands_mean"])
    if shown is None and side is None:
        raise InputError(
            f"{name} does not show whether it is a left or a right hand: its mean pose is flat; say side"
        )
    if side is not None and shown is not None and shown != side:
        raise InputError(
            f"{name} is a {shown} hand by the way its mean pose bends, but the {side} one is asked for"
        )
    return side or shown or ""


def shown_side(joints: Array, mean: Array) -> str | None:
    """The side of a hand by its mean pose, which bends the fingers to the palm; None where it is flat.

    Args:
        joints: (16, 3) at rest, the file's order.
        mean: (45,) radians.
    """
    knuckles, middles, ends = joints[[1, 4, 7, 10]], joints[[2, 5, 8, 11]], joints[[3, 6, 9, 12]]
    turns = so3_exp(mean.reshape(BONES, 3))[[0, 3, 6, 9]]
    bent = (turns @ (ends - knuckles)[..., None])[..., 0] - (ends - knuckles)
    distal, radial = middles.mean(0) - joints[0], joints[1] - joints[7]
    normal = np.cross(distal, radial)  # out of the back of a right hand
    towards_palm = -float(bent.mean(0) @ normal / np.linalg.norm(normal))
    if abs(towards_palm) < _BENT:
        return None
    return "right" if towards_palm > 0 else "left"
