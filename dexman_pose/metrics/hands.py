"""Hands: joint and vertex errors, area under the PCK curve, F-score; each under a named alignment.

Definitions follow HO3D's and FreiHAND's evaluations (Hampali et al., CVPR 2020; Zimmermann et al., ICCV 2019), but
for three things: areas are exact rather than sums over 100 thresholds, a frame without an estimate is a failure, and
Procrustes alignment never mirrors a hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array, Bools
from dexman_pose.errors import InputError
from dexman_pose.metrics import _given
from dexman_pose.metrics.alignment import MIDDLE_KNUCKLE, WRIST, Alignment, align_points
from dexman_pose.metrics.mesh_points.kd_tree import kd_tree

PCK_MAX = 0.05
"""Metres, upper end of the PCK curve of HO3D and FreiHAND."""
F_THRESHOLDS = (0.005, 0.015)
"""Metres, the thresholds of HO3D's and FreiHAND's F-scores."""


def joint_errors(
    estimated: ArrayLike,
    true: ArrayLike,
    *,
    align: Alignment = "none",
    root: int = WRIST,
    bone: tuple[int, int] = (WRIST, MIDDLE_KNUCKLE),
) -> Array:
    """Distance of every estimated point to the true one, after alignment.

    Args:
        estimated: (..., N, 3) metres: 21 joints, or the vertices of a hand model.
        true: (..., N, 3) metres, the same points.
        align: ``"none"``, ``"root"``, ``"scale_translation"`` or ``"procrustes"``; frame by frame, see
            :func:`~dexman_pose.metrics.alignment.align_points`.
        root: index of the point that ``"root"`` goes by.
        bone: indices of the two points that ``"scale_translation"`` goes by.

    Returns:
        (..., N) metres.

    Raises:
        InputError: shapes differ, values are not finite, unknown alignment.
    """
    moved = align_points(estimated, true, align, root=root, bone=bone)
    errors: Array = np.linalg.norm(moved - _given.real(true, "true points"), axis=-1)
    return errors


def pck_auc(errors: ArrayLike, valid: ArrayLike | None = None, *, max_threshold: float = PCK_MAX) -> float:
    """Area under the curve of correct points over thresholds from 0 to ``max_threshold``, in [0, 1]; exact.

    The curve's area has a closed form, the mean of ``max(0, 1 - error / max_threshold)``; all points of all frames
    weigh the same. Frames that are not valid count as 0. Without any frame the area is 0.

    Args:
        errors: (..., N) metres, N points a frame.
        valid: (...,) bool, frames with an estimate; all when left out. Errors of others are not looked at.
        max_threshold: metres.

    Raises:
        InputError: wrong shapes, a negative or non-finite error in a valid frame, a threshold that is not positive.
    """
    e, known = _checked_errors(errors, valid)
    _given.positive(max_threshold, "max_threshold")
    gained = np.clip(1.0 - e[known] / max_threshold, 0.0, None)
    return float(gained.sum() / max(e.size, 1))


def pck(errors: ArrayLike, threshold: float, valid: ArrayLike | None = None) -> float:
    """Share of points with an error below ``threshold`` (metres); frames that are not valid hold none.

    Arguments as :func:`pck_auc`. Without any frame the share is 0.
    """
    e, known = _checked_errors(errors, valid)
    return float((e[known] < threshold).sum() / max(e.size, 1))


@dataclass(frozen=True)
class HandError:
    """Errors of a hand over the frames whose truth is known.

    Attributes:
        alignment: what was done before comparing; without it the figures mean nothing.
        frames: frames with truth.
        failures: of these, frames without an estimate: left out of means and medians, wrong in areas and shares.
        unmatched: frames with an estimate but without truth; they are not looked at.
        mean: metres, over points and frames; None when no frame has both.
        median: metres, likewise.
        per_point_mean: (N,) metres, likewise.
        auc: area under the PCK curve from 0 to ``auc_max_threshold``, in [0, 1].
        auc_max_threshold: metres.
        recall: share of points within each of ``recall_thresholds``, in [0, 1].
        recall_thresholds: metres.
        errors: (..., N) metres, 0 where ``valid`` is False.
        valid: (...,) frames with truth and estimate.
    """

    alignment: str
    frames: int
    failures: int
    unmatched: int
    mean: float | None
    median: float | None
    per_point_mean: Array | None
    auc: float
    auc_max_threshold: float
    recall: tuple[float, ...]
    recall_thresholds: tuple[float, ...]
    errors: Array
    valid: Bools


def hand_error(
    estimated: ArrayLike,
    true: ArrayLike,
    *,
    align: Alignment = "none",
    valid_estimated: ArrayLike | None = None,
    valid_true: ArrayLike | None = None,
    max_threshold: float = PCK_MAX,
    thresholds: tuple[float, ...] = (0.01, 0.02, 0.03),
    root: int = WRIST,
    bone: tuple[int, int] = (WRIST, MIDDLE_KNUCKLE),
) -> HandError:
    """Errors of a hand over a clip, or of several: joints (21) or vertices.

    Args:
        estimated: (..., N, 3) metres; frames that are not valid may hold anything.
        true: (..., N, 3) metres, the same points; likewise.
        align: see :func:`joint_errors`.
        valid_estimated: (...,) bool, frames with an estimate; all when left out.
        valid_true: (...,) bool, frames with truth; all when left out.
        max_threshold: metres, upper end of the PCK curve.
        thresholds: metres, of the shares of points within them.
        root: index of the root.
        bone: indices of the bone that scale goes by.

    Raises:
        InputError: shapes differ, values of valid frames are not finite, unknown alignment.
    """
    e, t = _given.real(estimated, "estimated points"), _given.real(true, "true points")
    has_estimate, has_truth = _masks(e, t, valid_estimated, valid_true)
    both = has_estimate & has_truth
    errors = np.zeros(e.shape[:-1])
    errors[both] = joint_errors(e[both], t[both], align=align, root=root, bone=bone)
    known, scored = errors[both], (errors[has_truth], has_estimate[has_truth])
    return HandError(
        align,
        int(has_truth.sum()),
        int((has_truth & ~has_estimate).sum()),
        int((has_estimate & ~has_truth).sum()),
        float(known.mean()) if known.size else None,
        float(np.median(known)) if known.size else None,
        known.mean(0) if known.size else None,
        pck_auc(*scored, max_threshold=max_threshold),
        max_threshold,
        tuple(pck(scored[0], limit, scored[1]) for limit in thresholds),
        tuple(thresholds),
        errors,
        both,
    )


@dataclass(frozen=True)
class FScore:
    """Harmonic mean of precision and recall of points at one threshold; arrays over the leading dimensions.

    Attributes:
        precision: (...,) share of estimated points with a true one nearer than the threshold.
        recall: (...,) share of true points with an estimated one nearer than the threshold.
        f_score: (...,) their harmonic mean; 0 where both are 0.
        threshold: metres.
        alignment: what was done before.
    """

    precision: Array
    recall: Array
    f_score: Array
    threshold: float
    alignment: str

    @property
    def mean(self) -> float:
        """Mean F-score over all frames; frames without an estimate count as 0. Without any frame 0."""
        return float(self.f_score.mean()) if self.f_score.size else 0.0


def f_score(
    estimated: ArrayLike,
    true: ArrayLike,
    threshold: float,
    *,
    align: Alignment = "none",
    valid: ArrayLike | None = None,
) -> FScore:
    """F-score of two sets of points by nearest distances; needs no correspondence unless points are aligned.

    HO3D and FreiHAND take the vertices of the hand model at 5 and 15 mm (:data:`F_THRESHOLDS`), strictly nearer.
    Their scripts swap the names of precision and recall, which leaves the F-score the same.

    Args:
        estimated: (..., N, 3) metres.
        true: (..., M, 3) metres; the same points as ``estimated`` where ``align`` is not ``"none"``.
        threshold: metres.
        align: see :func:`joint_errors`.
        valid: (...,) frames with an estimate; others score 0 and may hold anything. All when left out.

    Raises:
        InputError: shapes do not fit, no points, values not finite, threshold not positive.
    """
    e, t = _given.real(estimated, "estimated points"), _given.real(true, "true points")
    _check_clouds(e, t)
    _given.positive(threshold, "threshold")
    known = _frames_mask(valid, e.shape[:-2], "valid")
    pairs_e, pairs_t = e[known].reshape(-1, *e.shape[-2:]), t[known].reshape(-1, *t.shape[-2:])
    if not (np.isfinite(pairs_e).all() and np.isfinite(pairs_t).all()):
        raise InputError("points to compare hold NaN or infinite values; mark such frames as not valid")
    if align != "none":
        pairs_e = align_points(pairs_e, pairs_t, align)
    both = np.array([_shares(a, b, threshold) for a, b in zip(pairs_e, pairs_t)]).reshape(-1, 2)
    out = np.zeros((3, *known.shape))
    total = both.sum(1)
    harmonic = 2.0 * both.prod(1) / np.where(total > 0, total, 1.0)
    out[:, known] = [both[:, 0], both[:, 1], harmonic]
    return FScore(out[0], out[1], out[2], float(threshold), align)


def _shares(estimated: Array, true: Array, threshold: float) -> tuple[float, float]:
    """Precision and recall of one pair of sets."""
    to_true = kd_tree(true).query(estimated)[0]
    to_estimated = kd_tree(estimated).query(true)[0]
    return float((to_true < threshold).mean()), float((to_estimated < threshold).mean())


def _check_clouds(estimated: Array, true: Array) -> None:
    fits = (
        min(estimated.ndim, true.ndim) >= 2
        and estimated.shape[-1] == true.shape[-1] == 3
        and estimated.shape[:-2] == true.shape[:-2]
        and min(estimated.shape[-2], true.shape[-2]) > 0
    )
    if not fits:
        raise InputError(
            "estimated and true points must be (..., N, 3) and (..., M, 3) with the same leading dimensions and at "
            f"least one point each, but got {estimated.shape} and {true.shape}"
        )


def _masks(
    estimated: Array, true: Array, valid_estimated: ArrayLike | None, valid_true: ArrayLike | None
) -> tuple[Bools, Bools]:
    if estimated.shape != true.shape or estimated.ndim < 2 or estimated.shape[-1] != 3:
        raise InputError(
            f"estimated and true points must both be (..., N, 3), but got {estimated.shape} and {true.shape}"
        )
    frames = estimated.shape[:-2]
    return _frames_mask(valid_estimated, frames, "valid_estimated"), _frames_mask(
        valid_true, frames, "valid_true"
    )


def _frames_mask(valid: ArrayLike | None, frames: tuple[int, ...], name: str) -> Bools:
    if valid is None:
        return np.ones(frames, np.bool_)
    return _given.flags(valid, name, frames)


def _checked_errors(errors: ArrayLike, valid: ArrayLike | None) -> tuple[Array, Bools]:
    e = _given.real(errors, "errors")
    if e.ndim == 0:
        raise InputError("errors must be (..., N), one per point, but got a single number")
    known = _frames_mask(valid, e.shape[:-1], "valid")
    if not (np.isfinite(e[known]).all() and (e[known] >= 0).all()):
        raise InputError("errors of valid frames must be finite and not negative")
    return e, known
