"""The Shadow Dexterous Hand of MuJoCo Menagerie (Apache-2.0), left and right.

The two files differ in their shapes for collisions: the left has 28, with capsules as fingertips and without the
cylinders of the knuckles, the right 38, with meshes as fingertips. They are used as they are: what a left hand can hold
a right one may lose, and the other way round.
"""

from __future__ import annotations

from pathlib import Path

from dexman_pose.errors import InputError
from dexman_pose.robot.assets.found import find_robot_file
from dexman_pose.robot.assets.hand import Followed, HandDescription, Vector

_FETCH = (
    "pip install robot_descriptions && python -c 'from robot_descriptions import shadow_hand_mj_description' "
    "(Apache-2.0)"
)
_FINGERS = {"thumb": "th", "index": "ff", "middle": "mf", "ring": "rf", "pinky": "lf"}
_TIP = 0.026  # metres from the last joint of a finger to the end of its pad
_THUMB_TIP = 0.0275
_KNUCKLE, _MIDDLE, _THUMB = 0.15, 0.08, 0.15  # weights beside a fingertip's
_KNUCKLES: dict[str, Vector] = {  # of a right hand, metres in the palm's frame
    "index_mcp": (0.033, 0.0, 0.095),
    "middle_mcp": (0.011, 0.0, 0.099),
    "ring_mcp": (-0.011, 0.0, 0.095),
    "pinky_mcp": (-0.033, 0.0, 0.0865),
}


def shadow_hand(side: str, folder: str | Path | None = None) -> HandDescription:
    """Describe a Shadow hand.

    Args:
        side: ``left`` or ``right``.
        folder: where its files are; None to look in the usual places.

    Raises:
        InputError: no such side, or the folder does not hold the hand.
        MissingModelError: the hand is not on this machine.
    """
    if side not in ("left", "right"):
        raise InputError(f"a Shadow hand is left or right, but got {side!r}")
    file = find_robot_file("shadow_hand", f"{side}_hand.xml", fetch=_FETCH, folder=folder)
    prefix, mirror = ("lh_", -1.0) if side == "left" else ("rh_", 1.0)
    palm = tuple((name, (mirror * x, y, z)) for name, (x, y, z) in _KNUCKLES.items())
    return HandDescription(
        robot="shadow",
        side=side,
        file=file,
        palm=f"{prefix}palm",
        followed=_followed(prefix),
        palm_points=(("wrist", (0.0, 0.0, 0.0)), *palm),
        equal=tuple((f"{prefix}{f}J2", f"{prefix}{f}J1") for f in ("FF", "MF", "RF", "LF")),
    )


def _followed(prefix: str) -> tuple[Followed, ...]:
    out = []
    for finger, short in _FINGERS.items():
        thumb = finger == "thumb"
        tip = (0.0, 0.0, _THUMB_TIP if thumb else _TIP)
        out.append(Followed(f"{finger}_tip", f"{prefix}{short}distal", tip))
        out.append(
            Followed(f"{finger}_mcp", f"{prefix}{short}{'middle' if thumb else 'proximal'}", weight=_KNUCKLE)
        )
        if not thumb:
            out.append(Followed(f"{finger}_pip", f"{prefix}{short}middle", weight=_MIDDLE))
    out.append(Followed("thumb_cmc", f"{prefix}thproximal", weight=_THUMB))
    out.append(Followed("wrist", f"{prefix}palm", weight=_KNUCKLE))
    return tuple(out)
