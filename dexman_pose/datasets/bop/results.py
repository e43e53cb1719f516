"""Estimated poses of other programs: BOP result files, and folders with one matrix per frame."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import PoseTrack
from dexman_pose.data.files import door, write_bytes
from dexman_pose.datasets.pose_folder import read_pose_folder
from dexman_pose.datasets.reading import filled, is_rotation
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import orthonormalize, se3

HEADER = "scene_id,im_id,obj_id,score,R,t,time"
"""First line of a BOP result file."""

ROTATION_TOLERANCE = 1e-3
"""Entries of R R' - I that a rotation printed with few digits may have."""

__all__ = [
    "HEADER",
    "ROTATION_TOLERANCE",
    "BopEstimate",
    "read_bop_results",
    "read_pose_folder",
    "track_of",
    "write_bop_results",
]

_MM = 0.001
_TIME_SLACK = 1e-3  # seconds by which the rows of an image may differ


@dataclass(frozen=True)
class BopEstimate:
    """One estimated pose.

    Attributes:
        scene_id: number of the scene.
        im_id: number of the image.
        obj_id: number of the object.
        score: any scale, higher is better.
        camera_from_object: (4, 4) metres.
        time: seconds for the whole image, the same for all its estimates; -1 where it is not known.
    """

    scene_id: int
    im_id: int
    obj_id: int
    score: float
    camera_from_object: Array = field(repr=False)
    time: float = -1.0


def read_bop_results(path: str | Path) -> list[BopEstimate]:
    """The estimates of a BOP result file (also those of MegaPose, GigaPose, FoundPose), in its order.

    Millimetres become metres. Rotations are kept as they are printed.

    Raises:
        InputError: no such file, another header, or a line that is wrong; the message names file and line.
    """
    path = Path(path)
    with door(path, "a BOP result file"):
        return _read_lines(path)


def _read_lines(path: Path) -> list[BopEstimate]:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    if not lines or lines[0].strip().replace(" ", "") != HEADER:
        raise InputError(
            f"{path}, line 1: the header must be {HEADER}, but is {lines[0] if lines else 'absent'}"
        )
    out: list[BopEstimate] = []
    times: dict[tuple[int, int], tuple[float, int]] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        try:
            estimate = _parsed(line)
            _check_time(estimate, times, number)
        except InputError as error:
            raise InputError(f"{path}, line {number}: {error}") from error
        out.append(estimate)
    return out


def write_bop_results(path: str | Path, estimates: Iterable[BopEstimate]) -> Path:
    """Write a BOP result file atomically, with all digits; returns the path.

    Raises:
        InputError: a pose that is not rigid, a value that is not finite, negative numbers, or times that differ
            within an image.
    """
    lines = [HEADER]
    times: dict[tuple[int, int], tuple[float, int]] = {}
    for i, e in enumerate(estimates):
        try:
            _check(e)
            _check_time(e, times, i)
        except InputError as error:
            raise InputError(f"estimate {i} cannot be written: {error}") from error
        rotation = " ".join(repr(float(x)) for x in e.camera_from_object[:3, :3].reshape(-1))
        shift = " ".join(repr(float(x)) for x in e.camera_from_object[:3, 3] / _MM)
        lines.append(
            f"{e.scene_id},{e.im_id},{e.obj_id},{float(e.score)!r},{rotation},{shift},{_time(e.time)}"
        )
    return write_bytes(path, ("\n".join(lines) + "\n").encode())


def track_of(
    estimates: Iterable[BopEstimate], scene_id: int, obj_id: int, image_ids: Iterable[int], *, rank: int = 0
) -> PoseTrack:
    """The estimates of one object of a scene as a track; images without one are not valid.

    Args:
        estimates: of a whole file.
        scene_id: the scene.
        obj_id: the object.
        image_ids: (T,) numbers of the frames' images.
        rank: which estimate of an image: 0 the one with the best score, 1 the next.
    """
    found: dict[int, list[BopEstimate]] = {}
    for e in estimates:
        if (e.scene_id, e.obj_id) == (scene_id, obj_id):
            found.setdefault(e.im_id, []).append(e)
    ranked = [sorted(found.get(int(i), ()), key=lambda e: -e.score)[rank : rank + 1] for i in image_ids]
    valid = np.array([bool(best) for best in ranked], dtype=np.bool_)
    poses = np.array([best[0].camera_from_object if best else np.eye(4) for best in ranked]).reshape(-1, 4, 4)
    return PoseTrack(orthonormalize(filled(poses, valid)), valid, valid.astype(np.float64))


def _parsed(line: str) -> BopEstimate:
    parts = line.strip().split(",")
    if len(parts) != 7:
        raise InputError(f"expected 7 values separated by commas ({HEADER}), but found {len(parts)}")
    ids = [_whole(text, name) for text, name in zip(parts[:3], ("scene_id", "im_id", "obj_id"))]
    score = _floats(parts[3], 1, "score")[0]
    rotation = _floats(parts[4], 9, "R").reshape(3, 3)
    shift = _floats(parts[5], 3, "t") * _MM
    time = float(_floats(parts[6], 1, "time")[0])
    out = BopEstimate(ids[0], ids[1], ids[2], float(score), se3(rotation, shift), time)
    _check(out)
    return out


def _check(e: BopEstimate) -> None:
    pose = np.asarray(e.camera_from_object)
    if pose.shape != (4, 4) or not np.isfinite(pose).all():
        raise InputError(f"the pose must be (4, 4) finite numbers, but is {pose.tolist()}")
    if not is_rotation(pose[:3, :3], ROTATION_TOLERANCE):
        r = pose[:3, :3]
        off, det = float(np.abs(r @ r.T - np.eye(3)).max()), float(np.linalg.det(r))
        raise InputError(
            f"R is no rotation: R R' differs from the identity by {off:.3g} (at most {ROTATION_TOLERANCE:g}), "
            f"its determinant is {det:.3g}; nine numbers row by row are expected"
        )
    if min(e.scene_id, e.im_id, e.obj_id) < 0:
        raise InputError(f"numbers must not be negative: {e.scene_id}, {e.im_id}, {e.obj_id}")
    if not math.isfinite(e.score):
        raise InputError(f"score must be a finite number, but is {e.score}")
    if not (e.time >= 0 or e.time == -1):
        raise InputError(f"time must be seconds, or -1 where it is not known, but is {e.time}")


def _check_time(e: BopEstimate, times: dict[tuple[int, int], tuple[float, int]], number: int) -> None:
    """All rows of an image must have one time, which is that of the whole image."""
    time, first = times.setdefault((e.scene_id, e.im_id), (e.time, number))
    if abs(time - e.time) > _TIME_SLACK:
        raise InputError(
            f"time is {e.time:g}, but {time:g} at {first} for the same image {e.im_id} of scene {e.scene_id}; "
            "every row of an image must have the time of the whole image"
        )


def _whole(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{name} must be a whole number, but is {text.strip()!r}") from None


def _floats(text: str, count: int, name: str) -> Array:
    words = text.split()
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        raise InputError(f"{name} must be {count} numbers separated by spaces, but is {text!r}") from None
    if len(values) != count:
        raise InputError(f"{name} must be {count} numbers separated by spaces, but has {len(values)}")
    if not np.isfinite(values).all():
        raise InputError(f"{name} holds a value that is not finite: {text!r}")
    return values


def _time(time: float) -> str:
    return "-1" if time == -1 else repr(float(time))
