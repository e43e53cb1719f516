"""The skin of our own hand model at rest: a smooth union of tapered, flattened capsules around the skeleton.

Every part is a distance-like function of points in the hand frame (metres). Parts of one group melt into each other
(polynomial smooth minimum, Quilez); fingers melt into the palm but never into each other, so that neighbouring
fingers stay apart however close they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.hands.model.skeleton import FINGERS, Skeleton

MM = 1e-3
FAR = 25 * MM
"""Distances are not told apart beyond this: more than any blend and than the band that is meshed."""

_THICKNESS = {"index": 1.0, "middle": 1.02, "ring": 0.97, "pinky": 0.87}


@dataclass(frozen=True)
class Part:
    """A capsule from ``a`` to ``b`` with radii growing linearly, squeezed by ``squeeze`` along the unit ``axis``."""

    a: Array
    b: Array
    radius_a: float
    radius_b: float
    axis: Array
    squeeze: float = 1.0

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Corners of a box around it."""
        r = max(self.radius_a, self.radius_b)
        return np.minimum(self.a, self.b) - r, np.maximum(self.a, self.b) + r

    def distance(self, points: Array) -> Array:
        """Roughly signed distances (N,) of points (N, 3): exact at the surface up to the taper."""
        along = self.b - self.a
        t = np.clip((points - self.a) @ along / max(float(along @ along), 1e-12), 0.0, 1.0)
        q = points - self.a - t[:, None] * along
        if self.squeeze != 1.0:
            q = q + (1.0 / self.squeeze - 1.0) * (q @ self.axis)[:, None] * self.axis
        length: Array = np.sqrt(np.einsum("ij,ij->i", q, q))
        return length - (self.radius_a + t * (self.radius_b - self.radius_a))


@dataclass(frozen=True)
class Tube:
    """A straight tube from ``start`` along ``direction`` whose section changes smoothly between stations.

    Attributes:
        stations: (S,) distances along the axis; ``radii``, ``offsets`` (towards ``up``) and ``squeezes`` (of the
            section along ``up``) belong to them.
    """

    start: Array
    direction: Array
    up: Array
    stations: Array
    radii: Array
    offsets: Array
    squeezes: Array

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Corners of a box around it."""
        end = self.start + self.stations[-1] * self.direction
        r = float(self.radii.max() + np.abs(self.offsets).max())
        return np.minimum(self.start, end) - r, np.maximum(self.start, end) + r

    def distance(self, points: Array) -> Array:
        """Roughly signed distances (N,) of points (N, 3)."""
        q = points - self.start
        t = np.clip(q @ self.direction, self.stations[0], self.stations[-1])
        from scipy.interpolate import PchipInterpolator

        curves = PchipInterpolator(self.stations, np.stack([self.radii, self.offsets, self.squeezes], 1))(t)
        q = q - t[:, None] * self.direction - curves[:, 1:2] * self.up
        q = q + (1.0 / curves[:, 2:3] - 1.0) * (q @ self.up)[:, None] * self.up
        out: Array = np.sqrt(np.einsum("ij,ij->i", q, q)) - curves[:, 0]
        return out


@dataclass(frozen=True)
class Group:
    """Parts that melt into each other over a length ``blend``."""

    parts: tuple[Part | Tube, ...]
    blend: float

    def distance(self, points: Array) -> Array:
        """(N,) for points (N, 3); farther than ``FAR`` from the group's bounding box it is just ``FAR``."""
        low = np.min([p.bounds[0] for p in self.parts], axis=0)
        high = np.max([p.bounds[1] for p in self.parts], axis=0)
        near = np.all((points > low - FAR) & (points < high + FAR), axis=1)
        out = np.full(len(points), FAR)
        close = points[near]
        value = self.parts[0].distance(close)
        for part in self.parts[1:]:
            value = smooth_min(value, part.distance(close), self.blend)
        out[near] = np.minimum(value, FAR)
        return out


@dataclass(frozen=True)
class HandSurface:
    """The parts of a right hand: palm, forearm, thumb and the four fingers."""

    palm: Group
    forearm: Group
    fingers: tuple[Group, ...]

    def distance(self, points: Array) -> Array:
        """(N,) distance-like values of points (N, 3), negative inside; the function that is meshed."""
        body = smooth_min(self.palm.distance(points), self.forearm.distance(points), 18 * MM)
        blends = (13 * MM, 6 * MM, 6 * MM, 6 * MM, 6 * MM)
        joined = [smooth_min(body, f.distance(points), k) for f, k in zip(self.fingers, blends)]
        out: Array = np.min(joined, axis=0)
        return out


def smooth_min(a: Array, b: Array, k: float) -> Array:
    """Minimum of two distances, rounded where they differ by less than ``k``."""
    h = np.maximum(k - np.abs(a - b), 0.0) / k
    out: Array = np.minimum(a, b) - 0.25 * k * h * h
    return out


def build_surface(skeleton: Skeleton, forearm_length: float) -> HandSurface:
    """The skin around a right hand's skeleton, with a forearm of the given length (metres) behind the wrist."""
    fingers = (_thumb(skeleton), *(_finger(skeleton, i) for i in range(1, 5)))
    return HandSurface(_palm(skeleton), _forearm(forearm_length), fingers)


Point = Array | tuple[float, float, float]


def _part(a: Point, b: Point, radii: tuple[float, float], axis: Array, squeeze: float = 1.0) -> Part:
    """A part from millimetres."""
    start, end = np.asarray(a, dtype=np.float64) * MM, np.asarray(b, dtype=np.float64) * MM
    return Part(start, end, radii[0] * MM, radii[1] * MM, axis, squeeze)


def _finger(s: Skeleton, finger: int) -> Group:
    """One of the four long fingers: a tube with slight bulges at the joints, and the pad under the tip."""
    w = _THICKNESS[FINGERS[finger]]
    joints = s.joints[1 + 4 * finger : 5 + 4 * finger] / MM
    along, up = s.directions[3 * finger], s.dorsal[3 * finger]
    end = joints[3] - along * 3.4 * w
    t = (joints @ along) - joints[0] @ along
    stations = np.array(
        [0.0, 0.55 * t[1], t[1], 0.5 * (t[1] + t[2]), t[2], 0.45 * t[2] + 0.55 * t[3], t[3] - 3.4 * w]
    )
    radii = np.array([10.6, 9.7, 9.9, 8.9, 8.7, 8.2, 7.0]) * w
    sink = np.array([0.0, -0.9, 0.0, -0.8, 0.0, -0.3, 0.0])
    flat = np.array([0.97, 0.96, 0.95, 0.94, 0.9, 0.84, 0.8])
    pad = _part(joints[2] * 0.45 + end * 0.55 - up * 1.8, end - up * 1.5, (7.2 * w, 6.4 * w), up, 0.84)
    return Group((Tube(joints[0] * MM, along, up, stations * MM, radii * MM, sink * MM, flat), pad), 2.5 * MM)


def _thumb(s: Skeleton) -> Group:
    """The thumb from its metacarpal (the ball of the thumb) to the broad tip."""
    j = s.joints[1:5] / MM
    up = s.dorsal[:3]
    end = j[3] - s.directions[2] * 3.2
    parts = (
        _part(j[0] - up[0] * 3.0, j[1] - up[0] * 1.5, (16.5, 11.6), up[0], 0.95),
        _part(
            j[0] * 0.6 + j[1] * 0.4 - up[0] * 6.0,
            j[1] * 0.8 + j[0] * 0.2 - up[0] * 3.0,
            (13.5, 11.0),
            up[0],
            0.95,
        ),
        _part(j[1], j[2], (11.0, 9.9), up[1], 0.95),
        _part(j[2], j[3] * 0.5 + j[2] * 0.5 - up[2] * 0.6, (9.9, 10.1), up[2], 0.86),
        _part(j[3] * 0.5 + j[2] * 0.5 - up[2] * 0.6, end, (10.1, 7.4), up[2], 0.78),
        _part(j[2] * 0.4 + end * 0.6 - up[2] * 2.0, end - up[2] * 1.6, (7.8, 6.6), up[2], 0.82),
    )
    return Group(parts, 3.5 * MM)


def _palm(s: Skeleton) -> Group:
    """Four metacarpals, the heel of the hand, the web of the thumb and the knuckles."""
    up, side = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    j = s.joints / MM
    bases = ((14.0, 15.0, 0.0), (12.0, 4.0, 1.0), (12.0, -8.0, 0.5), (13.0, -18.0, -2.0))
    radii = ((14.5, 12.2), (15.0, 12.6), (14.5, 12.0), (13.5, 11.0))
    parts = [
        _part(base, j[k] - (3.0, 0.0, 1.0), pair, up, 0.95)
        for base, k, pair in zip(bases, (5, 9, 13, 17), radii)
    ]
    parts.append(_part((16.0, -19.0, -7.0), (60.0, -33.0, -7.0), (14.0, 11.0), side, 0.95))  # hypothenar
    web = 0.35 * j[1] + 0.65 * j[2]
    parts.append(
        _part(web * (0.9, 0.9, 1.0), j[5] * (0.72, 0.95, 1.0) - (0.0, 0.0, 4.0), (8.5, 10.0), up, 0.8)
    )
    parts += [
        _part(j[k] - (12.0, 0.0, -2.6), j[k] - (1.0, 0.0, -2.8), (7.0, 9.4), up) for k in (5, 9, 13, 17)
    ]
    return Group(tuple(parts), 7 * MM)


def _forearm(length: float) -> Group:
    """Wrist and forearm: an ellipse of 58 x 41 mm at the wrist, growing towards the elbow."""
    up = np.array([0.0, 0.0, 1.0])
    n = length / MM
    grown = 29.5 + 9.0 * min(n, 160.0) / 160.0
    knee = -min(n, 160.0)
    parts = [
        _part((16.0, -1.0, -1.0), (-30.0, 0.0, 0.0), (29.0, 28.5), up, 0.69),
        _part((-25.0, 0.0, 0.0), (knee, 0.0, 0.0), (28.5, grown), up, 0.78),
    ]
    if n > 160.0:
        parts.append(_part((knee, 0.0, 0.0), (-n, 0.0, 0.0), (grown, grown + 4.0), up, 0.82))
    return Group(tuple(parts), 12 * MM)
