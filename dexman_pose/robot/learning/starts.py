"""Where episodes begin: at the beginning, or somewhere along the reference with the objects in the hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.learning.options import EpisodeOptions
from dexman_pose.robot.motion.types import RATE
from dexman_pose.robot.objects.model import body_name
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.world.build import POSE

_SETTLE = 0.5
"""Seconds that objects are given to come to rest."""
_TWIST = 6
"""Numbers of a free body's speed."""


class Starts:
    """Draws states to begin at.

    Args:
        task: the motion.
        controls: (T, A) that will be played.
        options: how often where.
        rng: of what is drawn.
    """

    def __init__(
        self, task: Task, controls: Array, options: EpisodeOptions, rng: np.random.Generator
    ) -> None:
        self._task, self._options, self._rng = task, options, rng
        self._controls = controls
        self._settled = _settled(task, controls[0])
        self._way: dict[int, Array] = {}
        model = task.world.model
        self._joint_speeds = np.array([_speed_of(task, name) for name in task.world.joints], np.intp)
        self._object_speeds = np.array(
            [model.jnt_dofadr[model.body(body_name(n)).jntadr[0]] for n in task.world.objects], np.intp
        )

    def drawn(self, count: int, perturbed: float | None) -> tuple[NDArray[np.intp], Array, Array]:
        """Frames (K,), ``qpos`` (K, nq) and ``qvel`` (K, nv) of so many starts.

        Args:
            count: K.
            perturbed: metres along x and y beside the place, at most, all at frame 0; None to draw as in training.
        """
        o, task, rng = self._options, self._task, self._rng
        last = max(task.num_frames - o.rest, 1)
        along = np.zeros(count, np.bool_) if perturbed is not None else rng.random(count) < o.along
        frames = np.where(along, rng.integers(0, last, count), 0)
        qpos = np.repeat(self._settled[None], count, 0)
        qvel = np.zeros((count, task.world.model.nv))
        for i in np.flatnonzero(frames):
            qpos[i], qvel[i] = self.on_the_way(int(frames[i]))
        offset = o.offset if perturbed is None else perturbed
        beside = rng.uniform(-offset, offset, (count, len(task.world.objects), 2))
        beside[frames > 0] = 0.0  # what is held does not stand beside the hand
        for k, at in enumerate(task.world.object_at):
            qpos[:, at : at + 2] += beside[:, k]
        return frames, qpos, qvel

    def on_the_way(self, frame: int) -> tuple[Array, Array]:
        """State (nq,), (nv,) of a frame of the reference, moving as it does, fingers on the objects' surfaces."""
        if frame not in self._way:
            self._way[frame] = self._closed(frame)
        task, world = self._task, self._task.world
        after = min(frame + 1, task.num_frames - 1)
        qpos, qvel = self._way[frame].copy(), np.zeros(world.model.nv)
        qvel[self._joint_speeds] = (task.joints[after] - task.joints[frame]) * RATE
        for k, speed in enumerate(self._object_speeds):
            now, then = task.reference[frame, k], task.reference[after, k]
            qvel[speed : speed + 3] = (then[:3] - now[:3]) * RATE
        return qpos, qvel

    def _closed(self, frame: int) -> Array:
        """``qpos`` with the objects held where they should be until the fingers, retargeted into them, lie on them."""
        task, world, mj = self._task, self._task.world, mujoco()
        data = mj.MjData(world.model)
        data.qpos[:] = self._settled
        data.qpos[world.joint_at] = task.joints[frame]
        data.ctrl[:] = self._controls[frame]
        for _ in range(round(self._options.closing / world.model.opt.timestep)):
            for k, (at, speed) in enumerate(zip(world.object_at, self._object_speeds)):
                data.qpos[at : at + POSE] = task.reference[frame, k]
                data.qvel[speed : speed + _TWIST] = 0.0
            mj.mj_step(world.model, data)
        for k, at in enumerate(world.object_at):
            data.qpos[at : at + POSE] = task.reference[frame, k]
        return np.array(data.qpos)


def _settled(task: Task, controls: Array) -> Array:
    """``qpos`` when objects have come to rest and the hands wait at the first controls."""
    mj, model = mujoco(), task.world.model
    data = mj.MjData(model)
    data.qpos[:], data.ctrl[:] = task.start, controls
    for _ in range(round(_SETTLE / model.opt.timestep)):
        mj.mj_step(model, data)
    return np.array(data.qpos)


def _speed_of(task: Task, joint: str) -> int:
    model = task.world.model
    return int(model.jnt_dofadr[model.joint(joint).id])
