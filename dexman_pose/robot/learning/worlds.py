"""What an environment needs of a simulator, and MuJoCo as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.planning.members import Difference, different_model
from dexman_pose.robot.planning.simulators import MUJOCO, simulations
from dexman_pose.robot.world.build import TIME, World
from dexman_pose.robot.world.controls import stepped
from dexman_pose.robot.world.pads import pad_directions


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
    """Copies in MuJoCo, on so many threads, or in MuJoCo Warp.

    Args:
        world: what is copied.
        count: of copies.
        differences: worlds that the copies are of, in turn; none for the one that is believed in.
        threads: at most.
        simulator: one of :data:`~dexman_pose.robot.planning.simulators.SIMULATORS`.

    Raises:
        InputError: the simulator is not here.
        MissingExtraError: it is not installed.
    """

    def __init__(
        self,
        world: World,
        count: int,
        differences: Sequence[Difference] = (),
        threads: int = 1,
        simulator: str = MUJOCO,
    ) -> None:
        mj = mujoco()
        self.world = world
        seen = _with_pads(world)
        models = [different_model(seen, d) for d in differences] or [seen.model]
        self._models = [models[i % len(models)] for i in range(count)]
        self._data = mj.MjData(seen.model)
        self._many = simulations(seen, simulator, threads)
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
    def steps(self) -> int:
        """Of the simulation so far, all copies together."""
        return self._many.steps

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
        mj, data = mujoco(), self._data
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
        states, sensed = self._many.run(self._models, self._states, np.ascontiguousarray(controls))
        last, self._sensed = states[:, -1], sensed[:, -1].reshape(self._sensed.shape)
        self.broken = np.asarray(~np.isfinite(last).all(1))
        self._states = np.where(self.broken[:, None], self._states, last)

    def close(self) -> None:
        """Give back threads, or a device's memory."""
        self._many.close()


class InMujoco:
    """The simulator that is taken without a word, or MuJoCo Warp.

    Args:
        name: one of :data:`~dexman_pose.robot.planning.simulators.SIMULATORS`.
    """

    def __init__(self, name: str = MUJOCO) -> None:
        self.name = name

    def __call__(self, world: World, count: int, differences: Sequence[Difference], threads: int) -> Worlds:
        """See :class:`Simulator`."""
        return MujocoWorlds(world, count, differences, threads, self.name)


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
