"""From errors per frame to one number: areas under accuracy curves, recalls, means. Never NaN, never infinite.

A frame without an estimate (``valid`` false) fails: it counts nothing in every area and recall, and is left out of
means and medians, where its number is given beside them. Without any frame every score is 0.0, and the count says so.
What stands in ``errors`` for frames without an estimate is not looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array, Bools
from dexman_pose.errors import InputError
from dexman_pose.metrics import _given

BOP_FRACTIONS: Array = np.arange(5, 55, 5, dtype=np.float64) / 100.0
"""0.05 to 0.5: BOP's thresholds of VSD, and of MSSD in diameters. The nearest doubles, so that an error of 0.15 is no
success at 0.15, which a sum of steps would make it."""

BOP_PIXELS: Array = np.arange(5, 55, 5, dtype=np.float64)
"""5 to 50: BOP's thresholds of MSPD in pixels, for images 640 wide."""


class Summary(NamedTuple):
    """Mean and median of the frames with an estimate, 0.0 where there are none, and how many there are.

    Attributes:
        mean: of frames with an estimate, unit of the errors.
        median: the same.
        frames: all frames.
        failures: frames without an estimate.
    """

    mean: float
    median: float
    frames: int
    failures: int


class BopRecall(NamedTuple):
    """BOP's average recalls, in [0, 1].

    Attributes:
        ar: mean of the three; None without VSD, for which a depth image is needed.
        ar_vsd: over misalignment tolerances and thresholds, or None.
        ar_mssd: over thresholds of 0.05 to 0.5 diameters.
        ar_mspd: over thresholds of 5 to 50 pixels.
    """

    ar: float | None
    ar_vsd: float | None
    ar_mssd: float
    ar_mspd: float


def auc(errors: ArrayLike, valid: ArrayLike | None = None, *, max_threshold: float = 0.1) -> float:
    """Exact area under the accuracy-threshold curve from 0 to ``max_threshold``, normalised to [0, 1].

    The closed form of that integral: the mean over frames of ``max(0, 1 - error / max_threshold)``.

    Args:
        errors: (N,) in the unit of ``max_threshold``; with ADD or ADD-S in metres and 0.1 the usual AUC.
        valid: (N,) frames with an estimate; all if None.
        max_threshold: upper end of the curve.

    Raises:
        InputError: an error of a valid frame is negative or not finite, shapes differ, or no positive threshold.
    """
    known, frames = _checked(errors, valid)
    limit = _given.positive(max_threshold, "max_threshold")
    return float(np.maximum(0.0, 1.0 - known / limit).sum()) / frames if frames else 0.0


def auc_posecnn(errors: ArrayLike, valid: ArrayLike | None = None, *, max_threshold: float = 0.1) -> float:
    """The area as YCB_Video_toolbox (PoseCNN, Xiang et al., RSS 2018) sums it, in [0, 1]: for old tables only.

    Between two neighbouring errors it takes the accuracy at the larger one (the VOC step rule), an upper sum: it is
    too high by at most 1 / frames, so up to 1.0 for a single frame. Where nothing is below the threshold it is 0.0.
    Arguments and errors as for :func:`auc`.
    """
    known, frames = _checked(errors, valid)
    limit = _given.positive(max_threshold, "max_threshold")
    below = np.sort(known[known <= limit])
    if not len(below):
        return 0.0
    accuracy = np.arange(1, len(below) + 1) / frames
    at = np.concatenate([[0.0], below, [limit]])
    heights = np.concatenate([accuracy, accuracy[-1:]])
    return float((np.diff(at) * heights).sum() / limit)


def auc_trapezoid(
    errors: ArrayLike, valid: ArrayLike | None = None, *, max_threshold: float = 0.1, steps: int = 101
) -> float:
    """The area by trapezoids over ``steps`` thresholds from 0 on, "at most" counting, as FoundationPose's helper.

    Within 0.005 of :func:`auc` for 101 steps. Arguments and errors as there.
    """
    known, frames = _checked(errors, valid)
    limit = _given.positive(max_threshold, "max_threshold")
    if steps < 2:
        raise InputError(f"steps must be at least 2, the two ends of the curve, but is {steps}")
    if not frames:
        return 0.0
    thresholds = np.linspace(0.0, limit, steps)
    accuracy = np.searchsorted(np.sort(known), thresholds, side="right") / frames
    return float(np.trapezoid(accuracy, thresholds) / limit)


def recall(errors: ArrayLike, threshold: ArrayLike, valid: ArrayLike | None = None) -> float:
    """Share of all frames with an estimate whose error is below the threshold: strictly below, as in BOP.

    Args:
        errors: (N,).
        threshold: one for all, or (N,) one per frame, e.g. 0.1 times each object's diameter.
        valid: (N,) frames with an estimate; all if None.

    Raises:
        InputError: an error of a valid frame is negative or not finite, or shapes differ.
    """
    e = _given.real(errors, "errors")
    _checked(e, valid)
    limits = _given.real(threshold, "threshold")
    if limits.shape not in ((), e.shape) or not np.isfinite(limits).all():
        raise InputError(
            f"threshold must be one number or one per frame {e.shape}, but has shape {limits.shape}"
        )
    good = _valid(e, valid)
    return float(np.count_nonzero((e < limits) & good)) / len(e) if len(e) else 0.0


def average_recall(errors: ArrayLike, thresholds: ArrayLike, valid: ArrayLike | None = None) -> float:
    """Mean of :func:`recall` over thresholds, and over columns where each frame has several errors.

    Args:
        errors: (N,), or (N, K), e.g. VSD at K misalignment tolerances: every column meets every threshold.
        thresholds: (T,) with T at least 1.
        valid: (N,) frames with an estimate; all if None.

    Raises:
        InputError: as for :func:`recall`.
    """
    e = _given.real(errors, "errors")
    limits = _given.real(thresholds, "thresholds")
    if limits.ndim != 1 or not len(limits) or not np.isfinite(limits).all():
        raise InputError(f"thresholds must be a list of finite numbers, but has shape {limits.shape}")
    if e.ndim not in (1, 2):
        raise InputError(f"errors must be (N,) or (N, K), but have shape {e.shape}")
    columns = e[:, None] if e.ndim == 1 else e
    good = _valid(columns[:, 0] if columns.shape[1] else np.zeros(len(e)), valid)
    _finite(columns[good])
    if columns.size == 0:
        return 0.0
    # Sums of whole numbers: the mean of equal recalls is that recall.
    hits = sum(int(np.count_nonzero(columns[good] < limit)) for limit in limits)
    return hits / (columns.size * len(limits))


def ar_bop(
    vsd: ArrayLike | None,
    mssd_relative: ArrayLike,
    mspd_normalized: ArrayLike,
    valid: ArrayLike | None = None,
    *,
    vsd_valid: ArrayLike | None = None,
) -> BopRecall:
    """BOP's average recall AR = (AR_VSD + AR_MSSD + AR_MSPD) / 3 (Hodan et al., ECCVW 2020).

    Args:
        vsd: (M, T) VSD at the T tolerances tau of 0.05 to 0.5 diameters; None without depth.
        mssd_relative: (N,) MSSD divided by the object's diameter.
        mspd_normalized: (N,) MSPD in pixels times 640 / image width.
        valid: (N,) frames with an estimate; all if None.
        vsd_valid: (M,) the same for ``vsd``; ``valid`` if None, and then M is N.

    Raises:
        InputError: an error of a valid frame is negative or not finite, or shapes differ.
    """
    by_distance = average_recall(_frames(mssd_relative, "mssd_relative"), BOP_FRACTIONS, valid)
    by_pixel = average_recall(_frames(mspd_normalized, "mspd_normalized"), BOP_PIXELS, valid)
    if vsd is None:
        return BopRecall(None, None, by_distance, by_pixel)
    surface = _given.real(vsd, "vsd")
    if surface.ndim != 2:
        raise InputError(f"vsd must be (N, T), one column per tolerance, but has shape {surface.shape}")
    by_surface = average_recall(surface, BOP_FRACTIONS, valid if vsd_valid is None else vsd_valid)
    return BopRecall((by_surface + by_distance + by_pixel) / 3.0, by_surface, by_distance, by_pixel)


def summary(errors: ArrayLike, valid: ArrayLike | None = None) -> Summary:
    """Mean and median over the frames with an estimate, and how many frames there are with and without.

    Args:
        errors: (N,).
        valid: (N,) frames with an estimate; all if None.

    Raises:
        InputError: an error of a valid frame is negative or not finite, or shapes differ.
    """
    known, frames = _checked(errors, valid)
    if not len(known):
        return Summary(0.0, 0.0, frames, frames)
    return Summary(float(known.mean()), float(np.median(known)), frames, frames - len(known))


def _checked(errors: ArrayLike, valid: ArrayLike | None) -> tuple[Array, int]:
    """Errors of the valid frames, and the number of all frames."""
    e = _frames(errors, "errors")
    known = e[_valid(e, valid)]
    _finite(known)
    return known, len(e)


def _frames(values: ArrayLike, name: str) -> Array:
    out = _given.real(values, name)
    if out.ndim != 1:
        raise InputError(f"{name} must be (N,), one per frame, but have shape {out.shape}")
    return out


def _valid(errors: Array, valid: ArrayLike | None) -> Bools:
    if valid is None:
        return np.ones(len(errors), np.bool_)
    return _given.flags(valid, "valid", (len(errors),))


def _finite(known: Array) -> None:
    if not (np.isfinite(known) & (known >= 0.0)).all():
        count = int((~(np.isfinite(known) & (known >= 0.0))).sum())
        raise InputError(
            f"{count} errors of frames with an estimate are negative, NaN or infinite: mark frames without an "
            "estimate in valid"
        )
