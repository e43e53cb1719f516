"""Colours shared by overlays, plots and the report; told apart with the common kinds of colour blindness.

Hands and the first objects use the set of Okabe and Ito (2008), later objects Paul Tol's "muted" scheme
(2021).
"""

from __future__ import annotations

from collections.abc import Iterable

RGB = tuple[int, int, int]

HAND_COLORS: dict[str, RGB] = {"left": (86, 180, 233), "right": (230, 159, 0)}
"""Sky blue and orange."""

OBJECT_COLORS: tuple[RGB, ...] = (
    (0, 158, 115),  # bluish green
    (204, 121, 167),  # reddish purple
    (0, 114, 178),  # blue
    (213, 94, 0),  # vermilion
    (153, 153, 51),  # olive
    (136, 34, 85),  # wine
    (68, 170, 153),  # teal
    (51, 34, 136),  # indigo
)
AXIS_COLORS: tuple[RGB, RGB, RGB] = ((225, 60, 50), (70, 190, 70), (60, 110, 240))
"""x, y, z."""
GREY: RGB = (150, 150, 150)
HALO: RGB = (16, 18, 22)
WHITE: RGB = (255, 255, 255)


def object_colors(names: Iterable[str]) -> dict[str, RGB]:
    """A colour per object name, by order; repeats after as many objects as there are colours."""
    return {name: OBJECT_COLORS[i % len(OBJECT_COLORS)] for i, name in enumerate(names)}


def mixed(color: RGB, other: RGB, share: float) -> RGB:
    """``color`` with ``share`` (0 to 1) of ``other`` mixed in."""
    r, g, b = (round(a + share * (o - a)) for a, o in zip(color, other))
    return r, g, b


def hex_color(color: RGB) -> str:
    """``#rrggbb``."""
    return "#" + "".join(f"{c:02x}" for c in color)
