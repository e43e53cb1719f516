"""Forces with which fingertips bear an object's weight where they hold it, by friction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import nnls

from dexman_pose.arrays import Array
from dexman_pose.robot.motion.types import RATE

GRAVITY = 9.81
"""m/s2."""
_FEW = 3  # places, before there is an acceleration


@dataclass(frozen=True)
class BearOptions:
    """What friction bears.

    Attributes:
        sure: share of the friction that is relied on.
        margin: times the forces that just bear the object.
        edges: of the pyramid that stands for a cone of friction.
        arm: metres, what a turn is divided by to be compared with a push.
        little: weight of a tip's press beside what is not borne.
        smooth: frames, of the filter over accelerations.
    """

    sure: float = 0.8
    margin: float = 1.5
    edges: int = 8
    arm: float = 0.03
    little: float = 0.03
    smooth: float = 2.0


def borne(
    inward: Array, at: Array, load: Array, friction: float, options: BearOptions | None = None
) -> Array:
    """The forces (F, 3) N, as small as can be, with which tips bear a load within their cones of friction.

    A thing that is held beside its middle of mass turns out of a grip that would bear its weight: turns count.

    Args:
        inward: (F, 3) unit, into the object.
        at: (F, 3) metres from its middle of mass.
        load: (3,) N that tips have to push with, all together, and not turn.
        friction: along surfaces.
        options: settings.

    Returns:
        What comes nearest, where nothing bears it.
    """
    o = options or BearOptions()
    angles = 2.0 * np.pi * np.arange(o.edges) / o.edges
    first, second = _across(inward)
    aside = np.cos(angles)[:, None] * first[:, None] + np.sin(angles)[:, None] * second[:, None]
    edges = inward[:, None] + o.sure * friction * aside
    turns = np.cross(at[:, None], edges) / o.arm
    wrench = np.concatenate([edges, turns], axis=2).reshape(-1, 6).T
    presses = np.repeat(np.eye(len(inward)), o.edges, axis=1)  # an edge is one newton along the normal
    size = max(float(np.linalg.norm(load)), 1e-9)
    rows = np.concatenate([wrench, o.little * presses])
    right = np.concatenate([load / size, np.zeros(3 + len(inward))])
    found, _ = nnls(rows, right)
    return np.asarray(size * np.einsum("fe,fei->fi", found.reshape(len(inward), o.edges), edges))


def loads(places: Array, mass: float, options: BearOptions | None = None) -> Array:
    """(T, 3) N that hold and move an object whose middle of mass is at (T, 3) metres, world, at a motion's rate."""
    o = options or BearOptions()
    out = np.zeros_like(places)
    if len(places) >= _FEW:
        smooth = gaussian_filter1d(places, o.smooth, axis=0, mode="nearest")
        out = np.gradient(np.gradient(smooth, 1.0 / RATE, axis=0), 1.0 / RATE, axis=0)
    out[:, 2] += GRAVITY
    return np.asarray(mass * out)


def _across(normals: Array) -> tuple[Array, Array]:
    """Two unit vectors (F, 3) each, across unit normals and each other."""
    least = np.eye(3)[np.argmin(np.abs(normals), axis=1)]
    first = np.cross(normals, least)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return first, np.cross(normals, first)
