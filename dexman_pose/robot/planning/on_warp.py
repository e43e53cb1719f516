"""Many simulations at once in MuJoCo Warp, on a CUDA device or, to try it, on a core of the CPU.

All copies take a step together, in single precision. A step is recorded once as a graph and played again; controls and
states stay on the device meanwhile. Copies differ in what :data:`DIFFERING` names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
_OPTIONS = (
    "timestep",
    "gravity",
    "cone",
    "integrator",
    "solver",
    "iterations",
    "tolerance",
    "impratio",
    "disableflags",
    "enableflags",
)
"""Of a model, in which copies may not differ."""


@dataclass(frozen=True)
class WarpOptions:
    """Memory for the simulations of a device; what is too small grows, twofold, and the run is done again.

    Attributes:
        contacts: of a copy, in the mean of all, pairs that may touch included: a megabyte each.
        rows: of the constraints of a copy.
        most_contacts: before a search is given up.
        most_rows: likewise.
    """

    contacts: int = 64
    rows: int = 384
    most_contacts: int = 1024
    most_rows: int = 6144


class WarpSimulations(Simulations):
    """MuJoCo Warp.

    Args:
        world: that is simulated.
        gpu: whether on the first CUDA device, or on the CPU.
        options: settings.
        threads: of MuJoCo, which judges; None for the cores.

    Raises:
        InputError: there is no such device, or motors of the world have delays.
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
        model = world.model
        if self._size != 1 + model.nq + model.nv + model.na:
            raise InputError(
                "MuJoCo Warp is not asked for models whose motors have delays, or with plugins: of a state only time, "
                "places, speeds and activations are kept; take --simulator mujoco"
            )
        self.device = device_of(gpu)
        self._threads = threads
        self._judge: MujocoSimulations | None = None
        self._batches: dict[int, _Batch] = {}
        self._room = options or WarpOptions()
        self._known: dict[int, Any] = {id(model): model}

    def close(self) -> None:
        """Free the memory."""
        self._batches.clear()
        if self._judge is not None:
            self._judge.close()

    def judge(self, models: Sequence[Any], states: Array, controls: Array) -> tuple[Array, Array]:
        """Step N simulations in MuJoCo, on all cores."""
        if self._judge is None:
            self._judge = MujocoSimulations(self.world, self._threads)
        self.steps += controls.shape[0] * controls.shape[1]
        return self._judge.run(models, states, controls)

    def run(self, models: Sequence[Any], states: Array, controls: Array) -> tuple[Array, Array]:
        """Step N simulations.

        Raises:
            InputError: models differ in more than friction and masses.
            EstimationError: the device has no room for so many copies, or they touch in more places than the options
                allow.
        """
        count, steps = controls.shape[:2]
        if not count or not steps:
            points = self.world.model.nsensordata // 3
            return np.zeros((count, steps, self._size)), np.zeros((count, steps, points, 3))
        for model in {id(m): m for m in models}.values():
            self._check(model)
        while True:
            found, sensed, short = self._batch(count).run(models, states, controls)
            if not short:
                break
            self._grow(short)
        self.steps += count * steps
        return found, sensed

    def _batch(self, count: int) -> _Batch:
        """Copies of that number, made if there are none.

        Raises:
            InputError: MuJoCo Warp cannot simulate this world.
            EstimationError: there is no room for them.
        """
        if count not in self._batches:
            try:
                with _told_memory(self.device, count):
                    self._batches[count] = _Batch(self.world, count, self.device, self._room)
            except (NotImplementedError, ValueError) as error:
                raise InputError(
                    f"MuJoCo Warp cannot simulate this robot with these objects: {' '.join(str(error).split())}; "
                    "MuJoCo itself can (--simulator mujoco)"
                ) from error
        return self._batches[count]

    def _grow(self, short: frozenset[str]) -> None:
        """Have twice as much of what was too small; all copies are made anew."""
        room = self._room
        contacts = room.contacts * (2 if "contacts" in short else 1)
        rows = room.rows * (2 if "rows" in short else 1)
        if contacts > room.most_contacts or rows > room.most_rows:
            what, most = ("contacts", room.contacts) if contacts > room.most_contacts else ("rows", room.rows)
            raise EstimationError(
                f"MuJoCo Warp's copies need room for more than {most} {what} each, which is the limit "
                f"(WarpOptions.most_{what}); take --simulator mujoco, or, where objects have many pieces, --hull-only"
            )
        self._room = replace(room, contacts=contacts, rows=rows)
        self._batches.clear()

    def _check(self, model: Any) -> None:
        """See that a model differs from the world's in nothing but what may differ."""
        if id(model) in self._known:
            return
        ours = self.world.model
        names = [n for n in mujoco_warp().Model.__dataclass_fields__ if n not in DIFFERING]
        arrays = [(n, getattr(ours, n), getattr(model, n)) for n in names if hasattr(ours, n)]
        options = [(n, getattr(ours.opt, n), getattr(model.opt, n)) for n in _OPTIONS]
        for name, a, b in [*(x for x in arrays if isinstance(x[1], np.ndarray)), *options]:
            if not np.array_equal(a, b):
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
        room: memory.
    """

    def __init__(self, world: World, count: int, device: Any, room: WarpOptions) -> None:
        from dexman_pose._warp import wp

        mjw, model = mujoco_warp(), world.model
        self.count, self.device = count, device
        self._wp, self._mjw = wp, mjw
        names = [name for name in DIFFERING if getattr(model, name).size]
        with wp.ScopedDevice(device):
            self.model = mjw.put_model(model, batch_sizes=dict.fromkeys(names, count))
            self.model.opt.warn_overflow = 0  # asked for after each run instead
            if device.is_cuda:  # else the solver goes through all its iterations
                self.model.opt.graph_conditional = wp.is_conditional_graph_supported()
            self.data = mjw.put_data(
                model,
                mujoco().MjData(model),
                nworld=count,
                nconmax=room.contacts,
                njmax=room.rows,
            )
            self.at = wp.zeros(1, dtype=wp.int32)
            self.broken = wp.zeros(count, dtype=wp.int32)
        self._fields = names
        kinds = mjw.OverflowType
        self._short = {
            "rows": int(kinds.NEFC | kinds.NJMAX_NNZ),
            "contacts": int(kinds.BROADPHASE | kinds.NARROWPHASE | kinds.CCD),
        }
        self._models: list[Any] = []
        self._room = 0
        # What a step allocates can be recorded from a pool alone.
        self._records = device.is_cpu or wp.is_mempool_enabled(device)
        self._graph: Any = None

    def run(
        self, models: Sequence[Any], states: Array, controls: Array
    ) -> tuple[Array, Array, frozenset[str]]:
        """States, touching points, and what of the memory was too small for them, ``rows`` or ``contacts``.

        What copies lacked that broke is not counted.
        """
        wp, steps = self._wp, controls.shape[1]
        with wp.ScopedDevice(self.device):
            self._differ(models)
            self._make_room(states.shape[1], controls)
            self.first.assign(states.astype(np.float32))
            self.controls.assign(_padded(controls, self._room))
            self._begin()
            if self._graph is None and self._records:
                self._record()
                self._begin()
            for _ in range(steps):
                if self._graph is None:
                    self._step()
                else:
                    wp.capture_launch(self._graph)
            lacked = self.data.overflow.numpy()[self.broken.numpy() == 0]
            short = frozenset(name for name, bits in self._short.items() if (lacked & bits).any())
            found = self.states.numpy()[:, :steps].astype(np.float64)
            sensed = self.sensed.numpy()[:, :steps].astype(np.float64)
        return found, sensed.reshape(*sensed.shape[:2], -1, 3), short

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
        sensors = self.data.sensordata.shape[1]
        with _told_memory(self.device, self.count):
            self.first = wp.zeros((self.count, size), dtype=wp.float32)
            self.controls = wp.zeros((self.count, steps, controls.shape[2]), dtype=wp.float32)
            self.states = wp.zeros((self.count, steps, size), dtype=wp.float32)
            self.sensed = wp.zeros((self.count, steps, sensors), dtype=wp.float32)
        self._room, self._graph = steps, None

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
        wp.launch(command, dim=d.ctrl.shape, inputs=[self.at, self.controls, d.ctrl, self.broken])
        self._mjw.step(self.model, d)
        seen = [d.time, d.qpos, d.qvel, d.act, d.qacc, d.qacc_warmstart, d.sensordata, self.broken]
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


@contextmanager
def _told_memory(device: Any, count: int) -> Iterator[None]:
    """Turn an allocation that fails into one line."""
    try:
        yield
    except NotImplementedError:  # a RuntimeError, too, but of another kind
        raise
    except (MemoryError, RuntimeError) as error:
        why = " ".join(str(error).split()) or "out of memory"
        raise EstimationError(
            f"there is no room for {count} copies on {device} ({why}); ask for fewer --samples or --environments, or "
            "take --simulator mujoco"
        ) from error


def _padded(controls: Array, steps: int) -> NDArray[np.float32]:
    """Controls (N, T, A) with room for more steps."""
    out = np.zeros((controls.shape[0], steps, controls.shape[2]), np.float32)
    out[:, : controls.shape[1]] = controls
    return out
