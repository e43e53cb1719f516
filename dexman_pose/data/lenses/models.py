"""Lens models: where the picture of a real lens shows a ray, and which ray a place in it belongs to.

Rays are x/z and y/z (..., 2) in camera axes. Places are pixels freed of focal length and principal point: pixel =
K @ (place, 1). Every model is one function in one direction; the other is found by Newton's method.

Sources: Brown, Photogrammetric Engineering 37 (1971); Devernay and Faugeras, MVA 13 (2001), for ``fov``; Kannala and
Brandt, PAMI 28 (2006), for ``fisheye``; Fitzgibbon, CVPR 2001, for ``division``; Khomutenko et al., RA-L 1 (2016), for
``eucm``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import _check
from dexman_pose.errors import InputError

LensModel = Literal[
    "brown-conrady",
    "fisheye",
    "modified-brown-conrady",
    "inverse-brown-conrady",
    "fov",
    "division",
    "eucm",
    "thin-prism-fisheye",
    "fisheye624",
]

COEFFICIENTS: dict[LensModel, tuple[int, ...]] = {
    "brown-conrady": (4, 5, 8, 12, 14),
    "fisheye": (4,),
    "modified-brown-conrady": (5,),
    "inverse-brown-conrady": (5,),
    "fov": (1,),
    "division": (1,),
    "eucm": (2,),
    "thin-prism-fisheye": (8,),
    "fisheye624": (12,),
}
"""How many coefficients each model takes."""

_STRAIGHT_AT_ZERO = {
    "brown-conrady",
    "modified-brown-conrady",
    "inverse-brown-conrady",
    "division",
    "fov",
}
"""Models whose picture is that of the ideal pinhole where all coefficients are 0; a fisheye's is not."""

_INVERSE: set[LensModel] = {"inverse-brown-conrady", "division"}
"""Models whose formula leads from the place in the picture to the ray."""


@dataclass(frozen=True)
class LensOptions:
    """How the direction without a formula is solved.

    Attributes:
        steepest: degrees off the optical axis up to which rays are looked at.
        samples: radii in the table that starts come from, and that tells how far a lens reaches.
        steps: most Newton steps.
        exact: distance from the place asked for at which a step was the last one.
        difference: step of the numeric derivatives.
        close: largest distance that counts as found.
    """

    steepest: float = 86.0
    samples: int = 1024
    steps: int = 20
    exact: float = 1e-12
    difference: float = 1e-6
    close: float = 1e-7


_OPTIONS = LensOptions()


@dataclass(frozen=True, eq=False)
class Lens:
    """One lens: its model and coefficients.

    Attributes:
        model: one of :data:`COEFFICIENTS`.
        coefficients: (n,) in the order of the model: OpenCV's for ``brown-conrady`` and ``fisheye``, librealsense's for
            the modified and inverse ones, COLMAP's for the others.

    Raises:
        InputError: an unknown model, another number of coefficients than it has, a value that is not finite.
    """

    model: LensModel
    coefficients: Array

    def __post_init__(self) -> None:
        counts = COEFFICIENTS.get(self.model)
        if counts is None:
            known = ", ".join(COEFFICIENTS)
            raise InputError(f"unknown lens model {self.model!r}; it must be one of: {known}")
        found = _check.array(np.atleast_1d(self.coefficients), "lens coefficients", (None,))
        if len(found) not in counts:
            allowed = " or ".join(str(n) for n in counts)
            raise InputError(f"a {self.model} lens has {allowed} coefficients, but got {len(found)}")
        _check.settle(self, coefficients=found)

    @property
    def is_straight(self) -> bool:
        """Whether the lens shows the picture of an ideal pinhole."""
        return self.model in _STRAIGHT_AT_ZERO and not np.any(self.coefficients)

    @property
    def reach(self) -> float:
        """The largest distance of a ray from the axis, as a tangent, that the model speaks of.

        Polynomials fitted to a picture turn back somewhere outside it; from there on two rays would share one place.
        """
        inner, outer = _table(self._formula, _OPTIONS)
        return float(outer[-1] if self.model in _INVERSE else inner[-1])

    def distort(self, rays: Array) -> Array:
        """Places (..., 2) at which the lens shows rays (..., 2), x/z and y/z; NaN beyond what it can show."""
        if self.model in _INVERSE:
            return _solved(self._formula, rays, _OPTIONS)
        inside = np.hypot(*_xy(rays)) <= self.reach
        with np.errstate(all="ignore"):
            return np.where(inside[..., None], self._formula(rays), np.nan)

    def undistort(self, places: Array) -> Array:
        """Rays (..., 2) that the lens shows at places (..., 2); NaN where it shows none."""
        if self.model not in _INVERSE:
            return _solved(self._formula, places, _OPTIONS)
        inside = np.hypot(*_xy(places)) <= _table(self._formula, _OPTIONS)[0][-1]
        with np.errstate(all="ignore"):
            return np.where(inside[..., None], self._formula(places), np.nan)

    def _formula(self, points: Array) -> Array:
        return _FORMULAS[self.model](self.coefficients, points)


def _table(formula: Callable[[Array], Array], options: LensOptions) -> tuple[Array, Array]:
    """Radii along four half axes and, on average, what the formula makes of them, while all of them grow."""
    radius = np.tan(np.linspace(0.0, np.radians(options.steepest), options.samples))
    with np.errstate(all="ignore"):
        axes = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
        along = np.einsum("rai,ai->ar", formula(radius[:, None, None] * axes), axes)
    grows = (np.diff(along) > 0).all(0)
    count = len(radius) if grows.all() else 1 + int(np.argmin(grows))
    return radius[:count], along[:, :count].mean(0)


def _solved(formula: Callable[[Array], Array], targets: Array, options: LensOptions) -> Array:
    """Points (..., 2) that the formula maps to ``targets``; NaN where none was found."""
    goal = np.asarray(targets, dtype=np.float64).reshape(-1, 2)
    inner, outer = _table(formula, options)
    distance = np.hypot(*_xy(goal))
    start = np.interp(distance, outer, inner) / np.maximum(distance, 1e-300)
    points = goal * np.where(distance > 0, start, 1.0)[:, None]
    h = options.difference
    with np.errstate(all="ignore"):
        for _ in range(options.steps):
            error = formula(points) - goal
            if not (np.abs(error) > options.exact).any():
                break
            along_x = (formula(points + [h, 0.0]) - formula(points - [h, 0.0])) / (2 * h)
            along_y = (formula(points + [0.0, h]) - formula(points - [0.0, h])) / (2 * h)
            determinant = along_x[:, 0] * along_y[:, 1] - along_x[:, 1] * along_y[:, 0]
            step_x = (error[:, 0] * along_y[:, 1] - error[:, 1] * along_y[:, 0]) / determinant
            step_y = (error[:, 1] * along_x[:, 0] - error[:, 0] * along_x[:, 1]) / determinant
            points = points - np.stack([step_x, step_y], -1)
        found = np.abs(formula(points) - goal).max(-1, initial=0.0) <= options.close
        found &= np.hypot(*_xy(points)) <= 1.01 * inner[-1]
    return np.where(found[:, None], points, np.nan).reshape(np.shape(targets))


def _xy(points: Array) -> tuple[Array, Array]:
    return points[..., 0], points[..., 1]


def _polynomial(squared: Array, coefficients: Array) -> Array:
    """1 + c0 s + c1 s^2 + ..."""
    value = np.zeros_like(squared)
    for c in coefficients[::-1]:
        value = (value + c) * squared
    return 1.0 + value


def _brown_conrady(c: Array, points: Array) -> Array:
    """k1 k2 p1 p2 [k3 [k4 k5 k6 [s1 s2 s3 s4 [tx ty]]]]."""
    k = np.zeros(14)
    k[: len(c)] = c
    x, y = _xy(points)
    r2 = x * x + y * y
    radial = _polynomial(r2, k[[0, 1, 4]]) / _polynomial(r2, k[[5, 6, 7]])
    u = x * radial + 2 * k[2] * x * y + k[3] * (r2 + 2 * x * x) + k[8] * r2 + k[9] * r2 * r2
    v = y * radial + k[2] * (r2 + 2 * y * y) + 2 * k[3] * x * y + k[10] * r2 + k[11] * r2 * r2
    bent = np.stack([u, v], -1)
    return _tilted(bent, k[12], k[13]) if np.any(k[12:]) else bent


def _tilted(points: Array, tilt_x: float, tilt_y: float) -> Array:
    """Places on a sensor that is tilted about x, then y, seen along the axis of the lens."""
    cx, sx, cy, sy = np.cos(tilt_x), np.sin(tilt_x), np.cos(tilt_y), np.sin(tilt_y)
    about_x = np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    turn = about_y @ about_x
    onto = np.array([[turn[2, 2], 0, -turn[0, 2]], [0, turn[2, 2], -turn[1, 2]], [0, 0, 1]]) @ turn
    moved = points @ onto[:, :2].T + onto[:, 2]
    return moved[..., :2] / moved[..., 2:]


def _modified_brown_conrady(c: Array, points: Array) -> Array:
    """k1 k2 p1 p2 k3; the tangential part is taken at the place that the radial part has moved to."""
    x, y = _xy(points)
    r2 = x * x + y * y
    radial = _polynomial(r2, c[[0, 1, 4]])
    x, y = x * radial, y * radial
    u = x + 2 * c[2] * x * y + c[3] * (r2 + 2 * x * x)
    v = y + 2 * c[3] * x * y + c[2] * (r2 + 2 * y * y)
    return np.stack([u, v], -1)


def _division(c: Array, points: Array) -> Array:
    """k: from the place to the ray."""
    return points / (1.0 + c[0] * np.sum(points**2, -1, keepdims=True))


def _fov(c: Array, points: Array) -> Array:
    """omega: angle of view of the model, radians."""
    radius = np.linalg.norm(points, axis=-1, keepdims=True)
    if c[0] == 0.0:
        return points
    bent = np.arctan(2 * radius * np.tan(c[0] / 2)) / c[0]
    limit = 2 * np.tan(c[0] / 2) / c[0]
    return points * np.divide(bent, radius, out=np.full_like(radius, limit), where=radius > 0)


def _eucm(c: Array, points: Array) -> Array:
    """alpha, beta."""
    rho = np.sqrt(c[1] * np.sum(points**2, -1, keepdims=True) + 1.0)
    return points / (c[0] * rho + 1.0 - c[0])


def _angles(points: Array) -> Array:
    """Rays moved to the distance from the middle that is their angle with the axis, in radians."""
    radius = np.linalg.norm(points, axis=-1, keepdims=True)
    return points * np.divide(np.arctan(radius), radius, out=np.ones_like(radius), where=radius > 0)


def _fisheye(c: Array, points: Array) -> Array:
    """k1 k2 k3 k4 on even powers of the angle."""
    at = _angles(points)
    return at * _polynomial(np.sum(at**2, -1, keepdims=True), c)


def _thin_prism_fisheye(c: Array, points: Array) -> Array:
    """k1 k2 p1 p2 k3 k4 sx1 sy1."""
    at = _angles(points)
    x, y = _xy(at)
    r2 = x * x + y * y
    radial = _polynomial(r2, c[[0, 1, 4, 5]])
    u = x * radial + 2 * c[2] * x * y + c[3] * (r2 + 2 * x * x) + c[6] * r2
    v = y * radial + 2 * c[3] * x * y + c[2] * (r2 + 2 * y * y) + c[7] * r2
    return np.stack([u, v], -1)


def _fisheye624(c: Array, points: Array) -> Array:
    """k0 ... k5 p0 p1 s0 s1 s2 s3."""
    at = _angles(points)
    x, y = _xy(at * _polynomial(np.sum(at**2, -1, keepdims=True), c[:6]))
    r2 = x * x + y * y
    u = x + c[6] * (r2 + 2 * x * x) + 2 * c[7] * x * y + c[8] * r2 + c[9] * r2 * r2
    v = y + c[7] * (r2 + 2 * y * y) + 2 * c[6] * x * y + c[10] * r2 + c[11] * r2 * r2
    return np.stack([u, v], -1)


_FORMULAS: dict[LensModel, Callable[[Array, Array], Array]] = {
    "brown-conrady": _brown_conrady,
    "fisheye": _fisheye,
    "modified-brown-conrady": _modified_brown_conrady,
    "inverse-brown-conrady": _brown_conrady,
    "fov": _fov,
    "division": _division,
    "eucm": _eucm,
    "thin-prism-fisheye": _thin_prism_fisheye,
    "fisheye624": _fisheye624,
}
