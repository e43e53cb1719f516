"""Where a body has to stand so that its arms bring the palms where they should be: hundreds of places are tried."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import so3_log
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.retarget.kinematics import BodyKinematics

Palms = tuple[Array, Array]
"""Rotations (T, H, 3, 3) and places (T, H, 3), metres, world."""

_STEP = 0.2
"""Metres of a palm's error that one step of the solver undoes at most."""


@dataclass(frozen=True)
class StandOptions:
    """Where a body may stand, and what is good about a place.

    Attributes:
        turns: number of directions from which it looks at the middle of what the palms do.
        before: metres that the middle is before it.
        beside: metres that it is beside it, to the left.
        heights: number of heights of the root over the table.
        frames: number of frames in which places are tried: first all in one, then the better ones in some, at last the
            best in more, and with what overlaps.
        kept: number of the better and of the best ones.
        near: metres and radians of a palm's error that cost as much as standing badly otherwise.
        most: times ``near`` that an error counts at most.
        low: metres over the table under which no joint of an arm should be.
        strained: weight of joints near their limits.
        arm: metres of a palm that weigh as much as a radian that an arm's joint is from being at ease.
        trunk: the same of the trunk.
        lever: metres, what a palm's turn is multiplied by to be compared with its place.
        rounds: of the solver, at most, from the frame before; at the first frame ``first_rounds``.
        first_rounds: see there.
        damping: of the solver.
        enough: radians of change at which it stops.
        collided: metres that overlap and cost as much as standing badly otherwise.
    """

    turns: int = 12
    before: tuple[float, ...] = (0.22, 0.29, 0.36)
    beside: tuple[float, ...] = (-0.16, 0.0, 0.16)
    heights: int = 3
    frames: tuple[int, int, int] = (1, 5, 12)
    kept: tuple[int, int] = (40, 8)
    near: tuple[float, float] = (0.01, 0.09)
    most: float = 8.0
    low: float = 0.05
    strained: float = 1.0
    arm: float = 0.005
    trunk: float = 0.02
    lever: float = 0.1
    rounds: int = 8
    first_rounds: int = 30
    damping: float = 1e-4
    enough: float = 1e-4
    collided: float = 0.005


@dataclass(frozen=True)
class Stand:
    """A place for a body.

    Attributes:
        place: (3,) of the root, metres, world.
        turn: radians about the vertical.
        cost: the smaller the better; below 1 all palms are reached, in ease.
    """

    place: Array
    turn: float
    cost: float


def stands(
    body: BodyKinematics, palms: Palms, start: Array, options: StandOptions | None = None
) -> list[Stand]:
    """Find places for a body, the best first.

    Args:
        body: with all its hands.
        palms: where they should be.
        start: (T, N) joints of the fingers, to see what overlaps; those of the arms are looked for.
        options: where it may stand.
    """
    o = options or StandOptions()
    left = _places(body, palms, o)
    found: list[Stand] = []
    for wanted, kept in zip(o.frames, (*o.kept, len(left))):
        frames = _frames(len(start), wanted)
        last = wanted == o.frames[-1]
        found = [_tried(body, place, turn, palms, start, frames, o, last) for place, turn in left]
        found = sorted(found, key=lambda stand: stand.cost)[:kept]
        left = [(stand.place, stand.turn) for stand in found]
    return found


def reached(body: BodyKinematics, palms: Palms, start: Array, options: StandOptions | None = None) -> Array:
    """Joints (T, N) with which a body brings its palms nearest to where they should be, frame after frame.

    Args:
        body: where it stands.
        palms: where they should be.
        start: (T, N) to begin with; fingers stay.
        options: weights.
    """
    o = options or StandOptions()
    out = start.copy()
    carriers = np.flatnonzero(body.is_carrier)
    for t in range(len(out)):
        out[t, carriers] = body.ease[carriers] if t == 0 else out[t - 1, carriers]
        rounds = o.first_rounds if t == 0 else o.rounds
        out[t] = _solved(body, palms[0][t], palms[1][t], out[t], rounds, o)
    return out


def palm_errors(body: BodyKinematics, palms: Palms, joints: Array) -> tuple[Array, Array]:
    """Metres and radians (T, H) between palms and where they should be."""
    metres, radians = [], []
    for t, q in enumerate(joints):
        turns, places, _ = body.palms_and_jacobian(q)
        metres.append(np.linalg.norm(places - palms[1][t], axis=1))
        radians.append(np.linalg.norm(so3_log(palms[0][t] @ np.swapaxes(turns, 1, 2)), axis=1))
    return np.array(metres), np.array(radians)


def _places(body: BodyKinematics, palms: Palms, o: StandOptions) -> list[tuple[Array, float]]:
    middle = palms[1].reshape(-1, 3).mean(0)
    low, high = body.placed.body.heights
    out = []
    for turn in 2.0 * np.pi * np.arange(o.turns) / o.turns:
        forward, left = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        for before in o.before:
            for beside in o.beside:
                at = middle[:2] - before * forward - beside * left
                out += [(np.array([*at, z]), float(turn)) for z in np.linspace(low, high, o.heights)]
    return out


def _frames(count: int, wanted: int) -> np.ndarray:
    """Frames evenly apart with the first and the last one; of one, the middle."""
    if wanted == 1:
        return np.array([count // 2])
    return np.unique(np.linspace(0, count - 1, min(wanted, count)).round().astype(int))


def _tried(
    body: BodyKinematics,
    place: Array,
    turn: float,
    palms: Palms,
    start: Array,
    frames: np.ndarray,
    o: StandOptions,
    overlaps: bool,
) -> Stand:
    body.move(place, turn)
    chosen = (palms[0][frames], palms[1][frames])
    joints = reached(body, chosen, start[frames], o)
    metres, radians = palm_errors(body, chosen, joints)
    missed = np.minimum(metres / o.near[0] + radians / o.near[1], o.most).max(1)
    cost = missed + o.strained * np.array([_strain(body, q, o) for q in joints])
    if overlaps:
        deep = np.array([sum(max(-x.gap, 0.0) for x in body.overlaps(q, 0.0)) for q in joints])
        cost = cost + deep / o.collided
    return Stand(place, turn, float(cost.mean()))


def _strain(body: BodyKinematics, joints: Array, o: StandOptions) -> float:
    """How near joints are to their limits, and arms to the table."""
    own = body.is_carrier
    middle, half = 0.5 * (body.lower + body.upper)[own], 0.5 * (body.upper - body.lower)[own]
    strain = float((np.abs((joints[own] - middle) / half) ** 8).mean())  # felt near a limit only
    body.points(joints)
    return strain + max(0.0, o.low - body.lowest_link()) / o.low


def _rotation_vector(rotation: Array) -> Array:
    """(3,) of one rotation: for one alone faster than what is made for many."""
    mj = mujoco()
    quaternion, out = np.zeros(4), np.zeros(3)
    mj.mju_mat2Quat(quaternion, rotation.reshape(-1))
    mj.mju_quat2Vel(out, quaternion, 1.0)
    return out


def _solved(
    body: BodyKinematics, turns: Array, places: Array, joints: Array, rounds: int, o: StandOptions
) -> Array:
    own = np.flatnonzero(body.is_carrier)
    ease = np.where(body.is_trunk[own], o.trunk, o.arm)
    scale = np.tile(np.repeat([1.0, o.lever], 3), len(places))
    q = joints.copy()
    for _ in range(rounds):
        at, where, jacobian = body.palms_and_jacobian(q)
        turned = np.array([_rotation_vector(a @ b.T) for a, b in zip(turns, at)])
        error = scale * np.concatenate([places - where, turned], axis=1).reshape(-1)
        rows = scale[:, None] * jacobian[:, own]
        # far from its aim a palm is drawn more gently, or the first steps fold the arm
        pull = np.minimum(1.0, _STEP / max(float(np.linalg.norm(error)), 1e-9))
        left = rows.T @ rows + np.diag(ease**2 + o.damping)
        right = rows.T @ (pull * error) + ease**2 * (body.ease[own] - q[own])
        step = np.linalg.solve(left, right)
        before = q[own]
        q[own] = np.clip(before + step, body.lower[own], body.upper[own])
        if float(np.abs(q[own] - before).max()) < o.enough:
            break
    return q
