"""Free hands onto the arms of a body: it stands where it reaches them, and does with its palms what they did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dexman_pose.arrays import Array, runs
from dexman_pose.errors import InputError
from dexman_pose.robot.assets.body import BodyDescription
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.assets.standing import BodyPlace, idle_sides
from dexman_pose.robot.retarget.kinematics import BodyKinematics
from dexman_pose.robot.retarget.motion import PressOptions, Retargeted, retargeted
from dexman_pose.robot.retarget.obstacles import Obstacle
from dexman_pose.robot.retarget.solve import solve_joints
from dexman_pose.robot.retarget.stand import Palms, Stand, StandOptions, palm_errors, reached, stands

_DIGITS = 5
"""Of metres and radians in headers."""


@dataclass(frozen=True)
class BodyOptions:
    """How a body is put beside the table.

    Attributes:
        stand: where it may stand.
        reached: metres and radians from its aim at which a palm counts as reached.
        shifted: metres and radians by which a palm that holds something may be beside its aim; beyond, the motion is
            refused.
        tried: of the best places, in turn, until all palms are within that.
    """

    stand: StandOptions = field(default_factory=StandOptions)
    reached: tuple[float, float] = (0.01, float(np.radians(5.0)))
    shifted: tuple[float, float] = (0.04, float(np.radians(25.0)))
    tried: int = 3


@dataclass(frozen=True)
class OnBody:
    """A body that does what free hands did.

    Attributes:
        placed: where it stands.
        hands: retargeted; their joints are those of the whole body.
        metres: (T, H) of each palm from that of the free hand.
        radians: (T, H) likewise.
        stand: how good the place is.
        notes: what is not reached, frame by frame, one line per hand.
    """

    placed: BodyPlace
    hands: tuple[Retargeted, ...]
    metres: Array
    radians: Array
    stand: Stand
    notes: tuple[str, ...]

    def told(self) -> str:
        """Where the body stands, and how well palms are reached, in one line."""
        x, y, z = self.placed.place
        return (
            f"{self.placed.body.robot} stands at {x:.2f}, {y:.2f} m, {z:.2f} m over the table, turned by "
            f"{np.degrees(self.placed.turn):.0f} degrees; palms beside their aims, in the middle (at most): "
            f"{1e3 * np.median(self.metres):.1f} ({1e3 * self.metres.max():.0f}) mm, "
            f"{np.degrees(np.median(self.radians)):.1f} ({np.degrees(self.radians).max():.0f}) degrees"
        )

    def values(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "robot": self.placed.body.robot,
            "place_m": [float(x) for x in self.placed.place],
            "turn_rad": float(self.placed.turn),
            "palm_m": [[round(float(x), _DIGITS) for x in row] for row in self.metres],
            "palm_rad": [[round(float(x), _DIGITS) for x in row] for row in self.radians],
        }


def on_body(
    body: BodyDescription,
    free: Sequence[Retargeted],
    describe: Callable[[str], HandDescription],
    held: Array,
    press: PressOptions,
    options: BodyOptions | None = None,
    obstacles: Sequence[Obstacle] = (),
) -> OnBody:
    """Let the arms of a body carry hands as free hands moved.

    Args:
        body: the robot's.
        free: free hands, retargeted.
        describe: the hand of a side, for arms that do nothing.
        held: (T,) from 0 to 1, how much anything is held.
        press: how joints are solved.
        options: where the body may stand.
        obstacles: what hands keep clear of while they come and go.

    Raises:
        InputError: while something is held, a palm is farther from its aim than may be, wherever the body stands; or
            the body has no such arm.
    """
    o = options or BodyOptions()
    hands = tuple(x.hand for x in free)
    idle = tuple(describe(side) for side in idle_sides(body, hands))
    kinematics = BodyKinematics(BodyPlace(body, hands, idle, np.zeros(3), 0.0), obstacles)
    both = [x.kinematics.palm(x.hand, x.joints) for x in free]
    palms = (np.stack([turns for turns, _ in both], 1), np.stack([places for _, places in both], 1))
    start = _with_fingers(kinematics, free)
    found = stands(kinematics, palms, start, o.stand)
    tried = [_solved(kinematics, stand, free, palms, start, press, o) for stand in found[: max(o.tried, 1)]]
    tried.sort(key=lambda x: _missed(x, held, o))
    best = tried[0]
    if _missed(best, held, o) > 1.0:
        raise InputError(_refused(best, held, o))
    kinematics.move(best.stand.place, best.stand.turn)
    return best


def _with_fingers(kinematics: BodyKinematics, free: Sequence[Retargeted]) -> Array:
    """(T, N) joints of the body, at ease, with the fingers of the free hands."""
    out = np.tile(kinematics.ease, (len(free[0].joints), 1))
    for x in free:
        for k in np.flatnonzero(~x.kinematics.is_carrier):
            out[:, kinematics.joints.index(x.names[k])] = x.joints[:, k]
    return out


def _solved(
    kinematics: BodyKinematics,
    stand: Stand,
    free: Sequence[Retargeted],
    palms: Palms,
    start: Array,
    press: PressOptions,
    o: BodyOptions,
) -> OnBody:
    kinematics.move(stand.place, stand.turn)
    aims = np.concatenate([x.aims for x in free], axis=1)
    joints = solve_joints(kinematics, aims, reached(kinematics, palms, start, o.stand), press.solve)
    metres, radians = palm_errors(kinematics, palms, joints)
    hands = tuple(retargeted(x.hand, kinematics, joints, x.aims, x.pressed, press) for x in free)
    notes = []
    for h, x in enumerate(free):
        missed = (metres[:, h] > o.reached[0]) | (radians[:, h] > o.reached[1])
        if missed.any():
            notes.append(
                f"the {x.hand.side} arm does not reach all of it: in frames {_spans(missed)} the palm is up to "
                f"{1e3 * metres[:, h].max():.0f} mm and {np.degrees(radians[:, h]).max():.0f} degrees beside its aim"
            )
    return OnBody(kinematics.placed, hands, metres, radians, stand, tuple(notes))


def _missed(x: OnBody, held: Array, o: BodyOptions) -> float:
    """The largest error of a palm while something is held, in shares of what may be."""
    errors = np.maximum(x.metres / o.shifted[0], x.radians / o.shifted[1]).max(1)
    return float(np.where(held > 0.0, errors, 0.0).max())


def _refused(x: OnBody, held: Array, o: BodyOptions) -> str:
    far = ((x.metres > o.shifted[0]) | (x.radians > o.shifted[1])).any(1) & (held > 0.0)
    robot, metres, radians = x.placed.body.robot, x.metres[far].max(), x.radians[far].max()
    return (
        f"{robot} reaches this motion from nowhere beside the table: at the best place, in frames {_spans(far)} a palm "
        f"that holds something would be up to {1e3 * metres:.0f} mm and {np.degrees(radians):.0f} degrees beside its "
        f"aim, {1e3 * o.shifted[0]:.0f} mm and {np.degrees(o.shifted[1]):.0f} degrees are allowed; plan it for free "
        "hands (--robot shadow), or one hand at a time"
    )


def _spans(flags: np.ndarray) -> str:
    return ", ".join(f"{a}-{b - 1}" if b - a > 1 else f"{a}" for a, b in runs(flags))
