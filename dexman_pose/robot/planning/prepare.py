"""From a motion to what a planner is given: objects stand, hands are retargeted, the world is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse, quaternion_from_matrix
from dexman_pose.robot.assets.body import BodyDescription
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.assets.rig import Rig
from dexman_pose.robot.motion.checks import CheckOptions, doubts
from dexman_pose.robot.motion.fixed import FixedOptions, with_fixed_grasps
from dexman_pose.robot.motion.touch import Touches, TouchOptions, closing_on_holds, touches_of
from dexman_pose.robot.motion.types import RATE, Motion
from dexman_pose.robot.motion.window import WindowOptions, same_sign, skill
from dexman_pose.robot.objects.model import ObjectOptions, SimulatedObject, simulated_object
from dexman_pose.robot.objects.placement import Placement, PlacementOptions, standing
from dexman_pose.robot.planning.task import Task
from dexman_pose.robot.retarget.grip import GripOptions, grip_controls
from dexman_pose.robot.retarget.kinematics import FreeKinematics
from dexman_pose.robot.retarget.motion import PressOptions, Retargeted, retarget
from dexman_pose.robot.retarget.obstacles import Obstacle
from dexman_pose.robot.retarget.on_body import BodyOptions, OnBody, on_body
from dexman_pose.robot.retarget.together import together
from dexman_pose.robot.world.build import World, WorldOptions, build_world
from dexman_pose.robot.world.controls import controls_for, led


@dataclass(frozen=True)
class PrepareOptions:
    """How a motion becomes a task.

    Attributes:
        window: what of the motion is planned.
        touch: what counts as touching.
        press: how fingertips are retargeted.
        grip: how hard they hold.
        fixed: grasps that stay as they are while they hold; None for hands that move as they were measured.
        body: where a body stands, and what it has to reach.
        objects: how objects are made.
        placement: how they are put down.
        world: simulator and friction.
        checks: what is doubted.
        early: seconds before an object moves from which on it is grasped.
        closing: seconds that the grasp takes.
        moving: metres a second from which on an object moves.
        around: whether hands keep clear of objects while they come and go.
        floating: metres above the table from which on an object does not stand on it.
    """

    window: WindowOptions = field(default_factory=WindowOptions)
    touch: TouchOptions = field(default_factory=TouchOptions)
    press: PressOptions = field(default_factory=PressOptions)
    grip: GripOptions = field(default_factory=GripOptions)
    fixed: FixedOptions | None = None
    body: BodyOptions = field(default_factory=BodyOptions)
    objects: ObjectOptions = field(default_factory=ObjectOptions)
    placement: PlacementOptions = field(default_factory=PlacementOptions)
    world: WorldOptions = field(default_factory=WorldOptions)
    checks: CheckOptions = field(default_factory=CheckOptions)
    early: float = 0.33
    closing: float = 0.2
    moving: float = 0.03
    around: bool = True
    floating: float = 0.03


@dataclass(frozen=True)
class Prepared:
    """A task and where it comes from.

    Attributes:
        task: for the planner.
        motion: as it is planned, objects standing.
        original: (T, O, 7) of the objects before they were put where they stand.
        hands: retargeted.
        placements: by object.
        things: the objects.
        doubts: what speaks against the motion.
        carried: what a body does with the hands; None for free hands.
    """

    task: Task
    motion: Motion
    original: Array
    hands: tuple[Retargeted, ...]
    placements: dict[str, Placement]
    things: tuple[SimulatedObject, ...]
    doubts: tuple[str, ...]
    carried: OnBody | None = None


def prepare(
    motion: Motion,
    describe: Callable[[str], HandDescription],
    options: PrepareOptions | None = None,
    body: BodyDescription | None = None,
) -> Prepared:
    """Make a task of a motion.

    Args:
        motion: hands and objects.
        describe: the robot's hand of a side.
        options: settings.
        body: whose arms carry the hands; None for free hands.

    Raises:
        InputError: an object is in the hand from the first frame, nothing moves, or the body does not reach it.
        MissingExtraError: MuJoCo or CoACD is needed and not there.
        MissingModelError: the robot's files are not there.
    """
    o = options or PrepareOptions()
    descriptions = [describe(side) for side in motion.hands]
    seen = skill(motion, o.window)
    moving = {name: _moving(seen, name, o) for name in seen.objects}
    things = tuple(simulated_object(n, x.mesh, o.objects) for n, x in seen.objects.items())
    placements = {thing.name: _placed(seen, thing, moving[thing.name], o) for thing in things}
    found = touches_of(seen, o.touch)
    said = doubts(seen, found, placements, moving, o.checks)
    stood = _put_down(seen, placements, moving, found, o)
    if o.fixed is not None:
        stood = with_fixed_grasps(stood, touches_of(stood, o.touch), moving, o.fixed)
    poses = {name: thing.world_from_object for name, thing in stood.objects.items()}
    touches = closing_on_holds(touches_of(stood, o.touch), moving, poses, o.touch)
    held = {name: _held(flags, o) for name, flags in moving.items()}
    ways = _obstacles(stood, things, held) if o.around else ()
    free = tuple(retarget(stood, hand, touches, held, o.press, ways) for hand in descriptions)
    carried = None
    if body is None:
        free = together(free, o.press, ways)
    else:
        most = np.max(list(held.values()), axis=0)
        carried = on_body(body, free, describe, most, o.press, o.body, ways)
    hands = free if carried is None else carried.hands
    first = {name: placements[name].world_from_object for name in stood.objects}
    world = build_world(_rig(hands, carried), things, first, o.world)
    masses = {thing.name: thing.mass for thing in things}
    grip = grip_controls(world, stood, hands, touches, held, masses, o.world.contact.friction, o.grip)
    task = _task(world, stood, hands, touches, held, first, grip)
    said += tuple(note for h in hands for note in h.notes) + (carried.notes if carried is not None else ())
    return Prepared(task, stood, _places(seen, world), hands, placements, things, said, carried)


def _rig(hands: tuple[Retargeted, ...], carried: OnBody | None) -> Rig:
    if carried is not None:
        return carried.placed
    free = {
        x.hand.side: x for h in hands if isinstance(h.kinematics, FreeKinematics) for x in h.kinematics.free
    }
    return [free[h.hand.side] for h in hands]


def _moving(motion: Motion, name: str, o: PrepareOptions) -> np.ndarray:
    """(T,) frames in which an object has left its place or moves."""
    places = motion.objects[name].world_from_object[:, :3, 3]
    speed = np.linalg.norm(np.gradient(places, 1.0 / RATE, axis=0), axis=1)
    away = np.linalg.norm(places - places[0], axis=1) > o.window.lift
    high = places[:, 2] - places[0, 2] > o.window.lift
    return np.asarray((speed > o.moving) & away | high)


def _held(moving: np.ndarray, o: PrepareOptions) -> Array:
    """(T,) from 0 to 1: rises before an object moves, falls when it has come to rest."""
    frames = np.arange(len(moving))
    out = np.zeros(len(moving))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], moving.astype(int), [0]])))
    for start, stop in edges.reshape(-1, 2):
        closed = start - (o.early - o.closing) * RATE
        rise = (frames - closed) / (o.closing * RATE) + 1.0
        fall = (stop - frames) / (o.closing * RATE) + 1.0 if stop < len(moving) else np.ones(len(moving))
        out = np.maximum(out, np.clip(np.minimum(rise, fall), 0.0, 1.0))
    return out


def _obstacles(
    motion: Motion, things: tuple[SimulatedObject, ...], held: dict[str, Array]
) -> tuple[Obstacle, ...]:
    """Objects while they are not held: until fingers, which are before their places by then, close."""
    out = []
    for thing in things:
        weight = 1.0 - np.clip(2.0 * held[thing.name] - 1.0, 0.0, 1.0)
        out.append(Obstacle(thing.pieces, motion.objects[thing.name].world_from_object, weight))
    return tuple(out)


def _placed(motion: Motion, thing: SimulatedObject, moving: np.ndarray, o: PrepareOptions) -> Placement:
    poses = motion.objects[thing.name].world_from_object
    rest = int(np.argmax(moving)) if moving.any() else len(moving)
    low = float(poses[0, 2, 3]) + thing.lowest(poses[0, :3, :3])
    if rest < 1 or low > o.floating:
        raise InputError(
            f"{thing.name} is {1e2 * low:.0f} cm above the table in the first frame, so it is in the hand already and "
            "where it stands is not known; use a clip that begins earlier"
        )
    return standing(
        thing, poses[rest // 2], contact=o.world.contact, physics=o.world.physics, options=o.placement
    )


def _put_down(
    motion: Motion,
    placements: dict[str, Placement],
    moving: dict[str, np.ndarray],
    touches: tuple[Touches, ...],
    o: PrepareOptions,
) -> Motion:
    """The motion moved so that each object begins where it stands; a hand goes with what it touches most."""
    by = {}
    for name, thing in motion.objects.items():
        rest = int(np.argmax(moving[name])) if moving[name].any() else len(moving[name])
        by[name] = placements[name].world_from_object @ inverse(thing.world_from_object[rest // 2])
    hand_by = {}
    for side in motion.hands:
        most = max((t for t in touches if t.side == side), key=lambda t: int(t.touching.sum()))
        hand_by[side] = by[most.name]
    moved = motion.moved(by, hand_by)
    objects = {}
    for name, thing in moved.objects.items():
        poses, flags = thing.world_from_object.copy(), moving[name]
        rest = int(np.argmax(flags)) if flags.any() else len(flags)
        still = max(0, rest - round(o.closing * RATE))
        poses[:still] = placements[name].world_from_object
        objects[name] = replace(thing, world_from_object=poses)
    return replace(moved, objects=objects)


def _places(motion: Motion, world: World) -> Array:
    """(T, O, 7) in the order of the world's objects."""
    out = []
    for name in world.objects:
        poses = motion.objects[name].world_from_object
        out.append(np.concatenate([poses[:, :3, 3], same_sign(quaternion_from_matrix(poses[:, :3, :3]))], 1))
    return np.stack(out, 1)


def _task(
    world: World,
    motion: Motion,
    hands: tuple[Retargeted, ...],
    touches: tuple[Touches, ...],
    held: dict[str, Array],
    first: dict[str, Array],
    grip: Array,
) -> Task:
    joints = np.zeros((motion.num_frames, len(world.joints)))
    for hand in hands:
        joints[:, [world.joints.index(name) for name in hand.names]] = hand.joints
    controls = led(world, controls_for(world, joints)) + grip
    of, where, weight = _touched(world, touches, held)
    return Task(
        world, world.start(joints[0], first), controls, joints, _places(motion, world), of, where, weight
    )


def _touched(
    world: World, touches: tuple[Touches, ...], held: dict[str, Array]
) -> tuple[np.ndarray, Array, Array]:
    """Which object each of the world's points touches (T, P), where (T, P, 3), and how much that counts (T, P)."""
    count = len(next(iter(held.values())))
    of = np.zeros((count, len(world.points)), np.intp)
    where, weight = np.zeros((*of.shape, 3)), np.zeros(of.shape)
    nearest = np.full(of.shape, np.inf)
    for touch in touches:
        index = world.objects.index(touch.name)
        for k, joint in enumerate(touch.joints):
            point = f"{touch.side}_{joint}"
            if point not in world.points:
                continue
            p = world.points.index(point)
            nearer = touch.touching[:, k] & (touch.distance[:, k] < nearest[:, p])
            of[nearer, p], nearest[nearer, p] = index, touch.distance[nearer, k]
            where[nearer, p], weight[nearer, p] = touch.point[nearer, k], held[touch.name][nearer]
    return of, where, weight
