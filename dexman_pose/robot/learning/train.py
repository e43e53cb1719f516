"""A policy learnt and kept: curve, best policy, and all that an interrupted run goes on from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np

from dexman_pose._optional import require
from dexman_pose._version import __version__
from dexman_pose.arrays import Array
from dexman_pose.data.files import make_folder, write_json
from dexman_pose.errors import InputError
from dexman_pose.robot.headers import plain
from dexman_pose.robot.learning.environment import EXTRA, GraspEnvironment
from dexman_pose.robot.learning.judge import Judgement, judge
from dexman_pose.robot.learning.learner import Course, Learner
from dexman_pose.robot.learning.options import LearningOptions
from dexman_pose.robot.learning.policy import SkillPolicy, network_of
from dexman_pose.robot.learning.policy_file import NAME, write_policy
from dexman_pose.robot.learning.worlds import InMujoco, Simulator
from dexman_pose.robot.objects.model import body_name
from dexman_pose.robot.planning.members import drawn_differences
from dexman_pose.robot.planning.options import Spread
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.robot.world.build import World

KEPT, CURVE, LOG = "unfinished.pt", "curve.json", "tensorboard"
"""Of what an interrupted run goes on from, the judgements, and the folder of TensorBoard."""
_ALIKE = 1e-3
"""Relative difference of masses and friction up to which worlds are the same."""
_STREAM = 91_003  # keeps the worlds that a policy is judged in apart from those it is learnt in


def task_of_plan(task: Task, plan: Plan) -> Task:
    """The task with a plan's controls and motion in place of the retargeted ones.

    Raises:
        InputError: the plan is of another robot, object or clip, or of other masses or friction: what it does to a
            box of 400 g says nothing of one of 1 kg.
    """
    if plan.controls.shape != task.controls.shape or plan.qpos.shape[1] != task.world.model.nq:
        raise InputError(
            f"the plan has {plan.controls.shape} controls and {plan.qpos.shape[1]} coordinates, the trajectory's task "
            f"{task.controls.shape} and {task.world.model.nq}: give the trajectory and options that it was made with"
        )
    _check_same_world(task.world, plan.world())
    return replace(task, controls=plan.controls, joints=plan.qpos[:, task.world.joint_at])


def _check_same_world(here: World, there: World) -> None:
    """Refuse worlds whose objects weigh or rub otherwise."""
    bodies = [body_name(name) for name in here.objects]

    def known(world: World) -> Array:
        masses = [float(world.model.body(body).mass[0]) for body in bodies]
        return np.array([*masses, float(world.model.geom_friction[:, 0].max())])

    def told(values: Array) -> str:
        masses = ", ".join(f"{name} {kg:.3g} kg" for name, kg in zip(here.objects, values))
        return f"{masses}, friction {values[-1]:g}"

    mine, its = known(here), known(there)
    if not np.allclose(mine, its, rtol=_ALIKE):
        raise InputError(
            f"the plan is of another world ({told(its)}) than the trajectory's task ({told(mine)}); give --mass, "
            "--density and --friction that it was made with"
        )


def train(
    task: Task,
    out: str | Path,
    *,
    options: LearningOptions | None = None,
    minutes: float = 30.0,
    about: dict[str, Any] | None = None,
    threads: int = 1,
    simulator: Simulator | None = None,
    anew: bool = False,
    said: Callable[[str], object] = lambda line: None,
) -> SkillPolicy:
    """Learn a policy for a task.

    Args:
        task: the motion; :func:`task_of_plan` to begin with a plan.
        out: folder; an interrupted run goes on there.
        options: settings.
        minutes: of learning at most, all sessions together.
        about: plain JSON values that are kept in the file.
        threads: of the simulator.
        simulator: that it is learnt in; MuJoCo when None.
        anew: begin anew where another task or other settings left an interrupted run, which is refused else.
        said: called with a line after every judgement.

    Raises:
        InputError: ``out`` takes no files, or holds what another task or other settings left there.
        MissingExtraError: the simulator, rsl-rl or tensordict is needed and not there.
    """
    o = options or LearningOptions()
    folder = Path(out)
    make_folder(folder)
    sim = simulator or InMujoco()
    environment = environment_of(task, o, threads, sim)
    try:
        learner = Learner(environment, o, folder / LOG)
        mark = _mark(task, o, sim)
        _go_on(learner, folder, mark, anew)

        def after(course: Course) -> None:
            _keep(learner, folder, mark)
            write_json(folder / CURVE, {"judged": [plain(e) for e in course.judged], "falls": course.falls})
            said(_line(course))

        course = learner.learn(lambda c: c.seconds >= 60.0 * minutes, after)
    finally:
        environment.close()
    policy = SkillPolicy(
        network_of(learner.best["actor_state_dict"]),
        task,
        task.controls,
        {**(about or {}), "simulator": sim.name, **_told(course, o, task)},
    )
    write_policy(folder / NAME, policy, o.residual)
    (folder / KEPT).unlink(missing_ok=True)
    return policy


def environment_of(
    task: Task, options: LearningOptions, threads: int = 1, simulator: Simulator | None = None
) -> GraspEnvironment:
    """The environment that a policy is learnt in: copies in worlds that differ in friction and masses."""
    e = options.episodes
    rng = np.random.default_rng([_STREAM, options.seed, 0])
    spread = Spread(offset=0.0, friction=e.friction, mass=e.mass)
    worlds = drawn_differences(e.models, len(task.world.objects), spread, rng)
    copies = (simulator or InMujoco())(task.world, options.environments, worlds, threads)
    return GraspEnvironment(task, copies, options, seed=options.seed)


def evaluate_policy(
    policy: SkillPolicy,
    options: LearningOptions,
    *,
    starts: int = 64,
    seed: int = 0,
    spread: Spread | None = None,
    threads: int = 1,
    simulator: Simulator | None = None,
) -> Judgement:
    """Play a policy in worlds drawn at random, others than it was learnt in.

    Args:
        policy: what is judged.
        options: as it was learnt with; what an action does counts here.
        starts: episodes.
        seed: of worlds and starts.
        spread: how far they differ: by default 5 mm, 20 % of friction and of mass.
        threads: of the simulator.
        simulator: that it is played in, MuJoCo when None; another one than it was learnt in tells what transfers.
    """
    s = spread or Spread()
    rng = np.random.default_rng([_STREAM, seed, 1])
    different = drawn_differences(starts, len(policy.task.world.objects), replace(s, offset=0.0), rng)
    worlds = (simulator or InMujoco())(policy.task.world, starts, different, threads)
    environment = GraspEnvironment(policy.task, worlds, options, seed=seed + 1)
    try:
        return judge(environment, policy.network, perturbed=s.offset)
    finally:
        environment.close()


def _mark(task: Task, options: LearningOptions, simulator: Simulator) -> str:
    """What tells this run from others."""
    digest = hashlib.sha256(json.dumps([asdict(options), simulator.name], sort_keys=True).encode())
    digest.update(task.world.xml.encode())
    for f in fields(Task):
        value = getattr(task, f.name)
        if isinstance(value, np.ndarray):
            digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def _keep(learner: Learner, folder: Path, mark: str) -> None:
    torch = require("torch", EXTRA, "learning a skill")
    beside = folder / f".{KEPT}.{os.getpid()}"
    course = {**asdict(learner.course), "best": None}
    best = learner.course.best
    torch.save(
        {
            "mark": mark,
            "state": learner.state(),
            "course": json.dumps(course),
            "best": None if best is None else json.dumps(asdict(best)),
        },
        beside,
    )
    beside.replace(folder / KEPT)


def _go_on(learner: Learner, folder: Path, mark: str, anew: bool) -> None:
    file = folder / KEPT
    if not file.is_file():
        return
    torch = require("torch", EXTRA, "learning a skill")
    try:
        kept = torch.load(file, weights_only=True)
        same = kept["mark"] == mark
        state, course = kept["state"], Course(**json.loads(kept["course"]))
        course.best = None if kept["best"] is None else Judgement(**json.loads(kept["best"]))
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError, UnpicklingError) as error:
        raise InputError(f"{file} is damaged ({type(error).__name__}); remove it to begin anew") from error
    if not same and anew:
        return
    if not same:
        raise InputError(
            f"{file} is of another trajectory, plan or other settings; give another --out, or remove it"
        )
    learner.resume(state, course)


def _told(course: Course, o: LearningOptions, task: Task) -> dict[str, Any]:
    model = task.world.model
    return {
        "learnt": {
            "seconds": course.seconds,
            "judgements": len(course.judged),
            "best": None if course.best is None else plain(asdict(course.best)),
            "falls": course.falls,
            "broken_episodes": course.broken,
        },
        "friction": float(model.geom_friction[:, 0].max()),
        "options": json.loads(json.dumps(asdict(o))),
        "versions": {"dexman_pose": __version__},
    }


def _line(course: Course) -> str:
    last = course.judged[-1]
    best = course.best.success if course.best is not None else 0.0
    return (
        f"{last['seconds'] / 60:5.1f} min  success {100 * last['success']:3.0f} % (best {100 * best:.0f} %)  "
        f"tracked {100 * last['tracked']:3.0f} %  reward {last['reward']:6.1f}  limits x {last['limits']:.2f}"
    )
