"""Poses and joints at even times, gaps bridged."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.geometry.se3 import se3, so3_exp, so3_log


def poses_at(times: Array, poses: Array, valid: Bools, at: Array) -> Array:
    """Poses (N, 4, 4) at times (N,), on the way between the valid ones before and after.

    Args:
        times: (T,) seconds, growing.
        poses: (T, 4, 4).
        valid: (T,) frames that count; at least one.
        at: (N,) seconds; before the first and after the last valid frame its pose is kept.
    """
    before, after, share = _between(times[valid], at)
    known = poses[valid]
    first, second = known[before], known[after]
    step = so3_log(np.swapaxes(first[:, :3, :3], 1, 2) @ second[:, :3, :3])
    rotation = first[:, :3, :3] @ so3_exp(share[:, None] * step)
    return se3(rotation, (1.0 - share[:, None]) * first[:, :3, 3] + share[:, None] * second[:, :3, 3])


def points_at(times: Array, points: Array, valid: Bools, at: Array) -> Array:
    """Points (N, ..., 3) at times (N,), as :func:`poses_at`."""
    before, after, share = _between(times[valid], at)
    known = points[valid]
    weight = share.reshape(-1, *[1] * (points.ndim - 1))
    out: Array = (1.0 - weight) * known[before] + weight * known[after]
    return out


def distance_to_valid(times: Array, valid: Bools, at: Array) -> Array:
    """(N,) seconds of the gap that each time lies in: between the valid frames around it; inf outside them."""
    known = times[valid]
    before, after, _ = _between(known, at)
    gap = known[after] - known[before]
    slack = 1e-9
    gap[(at < known[0] - slack) | (at > known[-1] + slack)] = np.inf
    return np.asarray(gap)


def _between(known: Array, at: Array) -> tuple[np.ndarray, np.ndarray, Array]:
    """Indices of the known times before and after each time, and the share of the way."""
    after = np.clip(np.searchsorted(known, at), 0, len(known) - 1)
    before = np.where(known[after] > at, np.maximum(after - 1, 0), after)
    span = known[after] - known[before]
    share = np.where(span > 0, (at - known[before]) / np.where(span > 0, span, 1.0), 0.0)
    return before, after, np.clip(share, 0.0, 1.0)
