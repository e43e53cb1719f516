"""What all dataset readers share: small files with clear errors, and truth as tracks with absence kept apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Camera, HandTrack, Mesh, PoseTrack, RigidObject
from dexman_pose.data.files import door, reason, single_line
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.datasets.recording import Problem
from dexman_pose.errors import InputError, MeshError
from dexman_pose.geometry.se3 import orthonormalize
from dexman_pose.meshing.load import load_mesh

log = getLogger(__name__)
OnProblem = Callable[[Problem], None]

_ROTATION_SLACK = 5e-3  # entries of R R' - I; a fit printed with few digits is still a rotation


def report(on_problem: OnProblem | None, problem: Problem) -> None:
    """Report a problem to the callback, or to the log where there is none."""
    if on_problem is None:
        log.warning("%s", problem)
    else:
        on_problem(problem)


@contextmanager
def reported(on_problem: OnProblem | None, sequence: str, path: Path, what: str) -> Iterator[None]:
    """Report what goes wrong in the block as a problem, on one line, and go on behind it.

    Args:
        on_problem: gets it, or the log where it is None.
        sequence: the name of what is read.
        path: the file or folder it is read from.
        what: what that should have been, e.g. ``"a scene of a BOP dataset"``.
    """
    try:
        with np.errstate(all="ignore"):
            yield
    except InputError as error:
        report(on_problem, Problem(sequence, path, single_line(str(error))))
    except Exception as error:  # of a damaged file: see door
        report(on_problem, Problem(sequence, path, f"is damaged or not {what}: {reason(error)}"))


def read_image(path: Path) -> NDArray[Any]:
    """Pixels as they are in the file.

    Raises:
        InputError: missing or damaged.
    """
    with door(path, "an image"), Image.open(path) as image:
        return np.array(image)


def image_size(path: Path) -> tuple[int, int]:
    """(width, height) from an image's header.

    Raises:
        InputError: missing or damaged.
    """
    with door(path, "an image"), Image.open(path) as image:
        return image.size


def read_depth_image(path: Path, unit_m: float) -> NDArray[np.float32]:
    """(H, W) metres of a depth image with ``unit_m`` metres per step; 0 where nothing was measured.

    Raises:
        InputError: missing, damaged, or of 8 bits.
    """
    raw = read_image(path)
    if raw.ndim != 2 or raw.dtype.itemsize < 2:
        raise InputError(
            f"{path} must be a depth image with one number of 16 bits or more per pixel, but is "
            f"{raw.dtype} of shape {raw.shape}"
        )
    metres = raw.astype(np.float32) * np.float32(unit_m)
    metres[~(np.isfinite(metres) & (metres > 0))] = 0.0
    return metres


def read_mesh(path: Path, unit: str) -> Mesh:
    """A mesh file; those read last are kept, so that recordings of one object share its mesh.

    Args:
        path: the file.
        unit: as :func:`dexman_pose.meshing.load_mesh` has it.

    Raises:
        InputError: missing or damaged.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise InputError(f"no mesh file at {path}") from error
    return _read_mesh(path, unit, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)  # a textured scan can take 50 MB
def _read_mesh(path: Path, unit: str, _time: int, _size: int) -> Mesh:
    with door(path, "a mesh", MeshError):
        return load_mesh(path, unit)


def note_absent(paths: Sequence[Path], what: str) -> list[str]:
    """What to say of files that are not there: nothing, or one line that names the first."""
    absent = [path for path in paths if not path.is_file()]
    return [f"{len(absent)} of {len(paths)} {what} are not there, the first is {absent[0]}"] if absent else []


def is_rotation(rotation: ArrayLike, tolerance: float = _ROTATION_SLACK) -> Bools:
    """(...) whether matrices (..., 3, 3) are rotations within ``tolerance`` per entry of R R' - I."""
    r = np.asarray(rotation, dtype=np.float64)
    finite: Bools = np.asarray(np.isfinite(r).all((-1, -2)))
    r = np.where(finite[..., None, None], r, 0.0)
    error = np.abs(r @ np.swapaxes(r, -1, -2) - np.eye(3)).max((-1, -2))
    good: Bools = np.asarray(finite & (error <= tolerance) & (np.linalg.det(r) > 0), dtype=np.bool_)
    return good


def filled(poses: Array, valid: Bools) -> Array:
    """Poses (T, 4, 4) whose invalid rows hold the last valid one before them, else the first, else the identity."""
    if not valid.any():
        return np.tile(np.eye(4), (len(poses), 1, 1))
    last = np.maximum.accumulate(np.where(valid, np.arange(len(valid)), -1))
    last[last < 0] = int(np.argmax(valid))
    out: Array = poses[last]
    return out


def truth_track(poses: ArrayLike, valid: ArrayLike) -> tuple[PoseTrack, int]:
    """A track of true poses (T, 4, 4), and how many poses were left out because they are no rigid transforms.

    Rotations that are off by the digits of their file are made exact only where they would not pass as rotations.
    """
    transforms = np.array(poses, dtype=np.float64)
    given: Bools = np.asarray(valid, dtype=np.bool_)
    good: Bools = given & is_rotation(transforms[:, :3, :3]) & np.isfinite(transforms).all((1, 2))
    transforms[:, 3] = (0.0, 0.0, 0.0, 1.0)
    transforms = filled(transforms, good)
    rough = ~is_rotation(transforms[:, :3, :3], 5e-5)
    if rough.any():
        transforms[rough] = orthonormalize(transforms[rough])
    return PoseTrack(transforms, good, good.astype(np.float64)), int((given & ~good).sum())


def truth_object(
    name: str, mesh: Mesh, poses: ArrayLike, valid: ArrayLike, symmetry: Array | None = None
) -> tuple[RigidObject, list[str]]:
    """A true object, and in words what of it was left out."""
    track, bad = truth_track(poses, valid)
    known = np.eye(4)[None] if symmetry is None else symmetry
    notes = [f"{name}: {bad} poses are no rigid transforms and count as absent"] if bad else []
    return RigidObject(name, mesh, track, scale_source="given", symmetry=known), notes


def truth_hand(
    side: str, joints: ArrayLike, valid: ArrayLike, camera: Camera, joints_2d: ArrayLike | None = None
) -> HandTrack | None:
    """True joints (T, 21, 3) in the camera frame as a track, or None when there are none at all.

    Frames with a joint that is not finite or not in front of the camera count as absent.

    Args:
        side: ``"left"`` or ``"right"``.
        joints: metres, in the order of ``JOINT_NAMES``.
        valid: (T,) frames that are annotated.
        camera: projects the joints where ``joints_2d`` is None, with its lens, as they are in the pictures.
        joints_2d: (T, 21, 2) pixels.
    """
    points = np.array(joints, dtype=np.float64)
    finite = np.isfinite(points).all((1, 2))
    good: Bools = np.asarray(valid, np.bool_) & finite & (points[..., 2] > 1e-6).all(1)
    if not good.any():
        return None
    points[~good] = points[int(np.argmax(good))]
    pixels = camera.project_finite(points) if joints_2d is None else np.array(joints_2d, dtype=np.float64)
    pixels[~good] = 0.0
    bones = points[good] - points[good][:, np.maximum(JOINT_PARENTS, 0)]
    lengths = np.median(np.linalg.norm(bones, axis=-1), axis=0)
    none = np.zeros(len(good), np.bool_)
    return HandTrack(side, points, pixels, good, none, good.astype(np.float64), lengths, "given")
