"""MANO's numbering of vertices, joints and bones, and where ours are in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dexman_pose.errors import InputError

VERTICES, FACES, JOINTS, BONES, SHAPES = 778, 1538, 16, 15, 10
ANGLES = 3 * BONES
"""Numbers of a pose of the fingers."""
PARENTS: tuple[int, ...] = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)
"""Of the 16 joints in the file: wrist, then index, middle, little, ring finger, thumb, from the palm outwards."""

BONES_IN_FILE: tuple[int, ...] = (12, 13, 14, 0, 1, 2, 3, 4, 5, 9, 10, 11, 6, 7, 8)
"""For each of our ``BONE_NAMES`` (thumb first), its place among the 15 finger joints of the file."""

JOINTS_IN_FILE: tuple[int, ...] = (0, *(1 + b for b in BONES_IN_FILE))
"""For wrist and each of our ``BONE_NAMES``, its place among the 16 joints of the file."""

MANO_ORDER: tuple[int, ...] = (
    *(0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18),
    *(10, 11, 12, 19, 7, 8, 9, 20),
)
"""For each of ``JOINT_NAMES``, its place among MANO's 16 joints followed by the five tips, thumb first."""

TIPS: Mapping[str, tuple[int, int, int, int, int]] = {
    "smplx": (744, 320, 443, 554, 671),
    "manopth": (745, 317, 444, 556, 673),
    "manopth_left": (745, 317, 445, 556, 673),
    "freihand": (744, 320, 443, 555, 672),
}
"""Vertices taken as tips of thumb, index, middle, ring, little finger. MANO has no joints there, and libraries choose
vertices up to a few millimetres apart.

``smplx``: smplx, HaMeR, WiLoR. ``manopth``: manopth and manotorch, with them DexYCB, TACO and OakInk2; these take
``manopth_left`` for left hands, which the name ``manopth`` stands for here too. ``freihand``: FreiHAND.
"""

DEFAULT_TIPS = "smplx"


def tip_vertices(tips: str | Sequence[int], side: str) -> tuple[int, ...]:
    """Five vertices taken as tips, thumb first.

    Args:
        tips: a name of :data:`TIPS`, or the vertices.
        side: ``"left"`` or ``"right"``.

    Raises:
        InputError: no such name, or not five vertices of the model.
    """
    if isinstance(tips, str):
        name = "manopth_left" if tips == "manopth" and side == "left" else tips
        if name not in TIPS:
            raise InputError(f"no choice of fingertips is named {tips!r}; there is: {', '.join(TIPS)}")
        return TIPS[name]
    chosen = tuple(int(v) for v in tips)
    if len(chosen) != 5 or not all(0 <= v < VERTICES for v in chosen):
        raise InputError(f"tips must be 5 vertices of 0 to {VERTICES - 1}, thumb first, but got {list(tips)}")
    return chosen
