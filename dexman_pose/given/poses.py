"""Poses that a user brings: of every object, by frame, from the files that other trackers leave."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.data.clip import Clip, natural_key
from dexman_pose.data.files import one_line, read_arrays, read_json
from dexman_pose.data.tracks import PoseTrack
from dexman_pose.datasets.reading import is_rotation
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import matrix_from_quaternion, orthonormalize, se3
from dexman_pose.given.door import reading
from dexman_pose.given.frames import Placed, place_names, place_numbers, place_times

FORMS = (
    "a BOP .csv, a folder with a 4x4 matrix per frame, an .npy or .npz (T, 4, 4), a .json {frame: 4x4}, or a .txt of "
    "time and x y z qx qy qz qw"
)
_SUFFIXES = (".txt", ".npy")
_STACKS = ("camera_from_object", "poses", "ob_in_cam")
_SLACK = 5e-3
_FAR = 20.0
"""Metres; a median distance beyond is one in millimetres."""
_NEAR = 0.02
"""Metres; a median distance below is one of a file in metres where millimetres are read."""
_MM = 0.001
_BOP_COLUMNS = 6


@dataclass(frozen=True)
class GivenPoses:
    """Poses of one object.

    Attributes:
        camera_from_object: (T, 4, 4) metres; the nearest given one where none was given.
        given: (T,) frames that have one.
        note: a sentence for people about what was assumed, else empty.
    """

    camera_from_object: Array
    given: Bools
    note: str = ""

    def track(self) -> PoseTrack:
        """The poses as a track, valid where they were given."""
        count = len(self.given)
        doubt = np.where(self.given, 0, 1).astype(np.uint16)
        return PoseTrack(
            self.camera_from_object, self.given, self.given.astype(np.float64), np.zeros(count), doubt=doubt
        )

    def nearest(self, frame: int, usable: Bools | None = None) -> int:
        """The frame with a pose that lies nearest to ``frame``, of those ``usable`` where any is."""
        chosen = self.given if usable is None or not (self.given & usable).any() else self.given & usable
        at = np.flatnonzero(chosen)
        return int(at[np.argmin(np.abs(at - frame))])


def read_poses(source: Any, names: Sequence[str], clip: Clip) -> dict[str, GivenPoses]:
    """Poses by the names of the objects.

    Args:
        source: a file or folder; arrays (T, 4, 4); or a dict of these by object.
        names: of the objects. A file of one object's poses fits where there is one; a BOP file names objects by their
            numbers, as does a name such as ``obj_000005``; a folder may hold one folder per object.
        clip: the frames.

    Raises:
        InputError: nothing there, no rigid transforms, frames or objects that do not fit, another unit or other axes.
    """
    with reading(source):
        return _read(source, names, clip)


def _read(source: Any, names: Sequence[str], clip: Clip) -> dict[str, GivenPoses]:
    if isinstance(source, Mapping) and not all(_is_number(key) for key in source):
        unknown = [str(name) for name in source if name not in names]
        if unknown:
            raise InputError(f"poses are of {', '.join(unknown)}, but the objects are {', '.join(names)}")
        return {str(name): _one(value, clip, f"poses of {name!r}") for name, value in source.items()}
    path = Path(source).expanduser() if isinstance(source, (str, PathLike)) else None
    if path is not None and path.suffix.lower() == ".csv":
        return _bop(path, names, clip)
    if path is not None and path.is_dir():
        inner = {name: path / name for name in names if (path / name).is_dir()}
        if inner:
            return {name: _one(folder, clip, str(folder)) for name, folder in inner.items()}
    if len(names) != 1:
        raise InputError(
            f"poses must say which object they are of ({', '.join(names)}): give them as NAME=FILE, one each"
        )
    return {names[0]: _one(source, clip, "poses" if path is None else str(path))}


def _one(source: Any, clip: Clip, where: str) -> GivenPoses:
    """Poses of one object."""
    if isinstance(source, Mapping):
        return _numbered({int(k): v for k, v in source.items()}, clip, where)
    if not isinstance(source, (str, PathLike)):
        return _stack(np.asarray(source, np.float64), None, clip, where)
    path = Path(source).expanduser()
    if path.is_dir():
        return _folder(path, clip)
    if not path.is_file():
        raise InputError(f"there are no poses at {path}; give {FORMS}")
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return _npz(path, clip)
    if suffix == ".npy":
        return _stack(_loaded(path), None, clip, str(path))
    if suffix == ".json":
        content = read_json(path)
        if isinstance(content, Mapping) and content and all(_is_number(key) for key in content):
            return _numbered({int(k): v for k, v in content.items()}, clip, str(path))
        raise InputError(f'{path} must hold a matrix per frame: {{"0": [[...], ...]}}')
    if suffix in (".txt", ".tum", ".log"):
        return _rows(path, clip)
    raise InputError(f"{path} holds no poses that can be read; give {FORMS}")


def _is_number(key: Any) -> bool:
    return isinstance(key, (int, np.integer)) or (isinstance(key, str) and key.isdigit())


def _numbered(values: Mapping[int, Any], clip: Clip, where: str) -> GivenPoses:
    placed = place_numbers(list(values), clip, f"poses in {where}", places=False)
    poses = np.array([_matrix(value, f"{where}: frame {frame}") for frame, value in values.items()])
    return _made(poses, placed, clip, where)


def _matrix(value: Any, where: str) -> Array:
    """(4, 4) of 12 or 16 numbers."""
    try:
        numbers = np.asarray(value, np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise InputError(f"{where} must be a 4x4 matrix: {one_line(error)}") from error
    if numbers.size == 12:
        return np.vstack([numbers.reshape(3, 4), [0.0, 0.0, 0.0, 1.0]])
    if numbers.size != 16:
        raise InputError(f"{where} must be a 4x4 matrix, but holds {numbers.size} numbers")
    return numbers.reshape(4, 4)


def _loaded(path: Path) -> Array:
    try:
        raw = np.load(path, allow_pickle=False) if path.suffix == ".npy" else np.loadtxt(path, ndmin=1)
        return np.asarray(raw, np.float64)
    except (OSError, ValueError, EOFError, TypeError) as error:
        raise InputError(f"{path} cannot be read as numbers: {one_line(error)}") from error


def _folder(path: Path, clip: Clip) -> GivenPoses:
    """A file per frame, as FoundationPose leaves them: named as the picture, by its number, or its time."""
    inner = path / "ob_in_cam"
    if inner.is_dir():
        path = inner
    files = [p for p in path.iterdir() if p.suffix in _SUFFIXES and p.name[0] != "." and p.is_file()]
    files.sort(key=natural_key)
    if not files:
        raise InputError(f"{path} holds no matrices: no .txt or .npy files, one per frame")
    placed = place_names([p.stem for p in files], clip, f"poses in {path}")
    poses = np.array([_matrix(_loaded(file), str(file)) for file in files])
    return _made(poses, placed, clip, str(path))


def _npz(path: Path, clip: Clip) -> GivenPoses:
    arrays = read_arrays(path)
    frames = arrays.pop("frames", None)
    name = next((n for n in _STACKS if n in arrays), None)
    if name is None and len(arrays) != 1:
        raise InputError(
            f"{path} holds {', '.join(arrays) or 'nothing'}: poses must be the only array, or named poses"
        )
    return _stack(np.asarray(arrays[name or next(iter(arrays))], np.float64), frames, clip, str(path))


def _stack(poses: Array, frames: NDArray[Any] | None, clip: Clip, where: str) -> GivenPoses:
    if poses.shape == (4, 4):
        poses = poses[None]
        frames = np.zeros(1, int) if frames is None else frames
    if poses.ndim == 3 and poses.shape[1:] == (3, 4):
        poses = np.concatenate([poses, np.broadcast_to([[[0.0, 0, 0, 1]]], (len(poses), 1, 4))], 1)
    if poses.ndim != 3 or poses.shape[1:] != (4, 4) or len(poses) == 0:
        raise InputError(f"{where}: poses must have shape (frames, 4, 4), but have {poses.shape}")
    if frames is None:
        if len(poses) != clip.num_frames:
            raise InputError(
                f"{where} holds {len(poses)} poses, but the clip has {clip.num_frames} frames: add an array frames "
                "that says which they are of"
            )
        return _made(poses, Placed(np.arange(len(poses))), clip, where)
    if np.shape(frames) != (len(poses),):
        raise InputError(f"{where}: frames must be {len(poses)} numbers, one per pose")
    return _made(poses, place_numbers(frames.tolist(), clip, f"poses in {where}", places=False), clip, where)


def _rows(path: Path, clip: Clip) -> GivenPoses:
    """Rows of time and x y z qx qy qz qw, or of 12 or 16 numbers of a matrix; or one matrix in four rows."""
    values = _loaded(path)
    if values.size in (12, 16) and values.ndim == 2 and values.shape[1] == 4:
        return _stack(_matrix(values, str(path)), None, clip, str(path))
    if values.ndim == 1:
        values = values[None]
    if values.shape[1] in (12, 16):
        return _stack(np.array([_matrix(row, str(path)) for row in values]), None, clip, str(path))
    if values.shape[1] != 8:
        raise InputError(
            f"{path} must have rows of time x y z qx qy qz qw, but they have {values.shape[1]} numbers"
        )
    norms = np.linalg.norm(values[:, 4:], axis=1)
    if not (np.abs(norms - 1.0) < 1e-2).all():
        raise InputError(
            f"{path}: the last four numbers of row {int(np.argmax(np.abs(norms - 1.0))) + 1} are no quaternion"
        )
    turned = matrix_from_quaternion(values[:, [7, 4, 5, 6]] / norms[:, None])
    poses = np.array([se3(r, t) for r, t in zip(turned, values[:, 1:4])])
    times = values[:, 0]
    if (
        clip.frame_numbers is not None
        and np.isin(times, clip.frame_numbers).all()
        and (times == np.floor(times)).all()
    ):
        return _made(
            poses, place_numbers(times.astype(int).tolist(), clip, "poses", places=False), clip, str(path)
        )
    return _made(poses, place_times(times, clip, f"poses in {path}"), clip, str(path))


def _bop(path: Path, names: Sequence[str], clip: Clip) -> dict[str, GivenPoses]:
    """A BOP result file: scene_id,im_id,obj_id,score,R,t[,time], millimetres; the best score of each image counts."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text: {one_line(error)}") from error
    best: dict[int, dict[int, tuple[float, Array]]] = {}
    scenes: set[int] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.strip().lower().startswith("scene_id"):
            continue
        scene, image, one, score, pose = _bop_row(line, f"{path}, line {number}")
        scenes.add(scene)
        rows = best.setdefault(one, {})
        if image not in rows or score > rows[image][0]:
            rows[image] = score, pose
    if not best:
        raise InputError(f"{path} holds no poses; expected rows of scene_id,im_id,obj_id,score,R,t")
    if len(scenes) > 1:
        raise InputError(
            f"{path} holds poses of the scenes {_listed(scenes)}: give the rows of one scene, that of this clip"
        )
    out = {}
    for name, one in _bop_names(path, names, sorted(best)).items():
        images = sorted(best[one])
        placed = place_numbers(images, clip, f"poses in {path}", places=False)
        out[name] = _made(np.array([best[one][i][1] for i in images]), placed, clip, f"{path}, object {one}")
    return out


def _bop_row(line: str, where: str) -> tuple[int, int, int, float, Array]:
    parts = line.strip().split(",")
    try:
        scene, image, one = (int(part) for part in parts[:3])
        score = float(parts[3])
        rotation = np.array([float(word) for word in parts[4].split()])
        shift = np.array([float(word) for word in parts[5].split()]) * _MM
        if len(parts) < _BOP_COLUMNS or len(rotation) != 9 or len(shift) != 3:
            raise ValueError("wrong count")
    except (ValueError, IndexError) as error:
        raise InputError(
            f"{where} must be scene_id,im_id,obj_id,score,R (9 numbers),t (3 numbers)"
        ) from error
    return scene, image, one, score, se3(rotation.reshape(3, 3), shift)


def _bop_names(path: Path, names: Sequence[str], ids: list[int]) -> dict[str, int]:
    ends = {name: re.search(r"(\d+)$", name) for name in names}
    numbered = {name: int(end[1]) for name, end in ends.items() if end is not None}
    if len(numbered) == len(names) and set(numbered.values()) & set(ids):
        return {name: number for name, number in numbered.items() if number in ids}
    if len(names) == len(ids) == 1:
        return {names[0]: ids[0]}
    raise InputError(
        f"{path} holds poses of the objects {_listed(ids)}, but they are named {', '.join(names)}: end their names "
        "with the numbers, as in obj_000005"
    )


def _listed(numbers: Any) -> str:
    return ", ".join(str(n) for n in sorted(numbers))


def _made(poses: Array, placed: Placed, clip: Clip, where: str) -> GivenPoses:
    """Poses of all frames; frames whose matrix is NaN or all 0 have none."""
    there = np.isfinite(poses).all((1, 2)) & (np.abs(np.nan_to_num(poses[:, :3, :3])).max((1, 2)) > 0)
    used = there & (placed.frames >= 0)
    if not used.any():
        raise InputError(f"{where} holds no pose of a frame of the clip")
    _check(poses[used], where)
    given = np.zeros(clip.num_frames, np.bool_)
    given[placed.frames[used]] = True
    out = np.zeros((clip.num_frames, 4, 4))
    out[placed.frames[used]] = orthonormalize(poses[used])
    at = np.flatnonzero(given)
    nearest = at[np.abs(np.arange(clip.num_frames)[:, None] - at[None]).argmin(1)]
    return GivenPoses(out[nearest], given, placed.note)


def _check(poses: Array, where: str) -> None:
    last = np.abs(poses[:, 3] - [0, 0, 0, 1]).max(1)
    if last.max() > 1e-6:
        turned = np.abs(poses[:, :3, 3]).max() < 1e-9
        raise InputError(
            f"{where}: the last row of a matrix is {poses[int(last.argmax()), 3].tolist()}, but must be 0 0 0 1"
            + ("; the matrices are transposed" if turned else "")
        )
    right = is_rotation(poses[:, :3, :3], _SLACK)
    if not right.all():
        det = float(np.linalg.det(poses[int(np.argmin(right)), :3, :3]))
        raise InputError(
            f"{where}: matrix {int(np.argmin(right))} of those given has no rotation in its upper left 3x3 "
            f"(determinant {det:.3g}); give camera_from_object without scale"
        )
    shift = poses[:, :3, 3]
    if np.mean(shift[:, 2] <= 0) > 0.5:
        raise InputError(
            f"{where}: most objects are behind the camera (z <= 0): these may be OpenGL axes, or object_from_camera; "
            "give camera_from_object with OpenCV axes (+z forward)"
        )
    distance = float(np.median(np.linalg.norm(shift, axis=1)))
    if not _NEAR <= distance <= _FAR:
        raise InputError(
            f"{where}: the objects are {distance:.4g} m away in the middle: is the unit right? metres are expected"
            + (", millimetres in BOP's files" if ".csv" in where else "")
        )
