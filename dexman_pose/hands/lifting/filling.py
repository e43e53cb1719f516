"""Short gaps and jitter: interpolation between sightings, and zero-phase smoothing that keeps fast motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, runs

Flags = NDArray[np.bool_]


def short_gaps(detected: Flags, times: Array, longest: float) -> Flags:
    """(T,) frames between two detections no more than ``longest`` seconds apart."""
    out = np.zeros(len(detected), dtype=bool)
    for start, stop in runs(~detected):
        inside = start > 0 and stop < len(detected)
        if inside and times[stop] - times[start - 1] <= longest + 1e-9:
            out[start:stop] = True
    return out


def interpolate(values: Array, known: Flags, wanted: Flags, times: Array) -> Array:
    """``values`` (T, ...) with the ``wanted`` frames linear in time between ``known`` ones; the rest untouched."""
    out = values.copy()
    at, source = np.flatnonzero(wanted), np.flatnonzero(known)
    if not len(at) or not len(source):
        return out
    flat = values.reshape(len(values), -1)
    for column in range(flat.shape[1]):
        filled = np.interp(times[at], times[source], flat[source, column])
        out.reshape(len(values), -1)[at, column] = filled
    return out


def hold(values: Array, known: Flags) -> Array:
    """``values`` (T, ...) with every frame that is not ``known`` replaced by the nearest known one."""
    source = np.flatnonzero(known)
    if not len(source):
        return values
    frames = np.arange(len(values))
    after = np.clip(np.searchsorted(source, frames), 0, len(source) - 1)
    before = np.clip(after - 1, 0, len(source) - 1)
    nearer = np.abs(source[before] - frames) <= np.abs(source[after] - frames)
    held: Array = values[np.where(nearer, source[before], source[after])]
    return held


def smooth(values: Array, valid: Flags, noise: float | Array) -> Array:
    """Take jitter off (T, J, D) without lag, within each run of valid frames.

    Every frame gets the value at its place of a parabola fitted to the two frames either side (Savitzky and Golay
    1964), which keeps constant velocity and acceleration exactly. Where the parabola disagrees with the frame by
    more than a few ``noise``, the motion is faster than the window can follow, and the frame keeps its own value.

    Args:
        values: (T, J, D).
        valid: (T,).
        noise: expected jitter in the unit of ``values``, one number or (T,).
    """
    out = values.copy()
    scale = np.broadcast_to(np.asarray(noise, dtype=np.float64), (len(values),))
    kernel = np.array([-3.0, 12.0, 17.0, 12.0, -3.0]) / 35.0
    for start, stop in runs(valid):
        if stop - start < 5:
            continue
        part = values[start:stop]
        fitted = sum(k * part[i : len(part) - 4 + i] for i, k in enumerate(kernel))
        inner = part[2:-2]
        off = np.linalg.norm(fitted - inner, axis=-1, keepdims=True) / scale[start + 2 : stop - 2, None, None]
        trust = 1.0 / (1.0 + (off / 3.0) ** 4)
        out[start + 2 : stop - 2] = inner + trust * (fitted - inner)
    return out
