"""A demonstration tried in the simulator: played blindly, searched anew where that fails, judged strictly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import Mesh
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.headers import plain
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.planner import plan_controls
from dexman_pose.robot.planning.score import Score, score
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.robot.skill.replay import replay
from dexman_pose.robot.world.build import World
from dexman_pose.synthetic.skills.variation import Variation
from dexman_pose.synthetic.skills.varied import varied

_SMALL = PlanOptions(samples=24, kept=6, members=2, rounds=2, passes=1, trials=3)


@dataclass(frozen=True)
class AttemptOptions:
    """How a demonstration is tried.

    Attributes:
        search: of controls, where those of the plan fail; None for no search.
        longest: frames of a plan that is searched anew; a longer one costs too much.
        tracked: share of the frames that the plan's controls keep the objects within the limits, from which on a search
            is worth it.
    """

    search: PlanOptions | None = field(default_factory=lambda: _SMALL)
    longest: int = 200
    tracked: float = 0.2


@dataclass(frozen=True)
class Attempt:
    """What became of a demonstration.

    Attributes:
        variation: what was tried.
        plan: with what happened in it; its ``about`` says how it differs.
        meshes: of the objects as they are seen.
        replayed: the score of the plan's own controls.
        score: of the controls that were kept.
        searched: whether those were searched anew.
    """

    variation: Variation
    plan: Plan
    meshes: tuple[Mesh, ...]
    replayed: Score
    score: Score
    searched: bool

    @property
    def success(self) -> bool:
        """Whether every frame is within the limits."""
        return self.score.success

    def values(self) -> dict[str, Any]:
        """Plain values for JSON."""
        told: dict[str, Any] = {
            "success": self.success,
            "searched": self.searched,
            "tracked": self.score.tracked,
            "frames": self.score.frames,
            "max_position_m": self.score.most_position,
            "max_rotation_rad": self.score.most_rotation,
            "variation": self.variation.values(),
        }
        return plain(told)


def attempt(
    plan: Plan,
    meshes: Sequence[Mesh],
    variation: Variation,
    swaps: Mapping[str, Mesh] | None = None,
    options: AttemptOptions | None = None,
) -> Attempt:
    """Try a demonstration.

    Args:
        plan: what it is made of.
        meshes: of its objects, in its order.
        variation: how it differs.
        swaps: meshes that may stand in for others, in their frames.
        options: whether controls may be searched anew.

    Raises:
        InputError: the plan's hands are not free.
    """
    o = options or AttemptOptions()
    made = varied(plan, meshes, variation, swaps)
    world = made.plan.world()
    controls, searched = plan.controls, False
    episode = replay(world, made.plan.start, controls, settle=plan.settle)
    first = last = score(episode.places, made.plan.reference)
    if not first.success and _worth_it(first, o):
        touched = touched_in(plan).on([mesh.center for mesh in meshes], variation.sizes)
        task = task_of(made.plan, world, touched)
        assert o.search is not None
        found = plan_controls(task, replace(o.search, settle=plan.settle))
        again = replay(world, made.plan.start, found.controls, settle=plan.settle)
        better = score(again.places, made.plan.reference)
        if (better.success, better.tracked) > (first.success, first.tracked):
            controls, episode, last, searched = found.controls, again, better, True
    about = plain({**plan.about, "varied": {**variation.values(), "searched": searched}})
    done = replace(made.plan, controls=controls, qpos=episode.qpos, force=episode.force, about=about)
    return Attempt(variation, done, made.meshes, first, last, searched)


def _worth_it(first: Score, o: AttemptOptions) -> bool:
    return o.search is not None and first.frames <= o.longest and first.share >= o.tracked


@dataclass(frozen=True)
class Touched:
    """What the points of a plan's world touched in it.

    Attributes:
        of: (T, P) index of the object nearest to each.
        where: (T, P, 3) metres, in its frame.
        weight: (T, P) 1 where it touched, else 0.
    """

    of: NDArray[np.intp]
    where: Array
    weight: Array

    def on(self, centers: Sequence[Array], sizes: Sequence[float]) -> Touched:
        """The same on objects of other sizes about their centres (3,)."""
        out = self.where.copy()
        for k, (center, size) in enumerate(zip(centers, sizes)):
            mine = self.of == k
            out[mine] = center + size * (out[mine] - center)
        return replace(self, where=out)


def touched_in(plan: Plan) -> Touched:
    """Find what touched what in a plan, and where."""
    world = plan.world()
    mj, model = mujoco(), world.model
    data = mj.MjData(model)
    points = [model.site(name).id for name in world.points]
    there: Bools = np.asarray(np.isfinite(plan.qpos).all(1))
    shape = plan.force.shape
    of, where = np.zeros(shape, np.intp), np.zeros((*shape, 3))
    weight = ((plan.force > 0.0) & there[:, None]).astype(np.float64)
    for t in np.flatnonzero(weight.any(1)):
        data.qpos[:] = plan.qpos[t]
        mj.mj_kinematics(model, data)
        poses = world.object_poses(plan.qpos[t])
        local = np.stack([transform_points(inverse(pose), data.site_xpos[points]) for pose in poses])
        of[t] = np.linalg.norm(local, axis=2).argmin(0)
        where[t] = local[of[t], np.arange(len(points))]
    return Touched(of, where, weight)


def task_of(plan: Plan, world: World, touched: Touched) -> Task:
    """A plan as a task to search controls for: what touched is to touch again.

    Args:
        plan: with references, and controls to begin with.
        world: of the plan.
        touched: in a plan of the same motion.
    """
    return Task(
        world,
        plan.start,
        plan.controls,
        plan.joints,
        plan.reference,
        touched.of,
        touched.where,
        touched.weight,
    )
