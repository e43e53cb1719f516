"""What an environment needs of a simulator, and MuJoCo as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.robot.engine import mujoco, rollout
from dexman_pose.robot.learning.pads import pad_directions
from dexman_pose.robot.planning.members import Difference, different_model
from dexman_pose.robot.world.build import TIME, World
from dexman_pose.robot.world.controls import stepped


class Worlds(Protocol):
    """N copies of a world in a simulator."""

    @property
    def count(self) -> int:
        """Number of copies N."""
        ...

    @property
    def qpos(self) -> Array:
        """(N, nq) in the order of the world's MuJoCo model, whatever the simulator."""
        ...

    @property
    def qvel(self) -> Array:
        """(N, nv) the same."""
        ...

    @property
    def points(self) -> Array:
        """(N, P, 3) of the hands."""
        ...

    @property
    def pads(self) -> Array:
        """(N, P, 3) unit directions out of their inner sides."""
        ...

    @property
    def broken(self) -> Bools:
        """(N,) copies that came to no number in the last step; they are to be put somewhere."""
        ...

    @property
    def steps(self) -> int:
        """Steps of the simulation so far, all copies together."""
        ...

    def put(self, which: Sequence[int], qpos: Array, qvel: Array) -> None:
        """Put some copies into states (K, nq), (K, nv)."""
        ...

    def step(self, before: Array, after: Array) -> None:
        """Go one frame on, controls on the straight way from (N, A) to (N, A)."""
        ...

    def close(self) -> None:
        """Give back what the simulator holds."""
        ...


class Simulator(Protocol):
    """Makes copies of a world.

    Attributes:
        name: that policies and what an interrupted run left are marked with.
    """

    @property
    def name(self) -> str:
        """Of the simulator."""
        ...

    def __call__(self, world: World, count: int, differences: Sequence[Difference], threads: int) -> Worlds:
        """Copies; see :class:`MujocoWorlds`. A simulator that cannot make them differ leaves differences away."""
        ...


class MujocoWorlds:
    """Copies in MuJoCo, on so many threads.

    Args:
        world: what is copied.
        count: of copies.
        differences: worlds that the copies are of, in turn; none for the one that is believed in.
        threads: at most.
    """

    def __init__(
        self, world: World, count: int, differences: Sequence[Difference] = (), threads: int = 1
    ) -> None:
        mj = mujoco()
        self.world = world
        self.steps: int = 0
        seen = _with_pads(world)
        models = [different_model(seen, d) for d in differences] or [seen.model]
        self._models = [models[i % len(models)] for i in range(count)]
        self._data = [mj.MjData(seen.model) for _ in range(threads)]
        self._many = rollout().Rollout(nthread=threads)
        self._kind = mj.mjtState.mjSTATE_FULLPHYSICS
        self._states = np.zeros((count, mj.mj_stateSize(seen.model, self._kind)))
        self._cut = np.cumsum([TIME, seen.model.nq, seen.model.nv])
        self._sensed = np.zeros((count, 2, len(world.points), 3))
        self.broken: Bools = np.zeros(count, np.bool_)

    @property
    def count(self) -> int:
        """Number of copies N."""
        return len(self._models)

    @property
    def qpos(self) -> Array:
        """(N, nq)."""
        return self._states[:, self._cut[0] : self._cut[1]]

    @property
    def qvel(self) -> Array:
        """(N, nv)."""
        return self._states[:, self._cut[1] : self._cut[2]]

    @property
    def points(self) -> Array:
        """(N, P, 3)."""
        return self._sensed[:, 0]

    @property
    def pads(self) -> Array:
        """(N, P, 3)."""
        return self._sensed[:, 1]

    def put(self, which: Sequence[int], qpos: Array, qvel: Array) -> None:
        """Put some copies into states (K, nq), (K, nv)."""
        mj, data = mujoco(), self._data[0]
        for i, q, v in zip(which, qpos, qvel):
            model = self._models[i]
            mj.mj_resetData(model, data)
            data.qpos[:], data.qvel[:] = q, v
            mj.mj_forward(model, data)
            mj.mj_getState(model, data, self._states[i], self._kind)
            self._sensed[i] = data.sensordata.reshape(self._sensed.shape[1:])
        self.broken[list(which)] = False

    def step(self, before: Array, after: Array) -> None:
        """Go one frame on, controls on the straight way from (N, A) to (N, A)."""
        controls = stepped(np.stack([before, after], 1), self.world.steps)
        due = self._states[:, 0] + (controls.shape[1] - 0.5) * self.world.model.opt.timestep
        states, sensed = self._many.rollout(
            self._models, self._data, self._states, control=np.ascontiguousarray(controls)
        )
        self._states = np.ascontiguousarray(states[:, -1])
        self._sensed = sensed[:, -1].reshape(self._sensed.shape)
        self.steps += controls.shape[0] * controls.shape[1]
        # MuJoCo begins anew, at time zero, where a state is no number any more.
        self.broken = ~np.isfinite(self._states).all(1) | (self._states[:, 0] < due)

    def close(self) -> None:
        """End the threads."""
        self._many.close()


class InMujoco:
    """The simulator that is taken without a word."""

    name = "mujoco"

    def __call__(self, world: World, count: int, differences: Sequence[Difference], threads: int) -> Worlds:
        """See :class:`Simulator`."""
        return MujocoWorlds(world, count, differences, threads)


def _with_pads(world: World) -> World:
    """The same world whose sensors report, after the points' places, which way their inner sides look."""
    mj = mujoco()
    spec: Any = mj.MjSpec.from_string(world.xml)
    for name, direction in zip(world.points, pad_directions(world)):
        quaternion = np.zeros(4)
        mj.mju_quatZ2Vec(quaternion, direction)
        spec.site(name).quat = quaternion
        spec.add_sensor(
            name=f"{name}_pad",
            type=mj.mjtSensor.mjSENS_FRAMEZAXIS,
            objtype=mj.mjtObj.mjOBJ_SITE,
            objname=name,
        )
    model = spec.compile()
    return World(
        model=model,
        xml=world.xml,
        objects=world.objects,
        object_at=world.object_at,
        joints=world.joints,
        joint_at=world.joint_at,
        points=world.points,
        steps=world.steps,
    )
