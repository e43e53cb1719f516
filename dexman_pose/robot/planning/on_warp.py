"""Many simulations at once in MuJoCo Warp, on a CUDA device or, to try it, on a core of the CPU.

All copies take a step together, in single precision. A step is recorded once as a graph and played again; controls and
states stay on the device meanwhile. Copies differ in what :data:`DIFFERING` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.robot.engine import mujoco, mujoco_warp
from dexman_pose.robot.planning.simulation import MujocoSimulations, Simulations
from dexman_pose.robot.world.build import World

DIFFERING = (
    "geom_friction",
    "body_mass",
    "body_inertia",
    "body_subtreemass",
    "body_invweight0",
    "dof_invweight0",
    "tendon_invweight0",
)
"""Fields of a model in which copies may differ: friction, masses, and what follows from masses."""
_SAME = 1e-6  # of the largest number of a field: two models agree there in single precision


@dataclass(frozen=True)
class WarpOptions:
    """Memory for the simulations of a device; it grows where it is too small, and the run is done again.

    Attributes:
        contacts: of a copy, in the mean of all.
        rows: of the constraints of a copy.
        times: as much of both, at most, before a search is given up.
    """

    contacts: int = 64
    rows: int = 384
    times: int = 64


class WarpSimulations(Simulations):
    """MuJoCo Warp.

    Args:
        world: that is simulated.
        gpu: whether on the first CUDA device, or on the CPU.
        options: settings.
        threads: of MuJoCo, which judges; None for the cores.

    Raises:
        InputError: there is no such device, or MuJoCo Warp cannot simulate this world.
        MissingExtraError: MuJoCo Warp is not installed.
    """

    def __init__(
        self,
        world: World,
        gpu: bool = False,
        options: WarpOptions | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__(world)
        self.o = options or WarpOptions()
        self.device = device_of(gpu)
        self._judge = MujocoSimulations(world, threads)
        self._batches: dict[int, _Batch] = {}
        self._times = 1
        self._known: dict[int, Any] = {id(world.model): world.model}

    def close(self) -> None:
        """Free the memory."""
        self._batches.clear()
        self._judge.close()

    def judge(self, models: Sequence[Any], states: Array, controls: Array) -> tuple[Array, Array]:
        """Step N simulations in MuJoCo, on all cores."""
        self.steps += controls.shape[0] * controls.shape[1]
        return self._judge.run(models, states, controls)

    def run(self, models: Sequence[Any], states: Array, controls: Array) -> tuple[Array, Array]:
        """Step N simulations.

        Raises:
            InputError: models differ in more than friction and masses.
            EstimationError: a copy has more contacts than there is memory for.
        """
        for model in {id(m): m for m in models}.values():
            self._check(model)
        count, steps = controls.shape[:2]
        while True:
            batch = self._batches.get(count) or self._new(count)
            found, sensed, full = batch.run(models, states, controls)
            if not full:
                break
            self._grow()
        self.steps += count * steps
        return found, sensed

    def _new(self, count: int) -> _Batch:
        try:
            batch = _Batch(self.world, count, self.device, self._times, self.o)
        except (NotImplementedError, ValueError) as error:
            raise InputError(
                f"MuJoCo Warp cannot simulate this robot with these objects: {' '.join(str(error).split())}; "
                "MuJoCo itself can (--simulator mujoco)"
            ) from error
        self._batches[count] = batch
        return batch

    def _grow(self) -> None:
        self._times *= 2
        self._batches.clear()
        if self._times > self.o.times:
            raise EstimationError(
                f"a simulation has more than {self.o.contacts * self.o.times} contacts, which is beyond what is kept "
                "memory for; simplify the objects (--hull-only), or take --simulator mujoco"
            )

    def _check(self, model: Any) -> None:
        """See that a model differs from the world's in nothing but what may differ."""
        if id(model) in self._known:
            return
        known = mujoco_warp().Model.__dataclass_fields__
        for name in known:
            ours, theirs = getattr(self.world.model, name, None), getattr(model, name, None)
            if name in DIFFERING or not isinstance(ours, np.ndarray) or not isinstance(theirs, np.ndarray):
                continue
            if ours.shape != theirs.shape or not _agree(ours, theirs):
                raise InputError(
                    f"simulations on a device differ in friction and masses alone, but models differ in {name}"
                )
        self._known[id(model)] = model


class _Batch:
    """So many copies, and the memory that they are simulated in.

    Args:
        world: that is simulated.
        count: N copies.
        device: of Warp.
        times: as much memory as the options say.
        options: settings.
    """

    def __init__(self, world: World, count: int, device: Any, times: int, options: WarpOptions) -> None:
        from dexman_pose._warp import wp

        mjw, model = mujoco_warp(), world.model
        self.count, self.device = count, device
        self._wp, self._mjw = wp, mjw
        names = [name for name in DIFFERING if getattr(model, name).size]
        with wp.ScopedDevice(device):
            self.model = mjw.put_model(model, batch_sizes=dict.fromkeys(names, count))
            self.model.opt.warn_overflow = 0  # asked for after each run instead
            self.data = mjw.put_data(
                model,
                mujoco().MjData(model),
                nworld=count,
                nconmax=times * options.contacts,
                njmax=times * options.rows,
            )
            self.at = wp.zeros(1, dtype=wp.int32)
            self.broken = wp.zeros(count, dtype=wp.int32)
        self._fields = names
        self._full = sum(
            getattr(mjw.OverflowType, n) for n in ("NEFC", "NJMAX_NNZ", "BROADPHASE", "NARROWPHASE", "CCD")
        )
        self._models: list[Any] = []
        self._room = 0
        self._graph: Any = None

    def run(self, models: Sequence[Any], states: Array, controls: Array) -> tuple[Array, Array, bool]:
        """States, touching points, and whether memory was too small for them."""
        wp, steps = self._wp, controls.shape[1]
        with wp.ScopedDevice(self.device):
            self._differ(models)
            self._make_room(states.shape[1], controls)
            self.first.assign(states.astype(np.float32))
            self.controls.assign(_padded(controls, self._room))
            self._begin()
            if self._graph is None:
                self._record()
                self._begin()
            for _ in range(steps):
                wp.capture_launch(self._graph)
            full = bool((self.data.overflow.numpy() & self._full).any())
            found = self.states.numpy()[:, :steps].astype(np.float64)
            sensed = self.sensed.numpy()[:, :steps].astype(np.float64)
        return found, sensed.reshape(*sensed.shape[:2], -1, 3), full

    def _differ(self, models: Sequence[Any]) -> None:
        """Give each copy friction and masses of its model."""
        if len(models) == len(self._models) and all(a is b for a, b in zip(models, self._models)):
            return
        self._models = list(models)
        for name in self._fields:
            values = np.stack([getattr(m, name) for m in models]).astype(np.float32)
            getattr(self.model, name).assign(values)

    def _make_room(self, size: int, controls: Array) -> None:
        """Memory for controls and states of so many steps; a graph knows where it is, and is recorded anew."""
        wp, steps = self._wp, controls.shape[1]
        if steps <= self._room:
            return
        self._room, self._graph = steps, None
        sensors = self.data.sensordata.shape[1]
        self.first = wp.zeros((self.count, size), dtype=wp.float32)
        self.controls = wp.zeros((self.count, steps, controls.shape[2]), dtype=wp.float32)
        self.states = wp.zeros((self.count, steps, size), dtype=wp.float32)
        self.sensed = wp.zeros((self.count, steps, sensors), dtype=wp.float32)

    def _begin(self) -> None:
        from dexman_pose.robot.planning.warp_kernels import begin

        d = self.data
        self.at.zero_()
        d.overflow.zero_()
        places = [self.first, d.time, d.qpos, d.qvel, d.act, d.qacc_warmstart, self.broken]
        self._wp.launch(begin, dim=self.count, inputs=places)

    def _step(self) -> None:
        from dexman_pose.robot.planning.warp_kernels import command, go_on, note

        wp, d = self._wp, self.data
        wp.launch(command, dim=d.ctrl.shape, inputs=[self.at, self.controls, d.ctrl])
        self._mjw.step(self.model, d)
        seen = [d.time, d.qpos, d.qvel, d.act, d.qacc_warmstart, d.sensordata, self.broken]
        wp.launch(note, dim=self.count, inputs=[self.at, self.first, *seen, self.states, self.sensed])
        wp.launch(go_on, dim=1, inputs=[self.at])

    def _record(self) -> None:
        """Record a step: on a CPU, too, hundreds of launches from Python take longer than what they launch.

        A step before it loads the kernels, for nothing is loaded while a graph is recorded.
        """
        wp = self._wp
        self._step()
        with wp.ScopedCapture(self.device) as capture:
            self._step()
        self._graph = capture.graph


def device_of(gpu: bool) -> Any:
    """Warp's device, the first CUDA device or the CPU.

    Raises:
        InputError: there is no CUDA device.
        MissingExtraError: MuJoCo Warp is not installed.
    """
    mujoco_warp()
    from dexman_pose._warp import wp

    if not gpu:
        return wp.get_device("cpu")
    found = wp.get_cuda_devices()
    if not found:
        raise InputError(
            "there is no CUDA device here that Warp can use; simulate on the CPU (--simulator mujoco)"
        )
    return found[0]


def _agree(ours: NDArray[Any], theirs: NDArray[Any]) -> bool:
    if not np.issubdtype(ours.dtype, np.floating):
        return bool(np.array_equal(ours, theirs))
    scale = max(float(np.abs(ours).max(initial=0.0)), 1.0)
    return bool(np.abs(ours - theirs).max(initial=0.0) <= _SAME * scale)


def _padded(controls: Array, steps: int) -> NDArray[np.float32]:
    """Controls (N, T, A) with room for more steps."""
    out = np.zeros((controls.shape[0], steps, controls.shape[2]), np.float32)
    out[:, : controls.shape[1]] = controls
    return out
