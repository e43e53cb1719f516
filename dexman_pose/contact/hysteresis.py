"""Switching with memory: on below one threshold, off above another, undecided in between."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.data.numbers import cast, count, described, number, plain
from dexman_pose.errors import InputError

Flags = NDArray[np.bool_]


def hysteresis(
    values: ArrayLike, valid: ArrayLike, threshold_on: float, threshold_off: float, *, min_frames: int = 1
) -> Flags:
    """Flags (..., T) that go on when a value falls below one threshold and off when it rises above another.

    Between the thresholds the last state is kept; before the first decision it is off. A frame that is not
    valid is off, and a contact does not bridge it. A run shorter than ``min_frames`` is removed.

    Args:
        values: (..., T), e.g. distances in metres.
        valid: (..., T) bool, broadcast against ``values``.
        threshold_on: a value strictly below it switches on.
        threshold_off: a value strictly above it switches off; at least ``threshold_on``.
        min_frames: shortest run of frames that counts, at least 1.

    Raises:
        InputError: the thresholds are the wrong way round, or ``min_frames`` is below 1.
    """
    threshold_on = number(threshold_on, "threshold_on")
    threshold_off = number(threshold_off, "threshold_off")
    min_frames = count(min_frames, "min_frames", least=-1)
    if not threshold_on <= threshold_off:
        raise InputError(
            f"threshold_on must not be above threshold_off, but got {threshold_on} and {threshold_off}"
        )
    if min_frames < 1:
        raise InputError(f"min_frames must be at least 1, but got {min_frames}")
    value = cast(plain(values, "values"), np.float64, "values")
    flags = cast(plain(valid, "valid"), np.bool_, "valid")
    if value.ndim == 0 or np.isnan(value).any():
        raise InputError(
            f"values must be numbers over time (..., frames), but got {described(values)} or NaN"
        )
    try:
        usable = np.broadcast_to(flags, value.shape)
    except ValueError as error:
        raise InputError(
            f"valid must fit values of shape {value.shape}, but has shape {flags.shape}"
        ) from error
    if value.shape[-1] == 0:
        return np.zeros(value.shape, bool)
    on = usable & (value < threshold_on)
    decided = on | ~usable | (value > threshold_off)
    return _without_short_runs(_last_decision(on, decided), min_frames)


def _last_decision(on: Flags, decided: Flags) -> Flags:
    """The state at the last decided frame up to each frame; off before the first one."""
    frame = np.arange(on.shape[-1])
    last = np.maximum.accumulate(np.where(decided, frame, -1), axis=-1)
    state: Flags = np.take_along_axis(on, np.maximum(last, 0), axis=-1) & (last >= 0)
    return state


def _without_short_runs(flags: Flags, min_frames: int) -> Flags:
    """Switch off runs of True that are shorter than ``min_frames``."""
    frame = np.arange(flags.shape[-1])
    before = np.maximum.accumulate(np.where(flags, -1, frame), axis=-1)
    after = np.where(flags, flags.shape[-1], frame)[..., ::-1]
    after = np.minimum.accumulate(after, axis=-1)[..., ::-1]
    kept: Flags = flags & (after - before - 1 >= min_frames)
    return kept
