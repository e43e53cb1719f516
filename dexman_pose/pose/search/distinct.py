"""Choosing poses that differ: the best of many, none of them nearly another or its symmetric equivalent."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry import hat
from dexman_pose.geometry.symmetry import SymmetryGroup


def distinct_poses(
    poses: Array, scores: Array, count: int, angle: float, symmetry: SymmetryGroup | None = None
) -> list[int]:
    """Indices of the best poses whose rotations differ.

    Args:
        poses: (B, 4, 4).
        scores: (B,) higher is better.
        count: at most so many are chosen.
        angle: radians by which each differs from all better ones.
        symmetry: of the mesh; symmetric equivalents count as one pose.
    """
    near = 1.0 + 2.0 * np.cos(angle)  # trace of a rotation by ``angle``
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if len(kept) == count:
            break
        between = np.swapaxes(poses[kept, :3, :3], -1, -2) @ poses[i, :3, :3]
        if (_largest_trace(between, symmetry) < near).all():
            kept.append(int(i))
    return kept


def _largest_trace(between: Array, symmetry: SymmetryGroup | None) -> Array:
    """(B,) trace of the smallest of the rotations (B, 3, 3) that symmetry holds for one."""
    if symmetry is None or symmetry.is_trivial:
        return np.einsum("bii->b", between)
    if symmetry.sphere is not None:
        return np.full(len(between), 3.0)
    if not symmetry.axes:
        return np.asarray(np.einsum("bij,dji->bd", between, symmetry.discrete[:, :3, :3])).max(1)
    turned = symmetry.discrete[:, :3, :3] @ between[:, None]
    # A spin about the axis: the trace is a sinusoid in its angle, about what the axis keeps of itself.
    axis = symmetry.axes[0].direction
    kept = np.einsum("i,bdij,j->bd", axis, turned, axis)
    cosine = np.einsum("bdii->bd", turned) - kept
    sine = np.einsum("bdij,ji->bd", turned, hat(axis))
    return np.asarray((kept + np.hypot(cosine, sine)).max(1))
