"""A demonstration before a camera: a robot's hand and objects as the simulator left them, with exact labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.contact.distance import signed_distance
from dexman_pose.data import Mesh
from dexman_pose.data.tracks import JOINT_NAMES, JOINT_PARENTS, SIDES
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.motion.types import RATE
from dexman_pose.robot.motion.window import same_sign
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.robot.world.build import POSE, World
from dexman_pose.synthetic.grasps.filming import Film, FilmOptions
from dexman_pose.synthetic.grasps.scene import SceneObject, between
from dexman_pose.synthetic.grasps.touch import PARTS
from dexman_pose.synthetic.grasps.view import corners_of, view_of
from dexman_pose.synthetic.skills.shapes import BodyShape, PosedRobotHand, coarse_mesh, hand_shapes
from dexman_pose.synthetic.studio.draw import Moment

_STREAM = 23_011


@dataclass(frozen=True)
class HoldOptions:
    """When a hand carries an object.

    Attributes:
        force: N, all its points together.
        moves: metres a second of the object; or
        lifted: metres above where it began.
        sampled: every how many corners of a finger are asked how far they are from an object.
    """

    force: float = 0.1
    moves: float = 0.03
    lifted: float = 0.005
    sampled: int = 2


class SkillFilm(Film):
    """A plan as it was played, before a camera.

    Args:
        plan: of T frames, all of which happened.
        names: of its objects as the film calls them, in the plan's order.
        meshes: of them as they are seen.
        seed: of camera, room, light and noise.
        files: the robot's own description of each side, whose shapes are drawn; a side that is not there is drawn as it
            collides.
        options: how it is filmed.

    Raises:
        InputError: the simulation broke, or the model holds no hand.
        EstimationError: no camera shows all of it.
    """

    def __init__(
        self,
        plan: Plan,
        names: Sequence[str],
        meshes: Sequence[Mesh],
        seed: int,
        files: dict[str, Path] | None = None,
        options: FilmOptions | None = None,
    ) -> None:
        if not np.isfinite(plan.qpos).all():
            raise InputError(
                "the simulation of this plan broke before its end: there is nothing to film in it"
            )
        o, rng = options or FilmOptions(), np.random.default_rng([_STREAM, seed])
        self.plan, self.world = plan, plan.world()
        self._sides = tuple(s for s in SIDES if any(p.startswith(f"{s}_") for p in self.world.points))
        if not self._sides:
            raise InputError("the plan's model holds no left or right hand")
        poses = self.world.object_poses(plan.qpos)
        things = [SceneObject(n, m, poses[:, k]) for k, (n, m) in enumerate(zip(names, meshes))]
        self._bodies = _body_poses(self.world, plan.qpos)
        joints = np.stack([_joints(self.world, side, plan.qpos) for side in self._sides])
        view = view_of(
            corners_of(things), joints[:, ::3].reshape(-1, 3), "the demonstration", o.size, rng, o.view
        )
        self._files = files or {}
        super().__init__(things, view, joints, seed, o, float(rng.uniform(0, 2 * np.pi)))

    @property
    def sides(self) -> tuple[str, ...]:
        """``left`` or ``right`` of each hand."""
        return self._sides

    @property
    def bone_lengths(self) -> Array:
        """(H, 21) metres from each joint to its parent, over the frames; a robot's palm may bend."""
        out = np.zeros((len(self._sides), len(JOINT_NAMES)))
        for joint, parent in enumerate(JOINT_PARENTS):
            if parent >= 0:
                apart = np.linalg.norm(self._joints[:, :, joint] - self._joints[:, :, parent], axis=-1)
                out[:, joint] = np.median(apart, axis=1)
        return out

    @cached_property
    def shapes(self) -> dict[str, tuple[BodyShape, ...]]:
        """What is drawn of each hand."""
        return {s: hand_shapes(self.world.model, s, self._files.get(s)) for s in self._sides}

    @cached_property
    def _coarse(self) -> dict[str, list[tuple[int, Mesh]]]:
        return {s: coarse_mesh(self.world.model, s) for s in self._sides}

    @property
    def held(self) -> NDArray[np.bool_]:
        """(H, N, T) the hand presses on the object, and that moves or is off its place."""
        o, near = HoldOptions(), self.gaps().min(-1).argmin(1)
        out = np.zeros((len(self._sides), len(self.objects), self.num_frames), np.bool_)
        for h, side in enumerate(self._sides):
            mine = [k for k, p in enumerate(self.world.points) if p.startswith(f"{side}_")]
            pressed = self.plan.force[:, mine].sum(1) > o.force
            for n, thing in enumerate(self.objects):
                places = thing.world_from_object[:, :3, 3]
                speed = np.linalg.norm(np.gradient(places, 1.0 / RATE, axis=0), axis=1)
                off = (speed > o.moves) | (places[:, 2] > places[0, 2] + o.lifted)
                nearest = near[h] == n if len(self.objects) > 1 else True
                out[h, n] = pressed & off & nearest
        return out

    @cached_property
    def _gaps(self) -> Array:
        out = np.full((len(self._sides), len(self.objects), self.num_frames, len(PARTS)), np.inf)
        rotations, places = self._bodies
        for h, side in enumerate(self._sides):
            parts = _part_points(self.world, side, self.shapes[side])
            for n, thing in enumerate(self.objects):
                from_world = inverse(thing.world_from_object)
                for part, pieces in parts.items():
                    points = np.concatenate(
                        [
                            np.einsum("tij,vj->tvi", rotations[:, body], local) + places[:, body, None]
                            for body, local in pieces
                        ],
                        axis=1,
                    )
                    own = transform_points(from_world, points)
                    found = signed_distance(thing.mesh, own.reshape(-1, 3)).distance
                    out[h, n, :, part] = found.reshape(own.shape[:2]).min(1)
        return np.where(np.isfinite(out), out, 1.0)

    def gaps(self) -> Array:
        """(H, N, T, 6) metres, least signed distance between an object and what is drawn of each finger and the palm.

        A part that the robot does not have is 1 m away.
        """
        return self._gaps

    def moments(self, times: Array) -> list[Moment]:
        """Where everything is at times (M,) in frames, fractions included."""
        objects = [between(t.world_from_object, times) for t in self.objects]
        rotations, places = _body_poses(self.world, _between_states(self.world, self.plan.qpos, times))
        return [
            Moment(
                [poses[k] for poses in objects],
                [
                    PosedRobotHand(self.shapes[s], self._coarse[s], rotations[k], places[k])
                    for s in self._sides
                ],
            )
            for k in range(len(times))
        ]


def _body_poses(world: World, qpos: Array) -> tuple[Array, Array]:
    """Rotations (T, B, 3, 3) and places (T, B, 3) of all bodies, world from body."""
    mj, model = mujoco(), world.model
    data = mj.MjData(model)
    rotations, places = np.zeros((len(qpos), model.nbody, 3, 3)), np.zeros((len(qpos), model.nbody, 3))
    for t, q in enumerate(qpos):
        data.qpos[:] = q
        mj.mj_kinematics(model, data)
        rotations[t], places[t] = data.xmat.reshape(-1, 3, 3), data.xpos
    return rotations, places


def _between_states(world: World, qpos: Array, times: Array) -> Array:
    """States (M, nq) at times in frames; held still before the first and after the last."""
    t = np.clip(times, 0, len(qpos) - 1)
    first = np.minimum(t.astype(int), max(len(qpos) - 2, 0))
    after = np.minimum(first + 1, len(qpos) - 1)
    share = (t - first)[:, None]
    out = (1.0 - share) * qpos[first] + share * qpos[after]
    for at in world.object_at:
        pair = np.stack([qpos[first, at + 3 : at + POSE], qpos[after, at + 3 : at + POSE]])
        same = np.stack([same_sign(pair[:, k]) for k in range(len(t))], 1)
        mean = (1.0 - share) * same[0] + share * same[1]
        out[:, at + 3 : at + POSE] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return np.asarray(out)


def _joints(world: World, side: str, qpos: Array) -> Array:
    """(T, 21, 3) of a robot's hand, world: its sites where it has them, the last body of a finger for the joint before
    its tip; a joint that it does not have lies on its parent."""
    model = world.model
    rotations, places = _body_poses(world, qpos)
    there = {model.site(i).name: i for i in range(model.nsite)}
    out = np.zeros((len(qpos), len(JOINT_NAMES), 3))
    for joint, name in enumerate(JOINT_NAMES):
        site = there.get(f"{side}_{name}")
        finger, _, kind = name.partition("_")
        tip = there.get(f"{side}_{finger}_tip")
        if site is not None:
            body = int(model.site_bodyid[site])
            local = np.asarray(model.site_pos[site])
            out[:, joint] = np.einsum("tij,j->ti", rotations[:, body], local) + places[:, body]
        elif tip is not None and kind in ("dip", "ip"):
            out[:, joint] = places[:, int(model.site_bodyid[tip])]
        else:
            out[:, joint] = out[:, max(JOINT_PARENTS[joint], 0)]
    return out


def _part_points(
    world: World, side: str, shapes: tuple[BodyShape, ...]
) -> dict[int, list[tuple[int, Array]]]:
    """For each part of the hand (five fingers, the palm) the bodies it has and some of their corners."""
    model, step = world.model, HoldOptions().sampled
    there = {model.site(i).name: i for i in range(model.nsite)}
    by_body = {s.body: s.vertices[::step] for s in shapes}
    out: dict[int, list[tuple[int, Array]]] = {}
    wrist = there.get(f"{side}_wrist")
    palm = int(model.site_bodyid[wrist]) if wrist is not None else -1
    for part, finger in enumerate(PARTS[:-1]):
        tip = there.get(f"{side}_{finger}_tip")
        if tip is None:
            continue
        body = int(model.site_bodyid[tip])
        chain = [body, int(model.body_parentid[body])]
        out[part] = [(b, by_body[b]) for b in chain if b in by_body and b != palm]
    if palm in by_body:
        out[len(PARTS) - 1] = [(palm, by_body[palm])]
    return {part: pieces for part, pieces in out.items() if pieces}
