"""OpenCV's coefficients that come nearest to a lens of another model, for code that knows OpenCV's alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.lenses.models import Lens


@dataclass(frozen=True)
class FitOptions:
    """Where and how the coefficients are fitted.

    Attributes:
        steepest: degrees off the axis up to which rays count; the picture ends earlier in most cameras.
        radii: distances from the axis, evenly spread in angle.
        directions: directions about the axis.
        rounds: linear solutions; each weighs by the denominator of the one before.
        orders: terms of numerator and denominator, tried in this order until the denominator has no root.
    """

    steepest: float = 75.0
    radii: int = 48
    directions: int = 24
    rounds: int = 8
    orders: tuple[tuple[int, int], ...] = ((3, 3), (3, 2), (2, 2), (3, 1), (3, 0))


_OPTIONS = FitOptions()


def opencv_coefficients(lens: Lens, extent: float, options: FitOptions = _OPTIONS) -> Array:
    """(12,) OpenCV's k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4 nearest to a lens; its own where it is OpenCV's.

    Radial lenses are met to 0.02 pixels of a 640x480 picture, those with strong tangential terms to about one. The
    middle of OpenCV's pictures has the scale of K, that of ``fov`` has not: it is met to some pixels.

    Args:
        lens: of any model.
        extent: distance of the picture's farthest corner from its principal point, in focal lengths.
        options: where the fit is made.
    """
    if lens.model == "brown-conrady":
        return lens.coefficients
    rays, places = _samples(lens, extent, options)
    best, least = np.zeros(12), np.inf
    for order in options.orders:
        found, positive = _solved(rays, places, order, options)
        off = np.abs(Lens("brown-conrady", found).distort(rays) - places) if positive else np.array([np.inf])
        worst = float(np.nan_to_num(off, nan=np.inf).max(initial=0.0))
        if worst < least:
            best, least = found, worst
        if positive and np.isfinite(worst):
            break
    return best


def _samples(lens: Lens, extent: float, options: FitOptions) -> tuple[Array, Array]:
    """Rays (N, 2) all over the picture and the places (N, 2) where the lens shows them."""
    far = min(lens.reach, float(np.tan(np.radians(options.steepest))))
    radius = np.tan(np.linspace(0.0, np.arctan(far), options.radii))
    angle = np.linspace(0.0, 2 * np.pi, options.directions, endpoint=False)
    rays = (radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], -1)).reshape(-1, 2)
    places = lens.distort(rays)
    shown = np.hypot(places[:, 0], places[:, 1]) <= extent  # NaN compares False
    return rays[shown], places[shown]


def _solved(rays: Array, places: Array, order: tuple[int, int], options: FitOptions) -> tuple[Array, bool]:
    """Coefficients (12,) and whether the denominator is positive all over the samples."""
    x, y = rays.T
    squared = x * x + y * y
    powers = np.stack([squared, squared**2, squared**3], -1)
    upper, lower = order
    none, denominator = np.zeros_like(x), np.ones_like(x)
    solution = np.zeros(upper + lower + 6)
    for _ in range(options.rounds):
        rows, sides = [], []
        for ray, place, first, second, prism in (
            (x, places[:, 0], 2 * x * y, squared + 2 * x * x, (squared, squared**2, none, none)),
            (y, places[:, 1], squared + 2 * y * y, 2 * x * y, (none, none, squared, squared**2)),
        ):
            radial = np.concatenate(
                [ray[:, None] * powers[:, :upper], -place[:, None] * powers[:, :lower]], 1
            )
            rows.append(
                np.concatenate([radial / denominator[:, None], np.stack([first, second, *prism], -1)], 1)
            )
            sides.append((place - ray) / denominator)
        system = np.concatenate(rows)
        size = np.linalg.norm(system, axis=0)
        size[size == 0] = 1.0
        solution = np.linalg.lstsq(system / size, np.concatenate(sides), rcond=1e-12)[0] / size
        denominator = 1.0 + powers[:, :lower] @ solution[upper : upper + lower]
        if (denominator <= 0).any():
            return np.zeros(12), False
    k = np.zeros(6)
    k[:upper], k[3 : 3 + lower] = solution[:upper], solution[upper : upper + lower]
    tangential, prism_terms = solution[upper + lower :][:2], solution[upper + lower + 2 :]
    return np.concatenate([k[:2], tangential, k[2:], prism_terms]), True
