"""Poses as FoundationPose, Any6D and BundleSDF leave them: one 4x4 matrix per frame, in text or numpy files."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.clip import natural_key
from dexman_pose.data.files import door
from dexman_pose.datasets.reading import is_rotation
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import orthonormalize

POSE_SUFFIXES = (".txt", ".npy")
"""Endings of files that hold one matrix."""

_TOLERANCE = 1e-3
_FAR = 20.0  # metres: a median distance beyond this is millimetres or centimetres


def read_pose_folder(
    path: str | Path, *, stems: Sequence[str] | None = None, unit_m: float = 1.0
) -> tuple[NDArray[np.int64], Array]:
    """Poses ``camera_from_object`` of the frames they are given for, in the order of the frames.

    Args:
        path: a folder with one ``.txt`` or ``.npy`` file per frame, each a 4x4 (or 3x4) matrix, such as
            ``ob_in_cam/000012.txt``; or one ``.npy`` (T, 4, 4); or one ``.npz`` with the only array, ``poses`` or
            ``camera_from_object``, and optionally ``frames`` (T,).
        stems: file names without suffix of the clip's images: the frame is then the place in this list. None: the
            frame is the last number in the file's name.
        unit_m: metres of one unit of the translations.

    Returns:
        (T,) frame indices, increasing, and (T, 4, 4) poses, metres. Rotations are made exact.

    Raises:
        InputError: nothing there, matrices that are no rigid transforms, frames given twice, objects behind the
            camera, distances that are no metres; the message names the file.
    """
    path = Path(path)
    with door(path, "poses, one matrix for each frame"):
        if path.is_dir():
            frames, poses, names = _folder(path, stems)
        elif path.suffix in (".npy", ".npz") and path.is_file():
            frames, poses, names = _stack(path)
        else:
            raise InputError(f"{path} is neither a folder of matrices nor a .npy or .npz file")
        poses[:, :3, 3] *= unit_m
        _check_rigid(poses, names)
        _check_plausible(poses, path)
        order = np.argsort(frames, kind="stable")
        return frames[order], orthonormalize(poses[order])


def _folder(path: Path, stems: Sequence[str] | None) -> tuple[NDArray[np.int64], Array, list[str]]:
    files = [p for p in path.iterdir() if p.suffix in POSE_SUFFIXES and p.is_file() and p.name[0] != "."]
    files.sort(key=natural_key)
    if not files:
        raise InputError(f"{path} holds no matrices: no .txt or .npy files, one per frame")
    places = None if stems is None else {stem: i for i, stem in enumerate(stems)}
    owner: dict[int, Path] = {}
    for file in files:
        frame = _frame_number(file, places)
        if frame in owner:
            raise InputError(f"frame {frame} is given twice: {owner[frame].name} and {file.name} in {path}")
        owner[frame] = file
    poses = np.stack([_matrix(file) for file in owner.values()])
    return np.array(list(owner), dtype=np.int64), poses, [str(file) for file in owner.values()]


def _frame_number(file: Path, places: dict[str, int] | None) -> int:
    if places is not None:
        if file.stem not in places:
            raise InputError(f"{file}: no image of the clip is named {file.stem}")
        return places[file.stem]
    numbers = re.findall(r"\d+", file.stem)
    if not numbers:
        raise InputError(
            f"{file}: its name holds no frame number; name it as the frame, or give the images' stems"
        )
    return int(numbers[-1])


def _matrix(file: Path) -> Array:
    """One matrix (4, 4), the last row added where it is left out."""
    with door(file, "a matrix of numbers"):
        with warnings.catch_warnings(action="ignore"):  # of an empty file, which is told below
            raw = np.load(file, allow_pickle=False) if file.suffix == ".npy" else np.loadtxt(file, ndmin=1)
        if np.asarray(raw).dtype.kind not in "fiu":
            raise InputError(f"{file} must hold real numbers, but holds {np.asarray(raw).dtype}")
        values = np.asarray(raw, dtype=np.float64)
    if values.size == 12:
        return np.vstack([values.reshape(3, 4), [0.0, 0.0, 0.0, 1.0]])
    if values.size != 16:
        raise InputError(f"{file} must hold a 4x4 matrix, but holds {values.size} numbers")
    return values.reshape(4, 4)


def _stack(path: Path) -> tuple[NDArray[np.int64], Array, list[str]]:
    loaded = np.load(path, allow_pickle=False)
    arrays = {"poses": loaded} if path.suffix == ".npy" else {k: loaded[k] for k in loaded.files}
    frames = arrays.pop("frames", None)
    names = [name for name in ("camera_from_object", "poses") if name in arrays] or list(arrays)
    if len(names) != 1 and names[0] not in ("camera_from_object", "poses"):
        raise InputError(f"{path} holds {', '.join(names)}; the poses must be the only array or named poses")
    if arrays[names[0]].dtype.kind not in "fiu":
        raise InputError(f"{path}: poses must be real numbers, but are {arrays[names[0]].dtype}")
    poses = np.array(arrays[names[0]], dtype=np.float64)
    if poses.ndim != 3 or poses.shape[1:] != (4, 4) or len(poses) == 0:
        raise InputError(f"{path}: poses must be (T, 4, 4), but are {poses.shape}")
    numbers = np.arange(len(poses)) if frames is None else np.asarray(frames)
    if numbers.dtype.kind not in "iu":
        raise InputError(f"{path}: frames must be whole numbers, but are {numbers.dtype}")
    if numbers.shape != (len(poses),) or len(np.unique(numbers)) != len(numbers):
        raise InputError(f"{path}: frames must be {len(poses)} different numbers, one per pose")
    return numbers.astype(np.int64), poses, [f"{path}[{i}]" for i in range(len(poses))]


def _check_rigid(poses: Array, names: list[str]) -> None:
    finite = np.asarray(np.isfinite(poses).all((1, 2)))
    row = np.abs(np.where(finite[:, None], poses[:, 3], 0.0) - [0, 0, 0, 1]).max(1) < 1e-6
    turned = is_rotation(poses[:, :3, :3], _TOLERANCE)
    for good, what in ((finite, "holds NaN or infinity"), (row, "has a last row other than 0 0 0 1")):
        if not good.all():
            transposed = " (is it transposed?)" if "row" in what else ""
            raise InputError(f"{names[int(np.argmin(good))]} {what}{transposed}")
    if not turned.all():
        i = int(np.argmin(turned))
        det = float(np.linalg.det(poses[i, :3, :3]))
        raise InputError(f"{names[i]} has no rotation in its upper left 3x3 (determinant {det:.3g})")


def _check_plausible(poses: Array, path: Path) -> None:
    shift = poses[:, :3, 3]
    if np.mean(shift[:, 2] <= 0) > 0.5:
        raise InputError(
            f"{path}: most objects are behind the camera (z <= 0); expected camera_from_object with OpenCV axes "
            "(+z forward): these may be OpenGL axes, or object_from_camera"
        )
    distance = float(np.median(np.linalg.norm(shift, axis=1)))
    if distance > _FAR:
        raise InputError(
            f"{path}: the median distance is {distance:.4g} m; if the files are in millimetres, give unit_m=0.001"
        )
