"""What has to be known of a robot's body to let its arms carry hands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dexman_pose.errors import InputError
from dexman_pose.robot.assets.hand import Vector

Quaternion = tuple[float, float, float, float]
MARK = "body_"
"""What names of a body's file get in front in a model."""
BASE = f"{MARK}base"
"""Name of what holds a body's root in a model."""


@dataclass(frozen=True)
class Drive:
    """A servo that drives a joint to a position.

    Attributes:
        joint: named as in the file.
        stiffness: N m/rad.
        damping: N m s/rad.
        torque: N m at most; gravity is borne out of it.
        armature: kg m2 of the motor behind its gear.
    """

    joint: str
    stiffness: float
    damping: float
    torque: float
    armature: float


@dataclass(frozen=True)
class ArmDescription:
    """An arm.

    Attributes:
        side: ``left`` or ``right``.
        joints: from the trunk to the wrist, named as in the file.
        wrist: the body that gets a hand.
        place: (3,) of the palm in the wrist's frame, metres.
        turn: wxyz, wrist from palm.
        rest: radians of the joints in which it is at ease.
        parked: radians in which it is out of the way.
    """

    side: str
    joints: tuple[str, ...]
    wrist: str
    place: Vector
    turn: Quaternion
    rest: tuple[float, ...]
    parked: tuple[float, ...]


@dataclass(frozen=True)
class BodyDescription:
    """A body whose root is held still, with an arm or two.

    Attributes:
        robot: its name.
        file: MuJoCo's description (MJCF).
        root: the body that is held still; what it stands on is not simulated.
        without: bodies that are left away with all that hangs on them, legs.
        bare: meshes that are left away, the robot's own hands.
        trunk: joints that carry all arms.
        arms: one per side.
        drives: of the joints of trunk and arms.
        heights: metres of the root over a table, from the least to the most that it may stand.
    """

    robot: str
    file: Path
    root: str
    without: tuple[str, ...]
    bare: tuple[str, ...]
    trunk: tuple[str, ...]
    arms: tuple[ArmDescription, ...]
    drives: tuple[Drive, ...]
    heights: tuple[float, float]

    def arm(self, side: str) -> ArmDescription:
        """The arm of a side.

        Raises:
            InputError: it has none.
        """
        for arm in self.arms:
            if arm.side == side:
                return arm
        there = ", ".join(arm.side for arm in self.arms)
        raise InputError(f"{self.robot} has no {side} arm; it has: {there}")
