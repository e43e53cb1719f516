"""Choosing poses that differ: the best of many, none of them nearly another or its symmetric equivalent."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry import rotation_angle
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
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if len(kept) == count:
            break
        if not kept:
            kept.append(int(i))
            continue
        others = poses[kept]
        if symmetry is None or symmetry.is_trivial:
            apart = rotation_angle(np.swapaxes(others[:, :3, :3], -1, -2) @ poses[i, :3, :3])
        else:
            apart = symmetry.rotation_error(np.broadcast_to(poses[i], others.shape), others)
        if apart.min() > angle:
            kept.append(int(i))
    return kept
