"""Scores of estimated poses against known ones: plain functions on arrays, and rows of the printed table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array, Bools
from dexman_pose.geometry import orthonormalize, rotation_angle, se3


@dataclass(frozen=True)
class Row:
    """One figure of one case.

    Attributes:
        what: what was measured, with its unit.
        value: the figure; infinite where nothing could be measured.
        target: the bound, or None where the figure only informs.
        at_least: the figure must not be below the target, rather than not above it.
        digits: decimals printed.
    """

    what: str
    value: float
    target: float | None = None
    at_least: bool = False
    digits: int = 2

    @property
    def passed(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        if not np.isfinite(self.value):
            return False
        return self.value >= self.target if self.at_least else self.value <= self.target

    def line(self) -> str:
        """The row as it is printed."""
        verdict = {None: "", True: "PASS", False: "FAIL"}[self.passed]
        bound = "" if self.target is None else f"{'>=' if self.at_least else '<='} {self.target:g}"
        return f"  {self.what:<58} {self.value:>9.{self.digits}f}  {bound:<9} {verdict}".rstrip()


@dataclass(frozen=True)
class Report:
    """The result of one case: its figures and notes."""

    case: str
    rows: list[Row]
    notes: list[str]

    def text(self) -> str:
        """As it is printed."""
        return "\n".join([self.case, *(row.line() for row in self.rows), *self.notes, ""])


def pose_error(found: Array, true: Array, center: Array) -> tuple[Array, Array]:
    """Millimetres between the object's centres and degrees between the rotations.

    Args:
        found: (..., 4, 4) camera_from_object, metres.
        true: (..., 4, 4), the same.
        center: (3,) the object's centre in its own frame, metres.

    Returns:
        Two arrays (...,).
    """
    shift = (found[..., :3, :3] - true[..., :3, :3]) @ center + found[..., :3, 3] - true[..., :3, 3]
    turn = found[..., :3, :3] @ np.swapaxes(true[..., :3, :3], -1, -2)
    return 1e3 * np.linalg.norm(shift, axis=-1), np.degrees(rotation_angle(turn))


def symmetric_error(found: Array, true: Array, center: Array, symmetry: Array) -> tuple[float, float, int]:
    """Millimetres and degrees to the nearest symmetric equivalent of the truth, and which of ``symmetry`` (S, 4, 4)."""
    mm, degrees = pose_error(found, true @ symmetry, center)
    best = int(np.argmin(degrees))
    return float(mm[best]), float(degrees[best]), best


def cube_symmetry(center: ArrayLike = (0.0, 0.0, 0.0)) -> Array:
    """(24, 4, 4) turns that bring a cube of one colour back onto itself, identity first."""
    turns = []
    for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
        for signs in np.ndindex(2, 2, 2):
            turn = np.zeros((3, 3))
            turn[range(3), order] = 1.0 - 2.0 * np.array(signs)
            if np.linalg.det(turn) > 0:
                turns.append(turn)
    turns.sort(key=lambda t: -float(np.trace(t)))
    middle = np.asarray(center, np.float64)
    return np.stack([se3(t, middle - t @ middle) for t in turns])


def angle_modulo_spin(found: Array, true: Array, axis: ArrayLike) -> Array:
    """Degrees (...,) between two rotations when a turn about the object's own ``axis`` (3,) does not count.

    What is left is the angle between the two directions of the axis: for any two rotations, a turn about the axis
    exists that closes the rest.
    """
    unit = np.asarray(axis, np.float64) / np.linalg.norm(axis)
    a, b = found[..., :3, :3] @ unit, true[..., :3, :3] @ unit
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(-1)))


def within(mm: Array, degrees: Array, valid: Bools, limit_mm: float, limit_deg: float) -> Bools:
    """(T,) frames with a valid pose inside both limits."""
    return valid & (mm <= limit_mm) & (degrees <= limit_deg)


def median_or_lost(values: Array, valid: Bools) -> float:
    """The median over all frames; a frame without a pose counts as infinitely wrong."""
    if len(values) == 0:
        return float("inf")
    ordered = np.sort(np.where(valid, values, np.inf))
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return float(high) if np.isinf(high) else float(0.5 * (low + high))


def spread(poses: Array, center: Array) -> tuple[float, float]:
    """How far the poses of an object at rest scatter about their mean: millimetres and degrees, root mean square.

    Args:
        poses: (T, 4, 4) camera_from_object, metres.
        center: (3,) object frame.
    """
    if len(poses) < 2:
        return float("inf"), float("inf")
    points = poses[:, :3, :3] @ center + poses[:, :3, 3]
    off = np.linalg.norm(points - points.mean(0), axis=1)
    u, _, vt = np.linalg.svd(poses[:, :3, :3].mean(0))  # the chordal mean of the rotations
    mean = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    angles = rotation_angle(mean.T @ poses[:, :3, :3])
    return 1e3 * float(np.sqrt((off**2).mean())), float(np.degrees(np.sqrt((angles**2).mean())))


def average_distance(vertices: Array, found: Array, true: Array) -> float:
    """ADD in millimetres: mean distance of corresponding vertices."""
    return 1e3 * float(np.linalg.norm(_moved(vertices, found) - _moved(vertices, true), axis=1).mean())


def nearest_distance(vertices: Array, found: Array, true: Array) -> float:
    """ADD-S in millimetres: mean distance from each true vertex to the nearest estimated one."""
    tree = cKDTree(_moved(vertices, found))
    return 1e3 * float(tree.query(_moved(vertices, true))[0].mean())


def _moved(vertices: Array, pose: Array) -> Array:
    return vertices @ pose[:3, :3].T + pose[:3, 3]


def overlap(a: Bools, b: Bools) -> float:
    """Intersection over union; 0 when both are empty."""
    return float((a & b).sum() / max(int((a | b).sum()), 1))


def ranges(bad: Bools, frames: NDArray[np.int64], *, gap: int = 3) -> list[tuple[int, int, int]]:
    """Runs of bad frames as (first, last, how many); runs no more than ``gap`` frame numbers apart become one."""
    out: list[tuple[int, int, int]] = []
    for frame in frames[bad].tolist():
        if out and frame - out[-1][1] <= gap:
            out[-1] = (out[-1][0], frame, out[-1][2] + 1)
        else:
            out.append((frame, frame, 1))
    return out


def rigid(matrix: ArrayLike) -> Array:
    """A (4, 4) transform from a file, its rounded rotation made exact."""
    return np.asarray(orthonormalize(np.asarray(matrix, np.float64)), np.float64)
