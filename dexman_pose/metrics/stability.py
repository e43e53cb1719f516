"""Steadiness of a track: motion from frame to frame against the truth, and jitter.

Motion relative to the truth follows DexMan's evaluation (arXiv 2510.08475, appendix B.6), which leaves the map to
[0, 1] and the frame of the relative motions open; the choices made here are stated at each function.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.errors import InputError
from dexman_pose.geometry import inverse, rotation_angle
from dexman_pose.metrics import _given
from dexman_pose.metrics._images import pose_batch, valid_frames


@dataclass(frozen=True)
class Stability:
    """How well motion from frame to frame follows the truth.

    Attributes:
        mean: of the scores; None where no two successive frames both have an estimate.
        std: their standard deviation (of the population); None likewise.
        scores: (S,) in [0, 1], 1 best, one per pair of successive frames that both have an estimate.
        frames: (S,) the later frame of each pair.
        shifts: (S,) metres between the translations of both motions.
        turns: (S,) radians between their rotations.
    """

    mean: float | None
    std: float | None
    scores: Array
    frames: NDArray[np.int64]
    shifts: Array
    turns: Array


@dataclass(frozen=True)
class Jitter:
    """How much a track trembles.

    Attributes:
        acceleration: root mean square of the acceleration, metres per second squared; None where no run of valid
            frames is three long.
        relative: the same of the difference to the truth's acceleration, which a real motion does not raise; None
            without truth too.
        samples: accelerations that were averaged, over frames.
    """

    acceleration: float | None
    relative: float | None
    samples: int


def first_frame_aligned(estimated: ArrayLike, true: ArrayLike, valid: ArrayLike | None = None) -> Array:
    """The estimated track, moved as a whole so that its first valid frame is true.

    One transform of the frame the poses are given in, ``true[f] @ inverse(estimated[f])`` with f the first valid frame,
    is applied to all frames from the left. Give poses in the world (world_from_object), as the paper does, or in the
    camera (camera_from_object): for a camera that stands still both move the track in the same way; for one that moves
    only the world makes sense. What is measured afterwards is motion relative to that frame, not absolute pose.

    Args:
        estimated: (N, 4, 4) metres.
        true: (N, 4, 4) in the same frame.
        valid: (N,) bool, frames with an estimate; None for all. The others are moved too, and mean nothing.

    Returns:
        (N, 4, 4); unchanged when no frame is valid.

    Raises:
        InputError: wrong shapes, or NaN in a valid frame.
    """
    poses, truth, known = _tracks(estimated, true, valid)
    if not known.any():
        return poses.copy()
    first = int(np.argmax(known))
    # The frame itself is true to the last digit.
    moved = (truth[first] @ inverse(poses[first])) @ np.where(known[:, None, None], poses, np.eye(4))
    moved[first] = truth[first]
    return moved


def stability(
    estimated: ArrayLike,
    true: ArrayLike,
    valid: ArrayLike | None = None,
    *,
    translation_scale: float = 0.01,
    rotation_scale: float = 0.1,
) -> Stability:
    """Temporal stability: relative motions of successive frames against those of the truth.

    The motion from frame i - 1 to i is ``inverse(T[i - 1]) @ T[i]``, in the object's own frame, so that a constant
    offset of the whole track (an alignment of its first frame) changes nothing. Discrepancies are the distance d_t
    between the translations of both motions and the angle d_r between their rotations. The score of a pair is the mean
    of max(0, 1 - d_t / translation_scale) and max(0, 1 - d_r / rotation_scale); the paper gives the scales but not the
    map, nor how both are combined. Symmetry is not taken into account: spin about an axis of symmetry counts.

    Args:
        estimated: (N, 4, 4) metres.
        true: (N, 4, 4) in the same frame.
        valid: (N,) bool, frames with an estimate; None for all.
        translation_scale: metres at which the translation's score is 0.
        rotation_scale: radians at which the rotation's score is 0.

    Raises:
        InputError: wrong shapes, NaN in a valid frame, or scales that are not positive.
    """
    poses, truth, known = _tracks(estimated, true, valid)
    for name, scale in (("translation_scale", translation_scale), ("rotation_scale", rotation_scale)):
        if not (np.isfinite(scale) and scale > 0):
            raise InputError(f"{name} must be positive, but got {scale}")
    later = np.flatnonzero(known[1:] & known[:-1]) + 1
    if len(later) == 0:
        return Stability(None, None, np.zeros(0), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    own, real = (inverse(t[later - 1]) @ t[later] for t in (poses, truth))
    shift = np.linalg.norm(own[:, :3, 3] - real[:, :3, 3], axis=1)
    turn = rotation_angle(np.swapaxes(real[:, :3, :3], 1, 2) @ own[:, :3, :3])
    steady = np.maximum(0.0, 1.0 - shift / translation_scale) + np.maximum(0.0, 1.0 - turn / rotation_scale)
    scores = 0.5 * steady
    return Stability(float(scores.mean()), float(scores.std()), scores, later.astype(np.int64), shift, turn)


def jitter(track: ArrayLike, valid: ArrayLike | None, fps: float, *, true: ArrayLike | None = None) -> Jitter:
    """Root mean square acceleration, over runs of consecutive valid frames.

    The acceleration at a frame is the second difference of its position and those before and after, times fps squared;
    all three frames must be valid.

    Args:
        track: poses (N, 4, 4), whose origins are followed, or points (N, 3) or (N, J, 3); metres.
        valid: (N,) bool, frames with an estimate; None for all.
        fps: frames per second.
        true: the truth, of the same shape and in the same frame; then its acceleration is taken off as well.

    Raises:
        InputError: wrong shapes, NaN in a valid frame, or a frame rate that is not positive.
    """
    if not (np.isfinite(fps) and fps > 0):
        raise InputError(f"fps must be positive, but got {fps}")
    points = _points(track, "track")
    known = valid_frames(valid, len(points))
    own = _accelerations(points, known, fps, "track")
    relative = None
    if true is not None:
        truth = _points(true, "true")
        if truth.shape != points.shape:
            raise InputError(
                f"true must have the shape of the track, {np.shape(track)}, but got {np.shape(true)}"
            )
        relative = _rms(own - _accelerations(truth, known, fps, "true"))
    return Jitter(_rms(own), relative, len(own))


def _accelerations(points: Array, known: Bools, fps: float, name: str) -> Array:
    """(M, J, 3) at the frames with valid neighbours on both sides."""
    if not np.isfinite(points[known]).all():
        raise InputError(f"{name} holds NaN or infinity in a valid frame")
    middle = np.flatnonzero(known[2:] & known[1:-1] & known[:-2]) + 1
    out: Array = (points[middle + 1] - 2.0 * points[middle] + points[middle - 1]) * fps**2
    return out


def _rms(accelerations: Array) -> float | None:
    if accelerations.size == 0:
        return None
    return float(np.sqrt(np.mean(np.sum(accelerations**2, -1))))


def _points(track: ArrayLike, name: str) -> Array:
    """(N, J, 3) of poses or points."""
    values = _given.real(track, name)
    if values.ndim == 3 and values.shape[1:] == (4, 4):
        values = values[:, :3, 3]
    if values.ndim not in (2, 3) or values.shape[-1] != 3:
        raise InputError(
            f"{name} must be poses (N, 4, 4) or points (N, 3) or (N, J, 3), but got {values.shape}"
        )
    return values[:, None] if values.ndim == 2 else values


def _tracks(estimated: ArrayLike, true: ArrayLike, valid: ArrayLike | None) -> tuple[Array, Array, Bools]:
    """Both (N, 4, 4), checked in valid frames, and these."""
    poses, truth = _given.real(estimated, "estimated"), _given.real(true, "true")
    for name, track in (("estimated", poses), ("true", truth)):
        if track.ndim != 3 or track.shape[1:] != (4, 4) or len(track) != len(poses):
            raise InputError(f"{name} must have shape (N, 4, 4), as many as the other, but got {track.shape}")
    known = valid_frames(valid, len(poses))
    pose_batch(poses[known], "estimated")
    pose_batch(truth[known], "true")
    return poses, truth, known
