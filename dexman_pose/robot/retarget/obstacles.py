"""Objects that hands keep clear of while they come and go: in the models in which joints are solved for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import quaternion_from_matrix
from dexman_pose.robot.engine import mujoco

_AWAY = 1e3
"""Metres that an obstacle is put below everything where it does not count."""
_MARK = "obstacle_"


@dataclass(frozen=True)
class Obstacle:
    """An object on its way, T frames.

    Attributes:
        pieces: corners (N, 3) of its convex pieces, metres, object frame.
        poses: (T, 4, 4) world from object.
        weight: (T,) from 0, where hands may touch it, to 1.
    """

    pieces: tuple[Array, ...]
    poses: Array
    weight: Array


def add_obstacles(spec: Any, obstacles: Sequence[Obstacle]) -> None:
    """Add obstacles to a model as bodies that are put anywhere, frame by frame; none moves by itself.

    Args:
        spec: an ``MjSpec``.
        obstacles: what is added.
    """
    mj = mujoco()
    for i, obstacle in enumerate(obstacles):
        body = spec.worldbody.add_body(name=f"{_MARK}{i}", mocap=True, pos=[0.0, 0.0, -_AWAY])
        for k, piece in enumerate(obstacle.pieces):
            mesh = f"{_MARK}{i}_{k}"
            spec.add_mesh(name=mesh, uservert=np.asarray(piece, np.float32).reshape(-1))
            body.add_geom(name=mesh, type=mj.mjtGeom.mjGEOM_MESH, meshname=mesh)


class Placed:
    """Obstacles in a compiled model.

    Args:
        model: with what :func:`add_obstacles` added.
        obstacles: the same.
    """

    def __init__(self, model: Any, obstacles: Sequence[Obstacle]) -> None:
        self.obstacles = tuple(obstacles)
        self._bodies = [int(model.body(f"{_MARK}{i}").id) for i in range(len(self.obstacles))]
        self._of = {body: i for i, body in enumerate(self._bodies)}
        self._slots = [int(model.body_mocapid[body]) for body in self._bodies]
        self.geoms = np.flatnonzero(np.isin(model.geom_bodyid, self._bodies))

    def put(self, data: Any, frame: int | None) -> None:
        """Put obstacles where they are in a frame; those that do not count, or all where it is None, far away."""
        for slot, obstacle in zip(self._slots, self.obstacles):
            if frame is None or obstacle.weight[frame] <= 0.0:
                data.mocap_pos[slot] = (0.0, 0.0, -_AWAY)
                continue
            data.mocap_pos[slot] = obstacle.poses[frame, :3, 3]
            data.mocap_quat[slot] = quaternion_from_matrix(obstacle.poses[frame, :3, :3])

    def weight(self, bodies: tuple[int, int], frame: int | None) -> float | None:
        """How much a pair of bodies counts in a frame, if one of them is an obstacle; None if none is."""
        index = next((self._of[b] for b in bodies if b in self._of), None)
        if index is None:
            return None
        return 0.0 if frame is None else float(self.obstacles[index].weight[frame])
