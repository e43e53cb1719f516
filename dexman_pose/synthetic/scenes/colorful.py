"""Things of several strongly different colours, made in code: knife, hammer, truck, kettle; metres."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.synthetic.scenes.shape_parts import Part, corner_normals, grid_box, joined, lathe, tube
from dexman_pose.synthetic.scenes.shapes import StressShape
from dexman_pose.synthetic.scenes.true_symmetry import TrueSymmetry

COLORFUL = ("knife", "hammer", "truck", "kettle")
"""Names of all many-coloured things. None of them has a symmetry."""

Color = tuple[int, int, int]

_RED, _GREY, _BLACK, _YELLOW = (196, 36, 34), (158, 164, 170), (34, 34, 38), (232, 190, 40)
_BLUE, _WHITE, _GREEN, _WOOD = (36, 84, 176), (228, 226, 220), (48, 138, 78), (186, 138, 84)


@dataclass(frozen=True)
class ColorfulShape:
    """A thing and its colours.

    Attributes:
        shape: without colours.
        face_parts: (F,) the colour each face has.
        palette: (C, 3) the colours, 0..255.
    """

    shape: StressShape
    face_parts: NDArray[np.int64]
    palette: Array


@lru_cache(maxsize=len(COLORFUL))
def colorful_shape(name: str) -> ColorfulShape:
    """A many-coloured thing by name.

    Raises:
        InputError: no such thing.
    """
    makers = {"knife": _knife, "hammer": _hammer, "truck": _truck, "kettle": _kettle}
    if name not in makers:
        raise InputError(f"nothing many-coloured named {name!r}; there are: {', '.join(COLORFUL)}")
    pieces = makers[name]()
    palette = list(dict.fromkeys(color for color, _ in pieces))
    parts = [np.full(len(part.faces), palette.index(color)) for color, part in pieces]
    whole = joined([part for _, part in pieces])
    middle = 0.5 * (whole.vertices.min(0) + whole.vertices.max(0))
    mesh = Mesh(whole.vertices - middle, whole.faces.astype(np.int32), source="synthetic")
    shape = StressShape(name, True, mesh, corner_normals(mesh.vertices, mesh.faces), TrueSymmetry())
    return ColorfulShape(shape, np.concatenate(parts), np.array(palette, np.float64))


Pieces = list[tuple[Color, Part]]

_TO_X = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
_TO_Y = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


def _block(size: tuple[float, float, float], at: tuple[float, float, float], cells: int = 6) -> Part:
    return grid_box(size, cells).placed(np.eye(3), at)


def _rod(radius: float, length: float, at: tuple[float, float, float], turn: Array) -> Part:
    """A closed cylinder along the axis that ``turn`` takes z to."""
    r, h = radius, 0.5 * length
    profile = [(0.0, -h), (0.6 * r, -h), (r, -h), (r, 0.0), (r, h), (0.6 * r, h), (0.0, h)]
    return lathe(profile, 28).placed(turn, at)


def _knife() -> Pieces:
    """A kitchen tool of 210 mm: a red handle with a black end, a grey blade that is wide on one side."""
    slant = np.array([[1.0, 0, 0], [0, 1, 0], [0.28, 0, 1]])
    blade = grid_box((0.105, 0.003, 0.036), 10).placed(slant, (0.052, 0, -0.006))
    return [
        (_GREY, blade),
        (_RED, _block((0.085, 0.018, 0.026), (-0.042, 0, 0))),
        (_BLACK, _block((0.020, 0.020, 0.032), (-0.095, 0, -0.002))),
    ]


def _hammer() -> Pieces:
    """A claw hammer of 170 x 92 mm: wooden shaft, blue grip, grey head, a bent claw."""
    a = np.linspace(0, 0.42 * np.pi, 12)
    curve = np.stack([0.075 - 0.032 * (1 - np.cos(a)), np.zeros(12), 0.010 + 0.040 * np.sin(a)], -1)
    out = np.stack([np.cos(a), np.zeros(12), -np.sin(a)], -1)
    claw = tube(curve, np.tile([0.0, -1.0, 0.0], (12, 1)), out, 0.0075)
    return [
        (_WOOD, _block((0.095, 0.014, 0.018), (0.010, 0, 0))),
        (_BLUE, _block((0.060, 0.022, 0.026), (-0.066, 0, 0))),
        (_GREY, joined([_block((0.026, 0.024, 0.034), (0.068, 0, 0)), claw])),
        (_BLACK, _rod(0.014, 0.026, (0.068, 0, -0.028), np.eye(3))),
    ]


def _truck() -> Pieces:
    """A toy truck of 128 x 52 x 70 mm: blue frame, red cab, yellow bed open above, black wheels."""
    bed = joined(
        [
            _block((0.070, 0.048, 0.005), (-0.026, 0, 0.026)),
            _block((0.070, 0.005, 0.026), (-0.026, 0.0215, 0.040)),
            _block((0.070, 0.005, 0.026), (-0.026, -0.0215, 0.040)),
            _block((0.005, 0.048, 0.034), (0.0065, 0, 0.044)),
        ]
    )
    cab = joined(
        [_block((0.034, 0.046, 0.048), (0.034, 0, 0.046)), _block((0.018, 0.042, 0.022), (0.056, 0, 0.034))]
    )
    wheels = [_rod(0.015, 0.010, (x, s * 0.026, 0.008), _TO_Y) for x in (-0.042, 0.040) for s in (-1, 1)]
    return [
        (_BLUE, _block((0.124, 0.034, 0.012), (0.0, 0, 0.017))),
        (_RED, cab),
        (_YELLOW, bed),
        (_BLACK, joined(wheels)),
    ]


def _kettle() -> Pieces:
    """A toy kettle of 128 x 76 x 98 mm: white body, green handle on one side, red spout on the other, yellow lid."""
    body = [
        (0.0, 0.0),
        (0.030, 0.0),
        (0.037, 0.010),
        (0.038, 0.025),
        (0.033, 0.045),
        (0.024, 0.060),
        (0.0, 0.062),
    ]
    lid = [
        (0.0, 0.058),
        (0.024, 0.060),
        (0.020, 0.070),
        (0.008, 0.076),
        (0.011, 0.086),
        (0.006, 0.093),
        (0.0, 0.094),
    ]
    a = np.linspace(-0.55 * np.pi, 0.55 * np.pi, 20)
    curve = np.stack([-0.028 - 0.032 * np.cos(a), np.zeros(20), 0.036 + 0.026 * np.sin(a)], -1)
    out = np.stack([-np.cos(a), np.zeros(20), np.sin(a)], -1)
    handle = tube(curve, np.tile([0.0, -1.0, 0.0], (20, 1)), -out, 0.0065)
    s = np.linspace(0, 1, 10)
    way = np.stack([0.030 + 0.036 * s, np.zeros(10), 0.022 + 0.040 * s**1.5], -1)
    side = np.tile([0.0, 1.0, 0.0], (10, 1))
    spout = tube(way, side, np.tile([-0.75, 0.0, 0.66], (10, 1)), 0.0085)
    return [(_WHITE, lathe(body, 44)), (_YELLOW, lathe(lid, 36)), (_GREEN, handle), (_RED, spout)]
