"""What all exporters ask of a trajectory: poses and joints in the world, frames filled, names that files may have."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Trajectory
from dexman_pose.geometry import quaternion_from_matrix, transform_points
from dexman_pose.geometry.held import held

_DEFAULT_RATE = 30.0  # frames a second of a trajectory of one frame


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """A name of ASCII letters, digits and underscores for each name, no two alike; letters first."""
    out: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^0-9A-Za-z_]+", "_", name).strip("_") or "thing"
        plain = plain if plain[0].isalpha() else f"object_{plain}"
        taken, number = {used.lower() for used in out.values()}, 2
        unique = plain
        while unique.lower() in taken:
            unique, number = f"{plain}_{number}", number + 1
        out[name] = unique
    return out


def world_from_object(trajectory: Trajectory, name: str) -> Array:
    """(T, 4, 4) poses of an object in the world, those that are not valid replaced as :func:`held` does it."""
    track = trajectory.objects[name].track
    out: Array = trajectory.world_from_camera @ held(track.camera_from_object, track.valid)
    return out


def world_joints(trajectory: Trajectory, side: str) -> Array:
    """(T, 21, 3) joints of a hand in the world, filled as :func:`world_from_object` does it."""
    hand = trajectory.hands[side]
    return transform_points(trajectory.world_from_camera, held(hand.joints, hand.valid))


def continuous_quaternions(rotations: Array) -> Array:
    """(T, 4) wxyz of rotations (T, 3, 3), each of the sign that is nearer to the one before."""
    q = quaternion_from_matrix(rotations)
    if len(q) > 1:
        flips = np.where(np.sum(q[1:] * q[:-1], axis=1) < 0, -1.0, 1.0)
        q[1:] *= np.cumprod(flips)[:, None]
    return q


def stands_on_table(trajectory: Trajectory) -> bool:
    """Whether the world is one whose z points up, away from a table at z = 0."""
    return trajectory.table is not None


def frame_rate(trajectory: Trajectory) -> float:
    """Frames a second: of the median step."""
    steps = np.diff(trajectory.frame_times)
    return float(1.0 / np.median(steps)) if len(steps) and np.median(steps) > 0 else _DEFAULT_RATE
