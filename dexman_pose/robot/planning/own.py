"""Grasps of the robot's own, where the person's are known too badly to hold anything: a hand that its object hides.

The hand is put before the object at random, not far from how the person's hand is turned, comes open from a little
farther away, and closes around it. Some of some hundred such grasps lift the thing, or nearly; from there the search
for grasps goes on. The object still does what it did in the motion; how it is held is the robot's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse, matrix_from_quaternion, se3, transform_points
from dexman_pose.progress import progress
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.objects.model import body_name
from dexman_pose.robot.planning.carriers import FreeCarrier, Shift
from dexman_pose.robot.planning.cost import apart, object_cost
from dexman_pose.robot.planning.grasp import played
from dexman_pose.robot.planning.holds import Hold, holds_of
from dexman_pose.robot.planning.members import different_model, different_start, spread_differences
from dexman_pose.robot.planning.noise import deviations
from dexman_pose.robot.planning.options import GraspOptions, Limits, OwnOptions, PlanOptions
from dexman_pose.robot.planning.planner import stream
from dexman_pose.robot.planning.shapes import HandShape
from dexman_pose.robot.planning.simulation import Simulations
from dexman_pose.robot.planning.simulators import simulations
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.world.build import World
from dexman_pose.robot.world.controls import limited

_DRAWN, _WORLDS = 5, 6
"""What random numbers are for, beside those of the planner and the search for grasps."""
_SLIDES = 3  # motors of a free hand before its hinges
_APPROACH = 3  # frames in which the palm comes straight to its grasp
_CALM = 0.7  # from round to round, of how far others lie from the best
_TRIES = 30  # times as many draws as grasps that are wanted, at most


@dataclass(frozen=True)
class OwnGrasp:
    """A grasp in the frame of its object.

    Attributes:
        shift: (3,) metres, of the palm from where the motion has it.
        turn: (3,) rotation vector, about the object's middle, before it.
        comes: (3,) unit direction in which the palm comes.
        back: metres that it comes from farther away.
        opened: (F,) controls of the fingers before.
        closed: (F,) controls then.
    """

    shift: Array
    turn: Array
    comes: Array
    back: float
    opened: Array
    closed: Array


def own_grasps(task: Task, options: PlanOptions | None = None) -> tuple[list[Task], int]:
    """Find grasps of the robot's own, to search on from.

    Holds with which an object already follows its reference are left as they are; so are those of arms.

    Args:
        task: with grasps that stay as they are, and the best controls that are known.
        options: settings.

    Returns:
        The task with them in its controls, the most promising first; and steps of the simulation.
    """
    o = options or PlanOptions()
    if o.own is None or o.grasp is None:
        return [], 0
    with simulations(task.world, o.simulator) as many:
        return _Search(task, o, o.own, o.grasp, many).found(), many.steps


class _Search:
    """Rounds of grasps."""

    def __init__(
        self, task: Task, o: PlanOptions, own: OwnOptions, grasp: GraspOptions, many: Simulations
    ) -> None:
        self.task, self.o, self.own, self.grasp, self.many = task, o, own, grasp, many
        self.base = limited(task.world, task.controls)
        objects = len(task.world.objects)
        self.worlds = spread_differences(grasp.worlds, objects, o.spread, stream(o, _WORLDS, 0))
        self.holds = [h for h in holds_of(task, grasp) if isinstance(h.hand, FreeCarrier)]

    def found(self) -> list[Task]:
        """Tasks with the best grasps."""
        if not self.holds:
            return []
        before = self._played(self.base[None], whole=True)
        poor = [h for h in self.holds if self._paid(before, h)[0] >= self.grasp.sure]
        rngs = [stream(self.o, _DRAWN, i) for i in range(len(poor))]
        begun = [(h, self._first(h, rng), rng) for h, rng in zip(poor, rngs)]
        begun = [(h, d, rng) for h, d, rng in begun if d]
        if not begun:
            return []
        self.holds = [h for h, _, _ in begun]
        least = min(len(d) for _, d, _ in begun)
        drawn = [d[:least] for _, d, _ in begun]
        for number in progress(range(self.own.rounds + 1), "own grasps"):
            away = self._away(self._played(self._controls(drawn), number))
            ranked = [np.argsort(a, kind="stable") for a in away]
            if number < self.own.rounds:
                spread = self.own.spread * _CALM**number
                drawn = [self._next(h, d, r, spread, rng) for (h, _, rng), d, r in zip(begun, drawn, ranked)]
        best = [self._lines(d, r) for d, r in zip(drawn, ranked)]
        return [
            replace(self.task, controls=_with(self.task, self.base, list(zip(self.holds, grasps))))
            for grasps in zip(*best)
        ]

    def _first(self, hold: Hold, rng: np.random.Generator) -> list[tuple[int, OwnGrasp]]:
        """Grasps of a hold; none where it is not known how the hand closes."""
        try:
            return _drawn(self.task, hold, HandShape(self.task, hold), self.own, rng)
        except InputError:
            return []

    def _lines(self, drawn: list[tuple[int, OwnGrasp]], ranked: NDArray[np.intp]) -> list[OwnGrasp]:
        """The best of each line, of the best lines."""
        best: dict[int, OwnGrasp] = {}
        for i in ranked:
            best.setdefault(*drawn[i])
        return list(best.values())[: self.own.kept]

    def _controls(self, drawn: list[list[tuple[int, OwnGrasp]]]) -> Array:
        """(N, T, A) of grasps of all holds at once."""
        together = [[(h, grasp) for h, (_, grasp) in zip(self.holds, some)] for some in zip(*drawn)]
        return np.stack([_with(self.task, self.base, grasps) for grasps in together])

    def _next(
        self,
        hold: Hold,
        drawn: list[tuple[int, OwnGrasp]],
        ranked: NDArray[np.intp],
        spread: float,
        rng: np.random.Generator,
    ) -> list[tuple[int, OwnGrasp]]:
        """Grasps like the best ones, those themselves among them; each knows the first one that it comes from."""
        parents: list[tuple[int, OwnGrasp]] = []
        often: dict[int, int] = {}
        for i in ranked:
            line, grasp = drawn[i]
            if often.get(line, 0) < self.own.alike and len(parents) < self.own.parents:
                often[line] = often.get(line, 0) + 1
                parents.append((line, grasp))
        motors = spread * deviations(self.task.world, self.grasp)[hold.fingers]
        sigma = (spread * self.grasp.slide, spread * self.grasp.hinge, motors)
        out = list(parents)
        while len(out) < self.own.samples:
            line, grasp = parents[len(out) % len(parents)]
            out.append((line, _varied(grasp, sigma, rng)))
        return out

    def _played(self, controls: Array, number: int = 0, whole: bool = False) -> Array:
        """Places (N, F, O, 7) of a round.

        The first rounds look at what happens until a while after the last hold has begun, in the world that is
        believed in, later ones at the whole motion, each in another world.
        """
        soon = max(h.start for h in self.holds) + self.grasp.after
        late = number >= self.own.early
        frames = self.task.num_frames if late or whole else min(self.task.num_frames, soon)
        world = self.worlds[(number - self.own.early + 1) % len(self.worlds) if late else 0]
        model = different_model(self.task.world, world)
        start = self.many.state(different_start(self.task.world, self.task.start, world))
        count = len(controls)
        starts = np.repeat(start[None], count, axis=0)
        return played(self.task, self.many, [model] * count, starts, controls[:, :frames], self.grasp.settle)

    def _during(self, hold: Hold, frames: int) -> slice:
        """Frames that a hold answers for: from when fingers begin to close until they open."""
        begins = int(np.argmax(hold.closes > 0.0))
        return slice(begins, max(min(hold.stop, frames), begins + 1))

    def _paid(self, places: Array, hold: Hold) -> Array:
        """(N,) mean cost of a hold's object, while it is held."""
        o, during = self.o, self._during(hold, places.shape[1])
        limits = Limits(o.tight * o.limits.position, o.tight * o.limits.rotation)
        seen, reference = places[:, during, [hold.thing]], self.task.reference[during, [hold.thing]]
        paid = object_cost(seen[..., None, :], reference[..., None, :], limits, o.cost)[..., 0]
        return np.asarray(np.minimum(paid, self.grasp.lost).mean(1))

    def _away(self, places: Array) -> list[Array]:
        """(N,) metres, for each hold, that its object is off its reference, in the mean, turns counted by a lever.

        A cost that is flat where things are lost does not tell what is nearly held from what is left alone.
        """
        out = []
        for hold in self.holds:
            during = self._during(hold, places.shape[1])
            metres, radians = apart(places[:, during, hold.thing], self.task.reference[during, hold.thing])
            off = metres + self.own.lever * radians
            out.append(np.nan_to_num(off, nan=np.inf).mean(1))
        return out


def _varied(grasp: OwnGrasp, sigma: tuple[float, float, Array], rng: np.random.Generator) -> OwnGrasp:
    """Another one like it."""
    return replace(
        grasp,
        shift=grasp.shift + sigma[0] * rng.standard_normal(3),
        turn=grasp.turn + sigma[1] * rng.standard_normal(3),
        closed=grasp.closed + sigma[2] * rng.standard_normal(len(grasp.closed)),
    )


def _with(task: Task, base: Array, grasps: list[tuple[Hold, OwnGrasp]]) -> Array:
    """(T, A) controls with other grasps."""
    controls = base.copy()
    for hold, grasp in grasps:
        turns = matrix_from_quaternion(task.reference[:, hold.thing, 3:])
        closes, (comes, before) = hold.closes[:, None], _ways_in(task.num_frames, hold)
        shift = turns @ grasp.shift * comes - turns @ grasp.comes * (grasp.back * before * comes)
        turn = turns @ grasp.turn * comes
        middle = task.reference[:, hold.thing, :3]
        controls[:, hold.hand.motors] += hold.hand.changes(Shift(shift, turn, middle), 0, controls)
        hinges = hold.hand.motors[_SLIDES:]
        controls[:, hinges] = _continuous(controls[:, hinges])
        shape = (1.0 - closes) * grasp.opened + closes * grasp.closed
        controls[:, hold.fingers] += comes * (shape - controls[:, hold.fingers])
    return limited(task.world, controls)


def _continuous(angles: Array) -> Array:
    """Euler angles (T, 3) of the same turns that do not jump: each frame's nearest to those of the frame before.

    Angles of a palm that is turned far are known frame by frame: as they are, or by the other way around.
    """
    same = np.stack([angles, angles * [1.0, -1.0, 1.0] + np.pi])
    out = angles.copy()
    for t in range(1, len(angles)):
        steps = (same[:, t] - out[t - 1] + np.pi) % (2.0 * np.pi) - np.pi
        out[t] = out[t - 1] + steps[int(np.abs(steps).sum(1).argmin())]
    return out


def _ways_in(frames: int, hold: Hold) -> tuple[Array, Array]:
    """How far the palm has come before its grasp (T, 1), and how far before it is still (T, 1), both from 0 to 1.

    It is before it some frames before fingers begin to close, and there when they do.
    """
    begins, at = int(np.argmax(hold.closes > 0.0)), np.arange(frames)
    leaves = int(np.argmax(hold.comes > 0.0))
    there = min(max(begins - _APPROACH, leaves + 1), max(begins, leaves))
    share = float(hold.comes[there])
    comes = np.where(at < hold.start, np.minimum(hold.comes / share, 1.0), hold.comes)
    before = np.where(at < hold.start, np.clip((begins - at) / max(begins - there, 1), 0.0, 1.0), 0.0)
    return comes[:, None], before[:, None]


def _drawn(
    task: Task, hold: Hold, shape: HandShape, o: OwnOptions, rng: np.random.Generator
) -> list[tuple[int, OwnGrasp]]:
    """Grasps around an object, numbered, none of which begins in the table."""
    place = task.reference[hold.start, hold.thing]
    world_from_object = se3(matrix_from_quaternion(place[3:]), place[:3])
    surface = transform_points(world_from_object, object_points(task.world, hold.thing))
    low, high = surface.min(0), surface.max(0)
    reach = shape.middle - shape.bases
    length = float(np.linalg.norm(reach))
    open_tips = shape.seen(shape.fingers(0.0)).tips
    out: list[tuple[int, OwnGrasp]] = []
    for _ in range(_TRIES * o.samples):
        if len(out) == o.samples:
            break
        size = rng.choice(o.turns)
        turn = Rotation.from_rotvec(size * rng.standard_normal(3)).as_matrix() @ shape.palm[:3, :3]
        aim = 0.5 * (low + high) + rng.uniform(-o.around, o.around, 3) * (high - low)
        comes = turn @ reach / length
        beside = surface - aim
        depth = beside @ comes
        near = np.linalg.norm(beside - depth[:, None] * comes, axis=1) < o.beside
        front = float(-depth[near].min()) if near.any() else 0.0
        away = max(rng.uniform(*o.reach) * length, front + rng.uniform(*o.clear))
        palm = se3(turn, aim - away * comes - turn @ shape.bases)
        back, opened = float(rng.uniform(*o.back)), shape.fingers(float(rng.uniform(*o.opened)))
        closed = shape.fingers(float(rng.uniform(*o.closed)))
        moved = palm @ inverse(shape.palm)
        tips = transform_points(moved, open_tips)
        if min(float(tips[:, 2].min()), float(palm[2, 3])) < o.low:
            continue
        shift = transform_points(moved, place[None, :3])[0] - place[:3]
        seen = world_from_object[:3, :3].T
        rotation = Rotation.from_matrix(moved[:3, :3]).as_rotvec()
        grasp = OwnGrasp(seen @ shift, seen @ rotation, seen @ comes, back, opened, closed)
        out.append((len(out), grasp))
    return out


def object_points(world: World, thing: int) -> Array:
    """Points (V, 3) on the pieces of an object, in its frame, metres: corners, and some on every side."""
    model, mj = world.model, mujoco()
    body = model.body(body_name(world.objects[thing])).id
    out = []
    for geom in np.flatnonzero(model.geom_bodyid == body):
        turn = np.zeros(9)
        mj.mju_quat2Mat(turn, model.geom_quat[geom])
        mesh = int(model.geom_dataid[geom])
        if model.geom_type[geom] == mj.mjtGeom.mjGEOM_MESH and mesh >= 0:
            first, count = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
            corners = np.array(model.mesh_vert[first : first + count], np.float64)
            first, count = int(model.mesh_faceadr[mesh]), int(model.mesh_facenum[mesh])
            points = _LATTICE @ corners[model.mesh_face[first : first + count]]
        else:
            middle, half = model.geom_aabb[geom][:3], model.geom_aabb[geom][3:]
            points = middle + _BOX * half
        out.append(points.reshape(-1, 3) @ turn.reshape(3, 3).T + model.geom_pos[geom])
    return np.concatenate(out)


def _lattice(parts: int) -> Array:
    """(K, 3) weights of a triangle's corners, evenly over it."""
    pairs = [(i, j) for i in range(parts + 1) for j in range(parts + 1 - i)]
    return np.array([(i, j, parts - i - j) for i, j in pairs]) / parts


_LATTICE = _lattice(4)
_BOX = np.array([p for p in np.ndindex(5, 5, 5) if {0, 4} & set(p)]) / 2.0 - 1.0
"""Points on the sides of the box from -1 to 1."""
