"""The cameras of a TACO sequence: fixed ones and the one on the head, fitted to the pictures as they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.datasets.taco.files import TacoSequence, load_array
from dexman_pose.errors import InputError, MissingExtraError
from dexman_pose.geometry.se3 import orthonormalize, se3

EGOCENTRIC = "egocentric"
HEAD_SIZE = (1920, 1080)
"""Size the head camera's intrinsics are given for."""

_ASPECT = 0.02  # 4096x3000 is also given out as 512x376, whose aspect differs by 0.3 %
_RIGID = 1e-2  # worse than this is no rotation; better is mended
_FARTHEST = 1e4  # metres; anything beyond is damage


@dataclass(frozen=True)
class VideoHeader:
    """What the container says, without decoding.

    Attributes:
        size: width and height.
        frames: how many; 0 where it does not say.
    """

    size: tuple[int, int]
    frames: int


@dataclass(frozen=True)
class View:
    """One camera of a sequence.

    Attributes:
        name: its serial number, or :data:`EGOCENTRIC`.
        camera: of the pictures as they are.
        camera_from_world: (4, 4), or (N, 4, 4) for the head.
        valid: (N,) bool, frames whose pose of the head is known; None for a camera that stands still.
        video: the pictures.
        frames: of the video, 0 where unknown.
        notes: what is missing or was changed.
    """

    name: str
    camera: Camera
    camera_from_world: Array
    valid: NDArray[np.bool_] | None
    video: Path | None
    frames: int
    notes: tuple[str, ...]


def video_header(path: Path) -> VideoHeader:
    """Size and number of frames of a video; packets are counted where the container does not say.

    Raises:
        InputError: it cannot be opened, or holds no pictures.
    """
    av = require("av", "video", "reading videos")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError(f"{path.name} holds no pictures")
            stream = container.streams.video[0]
            if stream.codec_context is None or not stream.codec_context.width:
                raise InputError(f"{path.name} does not say how its pictures are coded")
            count = int(stream.frames or 0)
            if not count:
                count = sum(1 for packet in container.demux(stream) if packet.size)
            return VideoHeader((int(stream.codec_context.width), int(stream.codec_context.height)), count)
    except (av.error.FFmpegError, OSError, UnicodeDecodeError) as error:  # its tags may be any bytes
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise InputError(f"{path.name} cannot be opened as a video ({reason})") from error


def serials(sequence: TacoSequence) -> list[str]:
    """Serial numbers of the fixed cameras that are calibrated."""
    return sorted(_calibration(sequence))


def fixed_view(sequence: TacoSequence, serial: str, *, marker_removed: bool, distortion: bool) -> View:
    """A fixed camera by its serial number.

    Raises:
        InputError: it is not calibrated, or the calibration is none.
    """
    entries = _calibration(sequence)
    if serial not in entries:
        raise InputError(f"calibration.json has no camera {serial}; it has {', '.join(sorted(entries))}")
    camera, pose = _fixed_camera(serial, entries[serial], distortion)
    kind = "marker_removed" if marker_removed else "videos"
    video, header, notes = _video(sequence, kind, f"{serial}.mp4")
    if header is not None and header.size != (camera.width, camera.height):
        camera, note = _resized(camera, header.size, f"{serial}.mp4", "imgSize")
        notes.append(note)
    return View(serial, camera, pose, None, video, header.frames if header else 0, tuple(notes))


def _calibration(sequence: TacoSequence) -> dict[str, Any]:
    path = sequence.find("cameras", "calibration.json")
    if path is None:
        raise InputError("there is no calibration.json of the fixed cameras")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"calibration.json is damaged ({str(error)[:80]})") from error
    if not isinstance(value, dict):
        raise InputError("calibration.json must map serial numbers to cameras")
    return {k: v for k, v in value.items() if isinstance(v, dict) and k.replace("_", "").isalnum()}


def _fixed_camera(serial: str, entry: dict[str, Any], distortion: bool) -> tuple[Camera, Array]:
    try:
        width, height = (int(n) for n in entry["imgSize"])
        k = np.asarray(entry["K"], dtype=np.float64).reshape(3, 3)
        rotation = np.asarray(entry["R"], dtype=np.float64).reshape(3, 3)
        translation = np.asarray(entry["T"], dtype=np.float64).reshape(3)
        coefficients = _distortion(entry) if distortion else None
        camera = Camera(k, width, height, coefficients)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"calibration.json, camera {serial}: {what[:120]}") from error
    pose, valid = rigid_rows(se3(rotation, translation)[None])
    if not valid[0]:
        raise InputError(f"calibration.json, camera {serial}: R is no rotation")
    return camera, pose[0]


def _distortion(entry: dict[str, Any]) -> Array | None:
    """Coefficients in OpenCV's order, under whichever name they stand."""
    for name, value in entry.items():
        if name.lower().startswith("dist") or name == "D":
            return np.asarray(value, dtype=np.float64).reshape(-1)
    return None


def head_view(sequence: TacoSequence) -> View:
    """The camera on the head.

    Raises:
        InputError: its intrinsics or its path are missing, damaged, or do not fit the pictures.
    """
    path = sequence.find("head_camera", "egocentric_intrinsic.txt")
    poses = sequence.find("head_camera", "egocentric_frame_extrinsic.npy")
    if path is None or poses is None:
        lacking = "egocentric_intrinsic.txt" if path is None else "egocentric_frame_extrinsic.npy"
        raise InputError(f"there is no {lacking}")
    k = _head_intrinsics(path)
    extrinsics, valid = rigid_rows(load_array(poses, (None, 4, 4)))
    if not valid.any():
        raise InputError(f"{poses.name} holds no pose of the head camera")
    video, header, notes = _video(sequence, "head_video", "color.mp4")
    size = header.size if header else None
    camera, note = _head_camera(k, size)
    notes += [note] if note else []
    if not valid.all():
        notes.append(f"{poses.name}: {int((~valid).sum())} of {len(valid)} frames have no pose of the camera")
    return View(EGOCENTRIC, camera, extrinsics, valid, video, header.frames if header else 0, tuple(notes))


def _head_intrinsics(path: Path) -> Array:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            numbers = [float(x) for x in stream.read(4096).replace(",", " ").split()]
        k = np.array(numbers).reshape(3, 3)
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} must hold the 9 numbers of a 3x3 matrix ({error})") from error
    if not np.isfinite(k).all():
        raise InputError(f"{path.name} holds NaN or infinite numbers")
    return k


def _head_camera(k: Array, size: tuple[int, int] | None) -> tuple[Camera, str]:
    """The file does not say which size its matrix is for: the pictures', unless its centre is far from theirs."""
    if size is None:
        return Camera(k, *HEAD_SIZE), "the size of the head camera's pictures is taken for 1920x1080"
    if _central(k, size):
        return Camera(k, *size), ""
    if not _central(k, HEAD_SIZE):
        raise InputError(
            f"egocentric_intrinsic.txt has its centre at ({k[0, 2]:g}, {k[1, 2]:g}), which fits neither the "
            f"{size[0]}x{size[1]} pictures nor 1920x1080"
        )
    return _resized(Camera(k, *HEAD_SIZE), size, "color.mp4", "the intrinsics' size")


def _central(k: Array, size: tuple[int, int]) -> bool:
    return all(0.25 < k[axis, 2] / size[axis] < 0.75 for axis in (0, 1))


def _resized(camera: Camera, size: tuple[int, int], name: str, what: str) -> tuple[Camera, str]:
    factor = np.array(size) / [camera.width, camera.height]
    if abs(factor[0] / factor[1] - 1) > _ASPECT:
        raise InputError(
            f"{name} is {size[0]}x{size[1]}, which is no resized {camera.width}x{camera.height} ({what})"
        )
    note = f"{name} is {size[0]}x{size[1]}, {what} {camera.width}x{camera.height}: intrinsics are scaled"
    return camera.cropped(0.0, 0.0, *size, scale=factor), note


def _video(sequence: TacoSequence, kind: str, name: str) -> tuple[Path | None, VideoHeader | None, list[str]]:
    path = sequence.find(kind, name)
    if path is None:
        return None, None, [f"the video {name} is missing"]
    try:
        return path, video_header(path), []
    except MissingExtraError:
        return path, None, [f"{name} was not checked, because the package 'av' is not installed"]
    except InputError as error:
        return None, None, [str(error)]


def rigid_rows(poses: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Rigid transforms (N, 4, 4) and which rows are given; the others hold the last good one before or after.

    Rounding of single precision is mended; NaN, zeros and what is no rotation count as not given.
    """
    poses = np.array(poses, dtype=np.float64)
    finite: NDArray[np.bool_] = np.asarray((np.abs(poses) < _FARTHEST).all(axis=(1, 2)))  # NaN is not
    safe: Array = np.where(finite[:, None, None], poses, 0.0)
    r = safe[:, :3, :3]
    error = np.abs(r @ np.swapaxes(r, 1, 2) - np.eye(3)).max(axis=(1, 2), initial=0.0)
    valid: NDArray[np.bool_] = finite & (error < _RIGID) & (np.linalg.det(r) > 0)
    valid &= np.abs(safe[:, 3] - [0, 0, 0, 1]).max(axis=1, initial=0.0) < _RIGID
    mended = valid & (error > 1e-9)
    safe[mended] = orthonormalize(safe[mended])
    safe[:, 3] = [0, 0, 0, 1]
    return filled(safe, valid, np.eye(4)), valid


def filled(rows: Array, valid: NDArray[np.bool_], default: Array) -> Array:
    """Rows that are not valid replaced by the last valid one before, else the first after, else ``default``."""
    out = rows.copy()
    if not valid.any():
        out[:] = default
        return out
    at = np.maximum.accumulate(np.where(valid, np.arange(len(valid)), -1))
    at[at < 0] = int(np.argmax(valid))
    return np.asarray(out[at])
