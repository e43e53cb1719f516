"""A pose in which an object stands: perturbed starts are let fall, and the nearest that came to rest is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import matrix_from_quaternion, quaternion_from_matrix, se3, so3_exp, so3_log
from dexman_pose.robot.engine import mujoco, rollout
from dexman_pose.robot.objects.model import ContactOptions, SimulatedObject, add_object, add_table, body_name
from dexman_pose.robot.world.physics import PhysicsOptions, new_spec
from dexman_pose.threads import cores

_POSE = 7  # numbers of a free body's place and quaternion
_TIME = 1  # number before them in a state


@dataclass(frozen=True)
class PlacementOptions:
    """How a pose that stands is looked for.

    Attributes:
        starts: perturbed ones, beside the pose as it is.
        most: radians that a start is turned by at most.
        above: metres from which it is let fall.
        seconds: that it is given to come to rest.
        watched: seconds at the end in which it must not move.
        still: metres and radians that it may move in them.
        length: metres that weigh as much as a radian when poses are compared.
        seed: of the perturbations.
    """

    starts: int = 20
    most: float = 0.785
    above: float = 0.001
    seconds: float = 2.0
    watched: float = 0.5
    still: tuple[float, float] = (0.001, 0.01)
    length: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class Placement:
    """Where an object stands.

    Attributes:
        world_from_object: (4, 4) at rest.
        stands: whether it came to rest from any start; if not, the pose is the one that moved least.
        moved: metres from the pose that was asked for.
        turned: radians from it.
        share: of the starts that came to rest.
    """

    world_from_object: Array
    stands: bool
    moved: float
    turned: float
    share: float


def standing(
    thing: SimulatedObject,
    world_from_object: Array,
    *,
    contact: ContactOptions | None = None,
    physics: PhysicsOptions | None = None,
    options: PlacementOptions | None = None,
) -> Placement:
    """Find the pose nearest to a given one in which an object stands on the table z = 0.

    Args:
        thing: the object.
        world_from_object: (4, 4) as it was estimated; only its height is not believed.
        contact: friction.
        physics: settings of the simulator.
        options: how it is looked for.
    """
    o, p, c = options or PlacementOptions(), physics or PhysicsOptions(), contact or ContactOptions()
    starts = _starts(thing, world_from_object, o)
    ends, before = _let_fall(thing, starts, c, p, o)
    moved, turned = _apart(ends, world_from_object)
    crept, rolled = _apart_each(ends, before)
    rests = (crept < o.still[0]) & (rolled < o.still[1]) & np.isfinite(moved)
    far = moved / o.length + turned
    restless = crept / o.still[0] + rolled / o.still[1]
    best = int(np.argmin(np.where(rests, far, np.inf) if rests.any() else restless))
    return Placement(
        ends[best], bool(rests.any()), float(moved[best]), float(turned[best]), float(rests.mean())
    )


def _starts(thing: SimulatedObject, pose: Array, o: PlacementOptions) -> Array:
    """(1 + starts, 4, 4): the pose on the table, and turned ones, little and much."""
    rng = np.random.default_rng(o.seed)
    axes = rng.standard_normal((o.starts, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    angles = o.most * (np.arange(1, o.starts + 1) / o.starts) ** 2  # most of them small
    turns = np.concatenate([np.eye(3)[None], so3_exp(axes * angles[:, None])]) @ pose[:3, :3]
    places = np.tile(pose[:3, 3], (len(turns), 1))
    places[:, 2] = [o.above - thing.lowest(turn) for turn in turns]
    return se3(turns, places)


def _let_fall(
    thing: SimulatedObject, starts: Array, contact: ContactOptions, p: PhysicsOptions, o: PlacementOptions
) -> tuple[Array, Array]:
    """Poses (N, 4, 4) at the end, and a while before it."""
    mj = mujoco()
    spec = new_spec(p)
    add_table(spec, contact)
    add_object(spec, thing, starts[0], contact)
    model = spec.compile()
    at = _TIME + int(model.jnt_qposadr[model.joint(body_name(thing.name)).id])
    kind = mj.mjtState.mjSTATE_FULLPHYSICS
    state = np.zeros((len(starts), mj.mj_stateSize(model, kind)))
    state[:, at : at + 3] = starts[:, :3, 3]
    state[:, at + 3 : at + _POSE] = quaternion_from_matrix(starts[:, :3, :3])
    steps = round(o.seconds / p.timestep)
    threads = min(cores(), len(starts))
    with rollout().Rollout(nthread=threads) as many:
        states, _ = many.rollout(model, [mj.MjData(model) for _ in range(threads)], state, nstep=steps)
    poses = states[:, :, at : at + _POSE]
    early = max(0, steps - 1 - round(o.watched / p.timestep))
    return _poses(poses[:, -1]), _poses(poses[:, early])


def _poses(numbers: Array) -> Array:
    return se3(matrix_from_quaternion(numbers[:, 3:]), numbers[:, :3])


def _apart(poses: Array, other: Array) -> tuple[Array, Array]:
    """Metres and radians between each pose and one other; the height of that is not compared."""
    turned = np.linalg.norm(so3_log(poses[:, :3, :3] @ other[:3, :3].T), axis=1)
    return np.linalg.norm(poses[:, :2, 3] - other[:2, 3], axis=1), turned


def _apart_each(poses: Array, others: Array) -> tuple[Array, Array]:
    turned = np.linalg.norm(so3_log(poses[:, :3, :3] @ np.swapaxes(others[:, :3, :3], 1, 2)), axis=1)
    return np.linalg.norm(poses[:, :3, 3] - others[:, :3, 3], axis=1), turned
