"""Concave 3-D prints of one colour, made in code: bracket, channel, hook, stairs, serpent; metres."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry.isosurface import surface_nets
from dexman_pose.synthetic.scenes.fields import (
    Field,
    bar,
    bevelled,
    block,
    disc,
    half_space,
    melted,
    string,
    union,
    without,
)
from dexman_pose.synthetic.scenes.horned_prints import HORNED, horned_field
from dexman_pose.synthetic.scenes.shape_parts import corner_normals
from dexman_pose.synthetic.scenes.shapes import StressShape
from dexman_pose.synthetic.scenes.true_symmetry import TrueSymmetry

PRINTS = ("bracket", "channel", "hook", "stairs", "serpent")
"""Names of all prints. None of them has a symmetry."""

FILAMENTS = (
    (222, 178, 34),
    (206, 92, 40),
    (152, 156, 160),
    (214, 212, 204),
    (52, 98, 168),
    (78, 140, 74),
    (178, 48, 46),
    (66, 68, 74),
)
"""Colours (R, G, B) in which prints are made."""

_SPACING = 0.0028  # metres between samples of the field


@lru_cache(maxsize=len(PRINTS) + len(HORNED))
def print_shape(name: str) -> StressShape:
    """A print by name, one of :data:`PRINTS` or :data:`HORNED`, without colours.

    Raises:
        InputError: no such print.
    """
    makers = {"bracket": _bracket, "channel": _channel, "hook": _hook, "stairs": _stairs, "serpent": _serpent}
    if name not in makers and name not in HORNED:
        raise InputError(f"no print named {name!r}; there are: {', '.join((*PRINTS, *HORNED))}")
    field, low, high = makers[name]() if name in makers else horned_field(name)
    vertices, faces = surface_nets(field, low - 4 * _SPACING, high + 4 * _SPACING, _SPACING)
    mesh = Mesh(vertices - 0.5 * (low + high), faces, source="synthetic")
    normals = corner_normals(mesh.vertices, mesh.faces, crease=0.6)
    return StressShape(name, False, mesh, normals, TrueSymmetry())


Made = tuple[Field, Array, Array]  # a solid and the corners (3,) of a box that holds it


def _box(*corners: float) -> tuple[Array, Array]:
    low, high = np.array(corners[:3]), np.array(corners[3:])
    return low, high


def _bracket() -> Made:
    """Two plates at a right angle, 92 x 52 x 64 mm, a hole in each, a rib between them on one side."""
    plates = union(
        block([-0.046, -0.026, 0.0], [0.046, 0.026, 0.010]),
        block([-0.046, -0.026, 0], [-0.035, 0.026, 0.064]),
    )
    rib = bevelled(
        block([-0.040, 0.012, 0.005], [0.020, 0.021, 0.058]),
        half_space([-0.036, 0, 0.056], [0.05, 0, 0.055]),
        0.005,
    )
    holes = (disc([0.020, -0.004, 0.005], 2, 0.014, 0.02), disc([-0.040, -0.006, 0.040], 0, 0.010, 0.02))
    return without(union(plates, rib), *holes), *_box(-0.046, -0.026, 0, 0.046, 0.026, 0.064)


def _channel() -> Made:
    """A U of 94 x 48 x 62 mm: a thin high arm with its corner cut, a thick low one, a groove along the ground."""
    arms = union(
        block([-0.047, -0.024, 0], [0.047, 0.024, 0.014]),
        block([-0.047, -0.024, 0], [-0.034, 0.024, 0.062]),
        block([0.021, -0.024, 0], [0.047, 0.024, 0.036]),
    )
    corner = block([-0.06, 0.004, 0.040], [-0.02, 0.04, 0.08], 0.0)
    groove = block([-0.025, -0.008, 0.007], [0.012, 0.03, 0.03], 0.0)
    return without(arms, corner, groove), *_box(-0.047, -0.024, 0, 0.047, 0.024, 0.062)


def _hook() -> Made:
    """A wall hook, 44 x 70 x 104 mm: a plate with two holes of different size and a bent arm."""
    plate = without(
        block([-0.022, -0.004, 0.010], [0.022, 0.005, 0.104]),
        disc([-0.008, 0, 0.092], 1, 0.006, 0.02),
        disc([0.010, 0, 0.074], 1, 0.004, 0.02),
    )
    bent = string(_arc(), np.linspace(0.010, 0.0065, 15))
    return melted(plate, bent, 0.012), *_box(-0.022, -0.006, 0.0, 0.022, 0.064, 0.104)


def _arc() -> Array:
    """From the plate out and down, around, and up again, ending in a tip: (15, 3)."""
    a = np.linspace(0.0, 1.25 * np.pi, 14)
    y, z = 0.032 - 0.022 * np.cos(a), 0.036 - 0.024 * np.sin(a)
    return np.concatenate([[[0.004, 0.004, 0.052]], np.stack([np.full(14, 0.004), y, z], -1)])


def _stairs() -> Made:
    """A block of three steps, 84 x 50 x 60 mm, a notch in its back, a tunnel through the lowest step."""
    steps = union(
        block([-0.042, -0.025, 0], [0.042, 0.025, 0.020]),
        block([-0.042, -0.025, 0], [0.014, 0.025, 0.038]),
        block([-0.042, -0.025, 0], [-0.014, 0.025, 0.060]),
    )
    notch = block([-0.06, -0.004, 0.024], [-0.026, 0.012, 0.08], 0.0)
    tunnel = block([0.018, -0.04, 0.006], [0.034, 0.04, 0.03], 0.0)
    shelf = block([-0.012, 0.010, 0.024], [0.02, 0.04, 0.05], 0.0)
    return without(steps, notch, tunnel, shelf), *_box(-0.042, -0.025, 0, 0.042, 0.025, 0.060)


def _serpent() -> Made:
    """A long-necked beast, about 112 x 40 x 84 mm: an arched body on four legs, head and snout, tail, spines."""
    t = np.linspace(0, 1, 15)
    x = -0.050 + 0.100 * t
    z = 0.034 + 0.016 * np.sin(2 * np.pi * (t - 0.05)) + 0.030 * np.clip(t - 0.7, 0, 1) / 0.3
    y = 0.008 * np.sin(2.4 * np.pi * t)
    spine = np.stack([x, y, z], -1)
    girth = 0.0045 + 0.0095 * np.sin(np.pi * np.clip(t * 1.05, 0, 1)) ** 0.8
    body = string(spine, girth)
    crown = [0.044, 0.004, 0.078]
    snout = bar(crown, [0.062, 0.008, 0.070], 0.008, 0.0045)
    head = union(bar(spine[-1], crown, 0.010, 0.009), snout)
    horns = union(
        *(bar([0.042, s * 0.005, 0.080], [0.032, s * 0.012, 0.094], 0.0042, 0.0025) for s in (-1, 1))
    )
    legs = union(
        *(
            bar([u, v * 0.004, 0.036], [u + lean, v * 0.016, 0.004], 0.0075, 0.005)
            for u, lean, v in (
                (-0.018, -0.008, 1),
                (-0.014, 0.006, -1),
                (0.022, 0.010, 1),
                (0.018, -0.002, -1),
            )
        )
    )
    bend = [spine[0], [-0.060, 0.004, 0.046], [-0.056, 0.012, 0.062], [-0.046, 0.016, 0.066]]
    tail = string(bend, [0.0055, 0.0055, 0.005, 0.0035])
    spikes = union(
        *(
            bar(spine[k] + [0, 0, girth[k] - 0.002], spine[k] + [-0.004, 0, girth[k] + 0.008], 0.0042, 0.0022)
            for k in range(3, 13, 2)
        )
    )
    whole = melted(union(body, tail, spikes), union(head, horns), 0.008)
    return melted(whole, legs, 0.006), *_box(-0.066, -0.024, -0.002, 0.068, 0.026, 0.098)
