"""Prints whose outlines are full of bays, horns and holes, made in code: beast, star, jug, antlers; metres."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.synthetic.scenes.fields import Field, bar, disc, melted, string, union, without

HORNED = ("beast", "star", "jug", "antlers")
"""Names of these prints. None of them has a symmetry."""

Made = tuple[Field, Array, Array]  # a solid and the corners (3,) of a box that holds it


def horned_field(name: str) -> Made:
    """The solid of one of :data:`HORNED`, and a box that holds it."""
    return {"beast": _beast, "star": _star, "jug": _jug, "antlers": _antlers}[name]()


def _around(points: list[Array], *more: Array) -> tuple[Array, Array]:
    """The corners of a box about points (3,), with room for what is melted on."""
    all_points = np.stack([*points, *more])
    return all_points.min(0) - 0.014, all_points.max(0) + 0.014


def _spiral(count: int, turns: float, height: float) -> Array:
    """(N, 3) unit directions from the top down, winding about z."""
    z = np.linspace(height, -height, count)
    angle = 2 * np.pi * turns * np.linspace(0, 1, count) + 0.4
    flat = np.sqrt(1 - z**2)
    return np.stack([flat * np.cos(angle), flat * np.sin(angle), z], -1)


def _beast() -> Made:
    """A body of unlike bumps, 80 mm long, with two bent horns, a tail and three stubs for legs."""
    middle = np.array([[-0.022, 0.0, 0.0], [0.006, 0.004, 0.004], [0.026, -0.003, 0.012]])
    body = string(middle, [0.017, 0.021, 0.015])
    ways = _spiral(9, 2.3, 0.85)
    centers = [middle[k % 3] + 0.016 * way for k, way in enumerate(ways)]
    for k, center in enumerate(centers):
        size = 0.0085 + 0.0035 * np.sin(2.1 * k)
        body = melted(body, bar(center, center + 0.002 * ways[k], size), 0.006)
    horns = union(
        string([[0.028, 0.006, 0.020], [0.038, 0.016, 0.034], [0.030, 0.024, 0.050]], [0.006, 0.005, 0.0025]),
        string(
            [[0.030, -0.008, 0.020], [0.046, -0.014, 0.028], [0.056, -0.012, 0.044]], [0.006, 0.0045, 0.0025]
        ),
    )
    tail = string(
        [[-0.034, 0.0, 0.004], [-0.052, 0.010, 0.014], [-0.054, 0.012, 0.034], [-0.042, 0.008, 0.044]],
        [0.007, 0.006, 0.005, 0.003],
    )
    legs = union(
        bar([-0.024, 0.010, -0.010], [-0.030, 0.020, -0.034], 0.0075, 0.005),
        bar([0.004, -0.014, -0.012], [0.004, -0.026, -0.034], 0.0075, 0.005),
        bar([0.022, 0.012, -0.006], [0.032, 0.018, -0.034], 0.0075, 0.005),
    )
    whole = melted(melted(body, union(horns, tail), 0.006), legs, 0.006)
    ends = [np.array(p) for p in ([-0.062, -0.030, -0.038], [0.060, 0.030, 0.054])]
    return whole, *_around(ends)


def _star() -> Made:
    """A flat star, 88 mm wide, of six arms of unlike length and thickness, some of them bent up."""
    lengths = np.array([0.052, 0.034, 0.046, 0.028, 0.050, 0.038])
    angles = np.radians([0.0, 55.0, 118.0, 175.0, 236.0, 300.0])
    lifts = np.array([0.0, 0.014, 0.0, 0.0, 0.022, -0.006])
    tips = [np.array([r * np.cos(a), r * np.sin(a), z]) for r, a, z in zip(lengths, angles, lifts)]
    arms = union(*(string(_bent(tip), [0.011, 0.008, 0.0035]) for tip in tips))
    hub = disc([0.002, -0.001, 0.0], 2, 0.016, 0.008)
    knob = bar([0.006, 0.004, 0.006], [0.008, 0.005, 0.020], 0.007, 0.005)
    return melted(melted(arms, hub, 0.006), knob, 0.004), *_around(tips, np.array([0.0, 0.0, 0.024]))


def _bent(tip: Array) -> Array:
    """(3, 3) from the middle of a star to the tip (3,) of an arm, along the ground first."""
    return np.stack([np.zeros(3), 0.6 * tip * np.array([1.0, 1.0, 0.2]), tip])


def _jug() -> Made:
    """A jug, 90 mm high, hollow, with a lip, a handle with a hole on one side and a knob on another."""
    wall = string(
        [[0, 0, -0.036], [0, 0, -0.014], [0, 0, 0.020], [0, 0, 0.034]], [0.020, 0.026, 0.019, 0.021]
    )
    hollow = string(
        [[0, 0, -0.026], [0, 0, -0.010], [0, 0, 0.020], [0, 0, 0.060]], [0.014, 0.019, 0.013, 0.018]
    )
    lid = disc([0, 0, 0.062], 2, 0.05, 0.020)
    foot = disc([0, 0, -0.066], 2, 0.05, 0.020)
    lip = bar([0.014, 0.0, 0.036], [0.030, 0.0, 0.040], 0.007, 0.003)
    a = np.linspace(-0.45 * np.pi, 0.45 * np.pi, 9)
    bow = np.stack([-0.016 - 0.034 * np.cos(a), 0.004 * np.sin(a), 0.002 + 0.026 * np.sin(a)], -1)
    handle = string(bow, 0.0055)
    knob = bar([0.0, 0.022, -0.010], [0.004, 0.040, -0.004], 0.007, 0.008)
    outer = melted(melted(melted(wall, lip, 0.004), handle, 0.006), knob, 0.005)
    low, high = np.array([-0.060, -0.032, -0.050]), np.array([0.040, 0.054, 0.050])
    return without(outer, hollow, lid, foot), low, high


def _antlers() -> Made:
    """Two branching horns on a plate, about 100 mm wide: all of it thin, with ground between the branches."""
    left = union(
        string(
            [[-0.010, 0, 0], [-0.026, 0.006, 0.020], [-0.040, 0.004, 0.040], [-0.040, 0.0, 0.064]],
            [0.008, 0.007, 0.006, 0.003],
        ),
        bar([-0.026, 0.006, 0.020], [-0.048, 0.020, 0.024], 0.006, 0.003),
        bar([-0.040, 0.004, 0.040], [-0.058, -0.008, 0.050], 0.0055, 0.003),
        bar([-0.034, 0.005, 0.032], [-0.018, 0.012, 0.050], 0.0055, 0.003),
    )
    right = union(
        string([[0.012, 0, 0], [0.030, -0.004, 0.014], [0.046, -0.010, 0.034]], [0.008, 0.007, 0.003]),
        bar([0.030, -0.004, 0.014], [0.028, 0.014, 0.034], 0.006, 0.003),
    )
    plate = without(disc([0, 0, -0.004], 2, 0.026, 0.006), disc([0.008, 0.010, -0.004], 2, 0.007, 0.02))
    whole = melted(union(left, right), plate, 0.006)
    low, high = np.array([-0.066, -0.032, -0.016]), np.array([0.056, 0.032, 0.072])
    return whole, low, high
