"""Detections of hands out of files of other programs: one record per hand and frame, whatever the file's structure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.clip import Clip
from dexman_pose.data.files import one_line, read_arrays, read_json
from dexman_pose.data.pickles.load import load_pickle
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import InputError
from dexman_pose.given.frames import place_names, place_numbers

IN_IMAGE = (
    "joints_2d",
    "keypoints_2d",
    "kpts_2d",
    "pred_keypoints_2d_full",
    "pred_keypoints_2d",
    "j2d",
    "uv",
)
IN_SPACE = ("joints_3d", "keypoints_3d", "pred_keypoints_3d", "joints_cam", "joints", "j3d", "xyz")
SHIFTS = ("pred_cam_t_full", "cam_t_full", "cam_t", "cam_trans")
FOCALS = ("scaled_focal_length", "focal_length", "focal")
_SIDES = ("side", "handedness", "hand_type", "hand_side", "is_right", "right", "hand")
_FRAMES = (
    "frame",
    "frames",
    "frame_id",
    "frame_idx",
    "image",
    "img",
    "img_name",
    "image_name",
    "img_path",
    "file_name",
)
_SCORES = ("score", "scores", "confidence", "conf")
_VALIDS = ("valid", "detected")
FORMS = (
    ".json, .npz or .pkl with, per hand: frame, side (or is_right), joints_2d (21, 2) in pixels and/or joints_3d "
    "(21, 3), or arrays (frames, 2, 21, 2 or 3) of the left and right hand"
)


@dataclass(frozen=True)
class HandRecord:
    """One hand in one frame, as it stands in the file.

    Attributes:
        frame: index of the frame.
        side: 0 left, 1 right.
        values: what the file says of it, by the file's own names.
        score: in [0, 1].
    """

    frame: int
    side: int
    values: Mapping[str, Any]
    score: float

    def array(self, names: Sequence[str], shape: tuple[int, ...], what: str) -> tuple[str, Array] | None:
        """The first of some entries that is there, with its name; None where there is none or it is not finite."""
        name = next((n for n in names if self.values.get(n) is not None), None)
        if name is None:
            return None
        try:
            array = np.asarray(self.values[name], np.float64).reshape(-1, *shape[1:]) if shape else None
            found = np.asarray(self.values[name], np.float64) if array is None else array
        except (TypeError, ValueError) as error:
            raise InputError(f"{what}: {name} must be numbers of shape {shape}: {one_line(error)}") from error
        if shape and found.shape != shape:
            raise InputError(f"{what}: {name} must have shape {shape}, but has {np.shape(self.values[name])}")
        return (name, found) if np.isfinite(found).all() else None


def load_hands(path: Path) -> Any:
    """The content of a file of hands: plain values and arrays; nothing in it is run.

    Raises:
        InputError: no such file, damaged, or of another kind.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise InputError(f"there are no hands at {path}; give {FORMS}, or the name of a detector")
    if suffix == ".npz":
        return read_arrays(path)
    if suffix in (".pkl", ".pickle", ".pt", ".pth"):
        return load_pickle(path)
    if suffix == ".json":
        return read_json(path)
    raise InputError(f"{path} holds no hands that can be read; give {FORMS}")


def hand_records(content: Any, clip: Clip, where: str) -> tuple[list[HandRecord], list[str]]:
    """All detections in frames of a clip, and sentences about what was assumed.

    Raises:
        InputError: another structure; the message says which are read.
    """
    notes: list[str] = []
    rows = list(_rows(content, where))
    if not rows:
        raise InputError(f"{where} holds no hands; give {FORMS}")
    keys = [key for key, _, _ in rows]
    distinct = list(dict.fromkeys(keys))
    if all(_is_number(key) for key in distinct):
        placed = place_numbers([int(k) for k in distinct], clip, "hands", places=True)
    else:
        names = {str(key): Path(str(key)).stem for key in distinct}
        placed = place_names(list(names.values()), clip, "hands")
    notes += [placed.note] if placed.note else []
    frames = dict(zip(distinct, placed.frames.tolist()))
    out = []
    for key, side, values in rows:
        if frames[key] >= 0:
            score = next(
                (values[n] for n in _SCORES if isinstance(values.get(n), (int, float, np.number))), 1.0
            )
            out.append(HandRecord(frames[key], side, values, float(np.clip(np.nan_to_num(score), 0.0, 1.0))))
    return out, notes


_Row = tuple[Any, int, Mapping[str, Any]]


def _rows(content: Any, where: str) -> Iterator[_Row]:
    """(frame key, side, values) of every detection."""
    if isinstance(content, (list, tuple)):
        yield from _listed(content, where)
        return
    if not isinstance(content, Mapping):
        raise InputError(f"{where} must hold {FORMS}, but holds {type(content).__name__}")
    split = by_side(content)
    if split:
        for side, values in split.items():
            yield from _columns({**values, "side": SIDES[side]}, where)
    elif any(name in content for name in (*IN_IMAGE, *IN_SPACE)):
        yield from _columns(content, where)
    elif _names_mano(content):
        raise without_joints(content, where)
    else:
        for key, value in content.items():
            items = value if isinstance(value, (list, tuple)) else [value]
            if not all(isinstance(item, Mapping) for item in items):
                raise InputError(f"{where} must hold {FORMS}, but {str(key)!r:.40} holds something else")
            for item in items:
                split = by_side(item)
                if split:
                    for side, inner in split.items():
                        yield key, side, inner
                elif any(
                    np.ndim(item.get(n)) == 3 for n in (*IN_IMAGE, *IN_SPACE) if item.get(n) is not None
                ):
                    yield from ((key, side, values) for _, side, values in _columns(item, where, frame=key))
                else:
                    yield key, side_of(item, where), item


def without_joints(content: Mapping[Any, Any], where: str) -> InputError:
    """What to say of hands of which nothing is given that can be read."""
    if not _names_mano(content):
        return InputError(
            f"{where} holds no joints of a hand: give joints_2d (21, 2) in pixels, joints_3d (21, 3), or both"
        )
    return InputError(
        f"{where} holds parameters of MANO without joints: make joints of them by your own MANO files, "
        f"dexman-pose mano {where} --joints --right MANO_RIGHT.pkl --out hands.json"
    )


def _names_mano(content: Mapping[Any, Any]) -> bool:
    words = ("hand_pose", "mano", "betas", "global_orient", "pred_mano_params")
    return any(any(word in str(key).lower() for word in words) for key in content)


def _listed(items: Sequence[Any], where: str) -> Iterator[_Row]:
    for number, item in enumerate(items):
        at = f"{where}: entry {number}"
        if not isinstance(item, Mapping):
            raise InputError(f"{at} must be a hand with {FORMS}")
        key = next((item[n] for n in _FRAMES if item.get(n) is not None), None)
        if key is None:
            raise InputError(f"{at} does not say which frame it is of: give frame or image")
        yield _plain_key(key), side_of(item, at), item


def _plain_key(key: Any) -> Any:
    if isinstance(key, (list, tuple, np.ndarray)) and np.size(key) == 1:
        key = np.asarray(key).reshape(-1)[0]
    if isinstance(key, (float, np.floating)) and float(key).is_integer():
        return int(key)
    return key.item() if isinstance(key, np.generic) else key


def by_side(content: Mapping[Any, Any]) -> dict[int, dict[str, Any]]:
    """Values of ``left`` and ``right`` apart: dicts, or entries named ``left_joints_3d``, ``right/joints_2d``."""
    out: dict[int, dict[str, Any]] = {}
    for key, value in content.items():
        if not isinstance(key, str):
            return {}
        for number, side in enumerate(SIDES):
            if key == side and isinstance(value, Mapping):
                out.setdefault(number, {}).update({str(k): v for k, v in value.items()})
            elif key.startswith(side) and key[len(side) : len(side) + 1] in ("_", "/", "."):
                out.setdefault(number, {})[key[len(side) + 1 :]] = value
    shared = {k: v for k, v in content.items() if k in (*_FRAMES, *FOCALS)}
    return {side: {**shared, **values} for side, values in out.items()}


def _columns(content: Mapping[Any, Any], where: str, frame: Any = None) -> Iterator[_Row]:
    """Arrays whose first axis is the detection or the frame, and whose second may be the side."""
    joints = {n: np.asarray(content[n]) for n in (*IN_IMAGE, *IN_SPACE) if content.get(n) is not None}
    if not joints:
        raise without_joints(content, where)
    first = next(iter(joints.values()))
    if first.ndim == 4 and first.shape[1] == 2:
        valid = _flags(content, first.shape[:2])
        for t in range(len(first)):
            for side in range(2):
                if valid is None or valid[t, side]:
                    values = {n: a[t, side] for n, a in joints.items()}
                    yield _frame_key(content, t), side, {**_scalars(content, t, len(first)), **values}
        return
    if first.ndim == 2:
        key = next(
            (content[n] for n in _FRAMES if content.get(n) is not None), frame if frame is not None else 0
        )
        yield _plain_key(key), side_of(content, where), dict(content)
        return
    if first.ndim != 3:
        raise InputError(f"{where}: joints must have shape (hands, 21, 2 or 3), but have {first.shape}")
    valid = _flags(content, first.shape[:1])
    for i in range(len(first)):
        if valid is None or valid[i]:
            values = _scalars(content, i, len(first)) | {n: a[i] for n, a in joints.items()}
            yield _frame_key(content, i), side_of(values, where), values


def _flags(content: Mapping[Any, Any], shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    found = next((np.asarray(content[n]) for n in _VALIDS if content.get(n) is not None), None)
    return found.astype(np.bool_) if found is not None and found.shape == shape else None


def _frame_key(content: Mapping[Any, Any], index: int) -> Any:
    """The frame that a row is of: by its own entry, else its place."""
    column = next((content[n] for n in _FRAMES if content.get(n) is not None), None)
    return index if column is None else _plain_key(np.asarray(column).reshape(-1)[index])


def _scalars(content: Mapping[Any, Any], index: int, count: int) -> dict[str, Any]:
    """All entries of one row; those that are not per row are the same for all."""
    out = {}
    for name, value in content.items():
        if isinstance(value, (str, bytes)) or np.ndim(value) == 0:
            out[str(name)] = value.item() if isinstance(value, np.ndarray) else value
        elif len(value) == count:
            row = value[index]
            out[str(name)] = row.item() if isinstance(row, np.generic) else row
    return out


def side_of(values: Mapping[str, Any], where: str) -> int:
    """0 left, 1 right."""
    name = next((n for n in _SIDES if values.get(n) is not None), None)
    if name is None:
        raise InputError(f"{where} does not say whether a hand is left or right: give side, or is_right")
    value = values[name]
    if isinstance(value, (list, tuple, np.ndarray)) and np.size(value) == 1:
        value = np.asarray(value).reshape(-1)[0]
    text = str(value).strip().lower()
    if name in ("is_right", "right") and text in ("0", "1", "0.0", "1.0", "true", "false"):
        return int(text in ("1", "1.0", "true"))
    for number, side in enumerate(SIDES):
        if text in (side, side[0]):
            return number
    raise InputError(f"{where}: {name} must be left or right (is_right: 0 or 1), but is {text!r:.30}")


def _is_number(key: Any) -> bool:
    return isinstance(key, (int, np.integer)) or (isinstance(key, str) and key.isdigit())
