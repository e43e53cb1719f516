"""A plan played in many copies by each simulator that searches can run in: how fast, and how like MuJoCo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.robot.planning.members import different_models, different_start, spread_differences
from dexman_pose.robot.planning.options import Spread
from dexman_pose.robot.planning.simulators import MUJOCO, SIMULATORS, check_simulator, simulations
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.robot.world.controls import stepped

_WORLDS = 5  # that differ in friction, masses and places: as many as a search for grasps has


@dataclass(frozen=True)
class SimulatorRow:
    """A simulator and a number of copies.

    Attributes:
        simulator: its name.
        copies: simulated at once.
        steps: each of them.
        first: seconds of the first time, kernels compiled and memory taken.
        rate: steps a second of all copies, the second time.
        ratio: of that to MuJoCo's, in the same run.
        middle: metres between an object and where MuJoCo has it, the middle of the copies in their worst steps; None
            where none was whole in both.
        most: metres, the greatest.
        broken: copies that broke.
    """

    simulator: str
    copies: int
    steps: int
    first: float
    rate: float
    ratio: float
    middle: float | None
    most: float | None
    broken: int

    def told(self) -> str:
        """One line."""
        parts = [
            f"{self.simulator}, {self.copies} copies: {self.rate:,.0f} steps a second, {self.ratio:.2g} of MuJoCo's",
            f"the first time {self.first:.1f} s for {self.steps} steps",
        ]
        if self.simulator != MUJOCO and self.middle is not None and self.most is not None:
            parts.append(f"objects {1e3 * self.middle:.2g} mm from MuJoCo's, {1e3 * self.most:.2g} at most")
        if self.broken:
            parts.append(f"{self.broken} broke")
        return "; ".join(parts)

    def values(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def run_simulators(
    plan: Plan,
    names: Sequence[str] = (MUJOCO,),
    copies: Sequence[int] = (128,),
    seconds: float | None = None,
    report: Callable[[SimulatorRow], object] = lambda row: None,
) -> list[SimulatorRow]:
    """Play a plan in copies that differ in friction, masses and places.

    Args:
        plan: what is played.
        names: of simulators; MuJoCo is always among them, for it is what the others are compared with.
        copies: numbers of them.
        seconds: of the motion, after objects have come to rest; None for all of it.
        report: called with each row as it is measured.

    Raises:
        InputError: a simulator is not here, or the plan has no such second.
        MissingExtraError: a simulator is not installed.
    """
    for name in names:
        check_simulator(name)
    world = plan.world()
    controls = stepped(plan.controls, world.steps)
    wait = round(plan.settle / world.model.opt.timestep)
    controls = np.concatenate([np.repeat(controls[:1], wait, axis=0), controls])
    if seconds is not None:
        if not 0 < seconds < np.inf:
            raise InputError(f"seconds of a plan must be a positive number, but are {seconds:g}")
        controls = controls[: wait + max(round(seconds / world.model.opt.timestep), 1)]
    different = spread_differences(_WORLDS, len(world.objects), Spread(), np.random.default_rng(0))
    models = different_models(world, different)
    starts = [different_start(world, plan.start, d) for d in different]
    rows: list[SimulatorRow] = []
    for count in copies:
        turn = [i % _WORLDS for i in range(count)]
        same = np.ascontiguousarray(np.broadcast_to(controls, (count, *controls.shape)))
        true: Array | None = None
        base = 0.0
        for name in [MUJOCO, *(n for n in SIMULATORS if n != MUJOCO and n in names)]:
            with simulations(world, name) as many:
                states = np.stack([many.state(starts[i]) for i in turn])
                began = perf_counter()
                found, _ = many.run([models[i] for i in turn], states, same)
                first = perf_counter() - began
                began = perf_counter()
                many.run([models[i] for i in turn], states, same)
                rate = count * len(controls) / (perf_counter() - began)
                places = world.object_places(many.qpos(found))[..., :3]
            true, base = (places, rate) if true is None else (true, base)
            rows.append(_row(name, first, rate, rate / base, places, true))
            report(rows[-1])
    return rows


def _row(name: str, first: float, rate: float, ratio: float, places: Array, true: Array) -> SimulatorRow:
    count, steps = places.shape[:2]
    worst = np.linalg.norm(places - true, axis=-1).max((1, 2))
    whole = worst[np.isfinite(worst)]
    middle, most = (float(np.median(whole)), float(whole.max())) if len(whole) else (None, None)
    broken = int((~np.isfinite(places).all((1, 2, 3))).sum())
    return SimulatorRow(name, count, steps, first, rate, ratio, middle, most, broken)
