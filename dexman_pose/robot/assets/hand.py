"""What has to be known of a robot's hand to let it do what a person's hand did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dexman_pose.data.tracks import JOINT_NAMES

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Followed:
    """A point of the robot's hand that follows a joint of the person's.

    Attributes:
        joint: of the person, one of ``JOINT_NAMES``.
        body: of the robot, named as in its file.
        offset: metres, of the point in the body's frame.
        weight: of its error beside that of others; a fingertip has 1.
    """

    joint: str
    body: str
    offset: Vector = (0.0, 0.0, 0.0)
    weight: float = 1.0

    @property
    def index(self) -> int:
        """Place of the joint in ``JOINT_NAMES``."""
        return JOINT_NAMES.index(self.joint)

    @property
    def is_tip(self) -> bool:
        """Whether it is the end of a finger."""
        return self.joint.endswith("_tip")


@dataclass(frozen=True)
class HandDescription:
    """A robot's hand.

    Attributes:
        robot: its name.
        side: ``left`` or ``right``.
        file: MuJoCo's description (MJCF).
        palm: the body that is moved about freely; what is before it in the file is left away.
        followed: the points that follow the person's; those of weight 1 are fingertips.
        palm_points: joint of the person and the place, metres in the palm's frame, where a stiff hand would have it: at
            least three, not in line; from them the palm's first place is found.
        equal: pairs of joints that one motor drives together: they are kept equal where nothing speaks against it.
    """

    robot: str
    side: str
    file: Path
    palm: str
    followed: tuple[Followed, ...]
    palm_points: tuple[tuple[str, Vector], ...]
    equal: tuple[tuple[str, str], ...] = ()

    @property
    def mark(self) -> str:
        """What names of the file get in front in a model: two hands are told apart by it."""
        return f"{self.side}_"

    @property
    def tips(self) -> tuple[Followed, ...]:
        """The fingertips among ``followed``."""
        return tuple(f for f in self.followed if f.is_tip)

    @property
    def touching(self) -> tuple[Followed, ...]:
        """The points that touch objects: fingertips, and the knuckles of the palm."""
        return tuple(
            f for f in self.followed if f.is_tip or (f.joint.endswith("_mcp") and f.joint != "thumb_mcp")
        )
