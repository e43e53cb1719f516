"""What a simulated motion costs: objects off their way, contacts lost, effort."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import matrix_from_quaternion
from dexman_pose.robot.planning.options import CostOptions, Limits
from dexman_pose.robot.planning.task import Task


def apart(places: Array, reference: Array) -> tuple[Array, Array]:
    """Metres and radians (...,) between places and quaternions (..., 7) and those of a reference."""
    distance = np.linalg.norm(places[..., :3] - reference[..., :3], axis=-1)
    quaternions = places[..., 3:] / np.linalg.norm(places[..., 3:], axis=-1, keepdims=True)
    same = np.abs((quaternions * reference[..., 3:]).sum(-1))
    return distance, 2.0 * np.arccos(np.clip(same, 0.0, 1.0))


def object_cost(places: Array, reference: Array, limits: Limits, cost: CostOptions) -> Array:
    """Cost (...,) of objects at (..., O, 7): the mean over objects."""
    metres, radians = apart(places, reference)
    p, a = metres / limits.position, radians / limits.rotation
    out: Array = (p * p + p + a * a + 0.5 * a + cost.outside * ((p > 1.0) | (a > 1.0))).mean(-1)
    return np.nan_to_num(out, nan=1e6, posinf=1e6)


def contact_cost(points: Array, places: Array, task: Task, frames: Array, cost: CostOptions) -> Array:
    """Cost (..., F) of points that are not where they should touch: 0 for all there, 1 for all away.

    Args:
        points: (..., F, P, 3) world.
        places: (..., F, O, 7) of the objects.
        task: what is to be touched.
        frames: (F,) of the task.
        cost: how far is away.
    """
    weight = task.touch_weight[frames]
    total = weight.sum(-1)
    if not total.any():
        return np.zeros(points.shape[:-2])
    of = np.broadcast_to(task.touch_object[frames][..., None], (*points.shape[:-1], 1))
    held = np.take_along_axis(places, of, axis=-2)
    turned = matrix_from_quaternion(held[..., 3:])
    aim = held[..., :3] + np.einsum(
        "...ij,...j->...i", turned, np.broadcast_to(task.touch_point[frames], points.shape)
    )
    away = 1.0 - np.exp(-((points - aim) ** 2).sum(-1) / cost.near**2)
    out: Array = (weight * away).sum(-1) / np.maximum(total, 1.0)
    return np.nan_to_num(out, nan=1.0)
