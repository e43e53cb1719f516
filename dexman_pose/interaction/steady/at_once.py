"""All poses of an object that trembles solved at once, with what they are off by throughout and for a while.

Unknown are, beside the poses, the errors of the measured ones that do not show as trembling: one that stays for the
whole clip and one that drifts, and how each hand that carries the object moves on it. So what the table says of an
object at rest, and touches of a hand that holds it, counts for all frames; and a hand takes the object along from where
it rested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import so3_log
from dexman_pose.interaction.options import SteadyOptions
from dexman_pose.interaction.steady.resting import Resting
from dexman_pose.interaction.steady.riding import Ride
from dexman_pose.interaction.steady.rows import Rows
from dexman_pose.interaction.steady.touched import Touch
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.optimize.problem import move_poses
from dexman_pose.optimize.smoothness import Triples, accelerations, robust

_SHIFT = 3
_EYE = np.eye(POSE_SIZE)
_FREE = 1.0
"""Metres and radians: how a hand lies on an object is not known beforehand."""

Frames = NDArray[np.intp]


@dataclass(frozen=True)
class Known:
    """What is known of an object's poses in T frames.

    Attributes:
        measured: (T, 4, 4) camera_from_object.
        valid: (T,) frames in which it was measured.
        jitter: (6,) metres and radians along an axis, by which measured poses tremble.
        center: (3,) of the object, in its frame.
        times: (T,) seconds.
        rests: stretches in which it rests.
        rides: hands that carry it.
        touches: hands that touch it.
    """

    measured: Array
    valid: NDArray[np.bool_]
    jitter: Array
    center: Array
    times: Array
    rests: tuple[Resting, ...] = ()
    rides: tuple[Ride, ...] = ()
    touches: tuple[Touch, ...] = ()


def solve_at_once(poses: Array, known: Known, o: SteadyOptions) -> Array:
    """(T, 4, 4) the likeliest poses.

    Args:
        poses: (T, 4, 4) to begin with, near them.
        known: what is known of them.
        o: how much all of it is worth.
    """
    found = _Found(
        np.zeros((len(poses), POSE_SIZE)),
        np.zeros((len(poses), POSE_SIZE)),
        [np.zeros((len(r.frames), POSE_SIZE)) for r in known.rides],
    )
    for _ in range(o.steps):
        found = _Clip(poses, known, found, o).solved()
        poses = move_poses(poses, found.moves, known.center)
    return poses


@dataclass(frozen=True)
class _Found:
    """A solution.

    Attributes:
        moves: (T, 6) of the poses.
        slow: (T, 6) what the measured ones are off by, as far as it does not tremble.
        grips: for each ride, (N, 6) how the hand lies on the object, off the way in which it does on the whole.
    """

    moves: Array
    slow: Array
    grips: list[Array]


class _Clip:
    """One linear system. Unknowns: moves of the T poses, T drifts, one offset, grips frame by frame, hands' shifts."""

    def __init__(self, poses: Array, known: Known, before: _Found, o: SteadyOptions) -> None:
        self._poses, self._known, self._before, self._options = poses, known, before, o
        count = len(poses)
        self._moves = np.arange(count * POSE_SIZE).reshape(count, POSE_SIZE)
        self._drifts = self._moves + count * POSE_SIZE
        self._offset = np.arange(POSE_SIZE) + 2 * count * POSE_SIZE
        self._rows = Rows(
            (2 * count + 1 + sum(len(r.frames) for r in known.rides)) * POSE_SIZE
            + _SHIFT * len(known.touches)
        )

    def solved(self) -> _Found:
        """The solution of the system."""
        self._measured()
        self._errors()
        self._steady()
        for rest in self._known.rests:
            self._resting(rest)
        first, every = int(self._offset[-1]) + 1, []
        for ride, lain in zip(self._known.rides, self._before.grips):
            grips = first + np.arange(len(ride.frames) * POSE_SIZE).reshape(-1, POSE_SIZE)
            first += grips.size
            every.append(grips)
            self._riding(ride, grips, lain)
        for touch in self._known.touches:
            self._touching(touch, first + np.arange(_SHIFT))
            first += _SHIFT
        found = self._rows.solve()
        slow = found[self._drifts] + found[self._offset]
        return _Found(found[self._moves], slow, [found[grips] for grips in every])

    def _measured(self) -> None:
        """A measured pose is the true one, off by what stays, drifts and trembles."""
        known, o = self._known, self._options
        at = np.flatnonzero(known.valid)
        off = _apart(known.measured[at], self._poses[at], known.center)
        total = o.slow * known.jitter
        square = np.sum(((off - self._before.slow[at]) / total) ** 2, axis=1)
        trust = np.sqrt(robust(square, "geman-mcclure", o.reach)[1])
        slope = -trust[:, None, None] * np.diag(1.0 / known.jitter)
        self._rows.add(
            trust[:, None] * off / known.jitter,
            (self._moves[at], slope),
            (self._drifts[at], slope),
            (np.broadcast_to(self._offset, (len(at), POSE_SIZE)), slope),
        )

    def _errors(self) -> None:
        """What stays is as large as is likely, and what drifts forgets what it was."""
        o, jitter = self._options, self._known.jitter
        variance = (o.slow**2 - 1.0) * jitter**2
        stays, drifts = np.sqrt(o.persists * variance), np.sqrt((1.0 - o.persists) * variance)
        nothing = np.zeros((1, POSE_SIZE))
        self._rows.add(nothing, (self._offset[None], np.diag(1.0 / stays)))
        self._rows.add(nothing, (self._drifts[:1], np.diag(1.0 / drifts)))
        kept = np.exp(-np.diff(self._known.times) / o.drift)
        new = 1.0 / (np.sqrt(1.0 - kept**2)[:, None] * drifts)
        after = new[:, :, None] * _EYE
        self._rows.add(
            np.zeros((len(kept), POSE_SIZE)),
            (self._drifts[1:], after),
            (self._drifts[:-1], -kept[:, None, None] * after),
        )

    def _steady(self) -> None:
        """Objects move steadily: accelerations are small, but for a few."""
        smooth, count = self._options.solver, len(self._poses)
        triples = Triples.of(self._known.times, np.zeros(count, np.intp))
        middle, before, after = triples.middle, triples.before, triples.after
        half = 0.5 * (before + after)
        centers = self._poses[:, :3, :3] @ self._known.center + self._poses[:, :3, 3]
        pairs = zip(
            accelerations(self._poses[:, :3, :3], centers, triples),
            (smooth.acceleration_sigma, smooth.angular_acceleration_sigma),
        )
        for number, (found, sigma) in enumerate(pairs):
            axes = slice(number * _SHIFT, (number + 1) * _SHIFT)
            scaled = found / sigma
            trust = np.sqrt(robust(np.sum(scaled**2, -1), smooth.kernel, smooth.reach)[1])
            slope = (trust / sigma / half)[:, None, None] * np.eye(_SHIFT)
            self._rows.add(
                trust[:, None] * scaled,
                (self._moves[middle - 1, axes], slope / before[:, None, None]),
                (self._moves[middle, axes], -slope * (1.0 / before + 1.0 / after)[:, None, None]),
                (self._moves[middle + 1, axes], slope / after[:, None, None]),
            )

    def _resting(self, rest: Resting) -> None:
        """What rests does not move, and stands on the table where that is known."""
        o, every = self._options, np.arange(rest.first, rest.stop)
        firm = np.diag(np.repeat([1.0 / o.rest_shift, 1.0 / o.rest_turn], _SHIFT))
        moved = _apart(self._poses[every[1:]], self._poses[every[:-1]], self._known.center)
        self._rows.add(
            moved @ firm, (self._moves[every[1:]], firm[None]), (self._moves[every[:-1]], -firm[None])
        )
        if rest.stands is not None:
            share = 1.0 / np.sqrt(len(every))
            off = _apart(self._poses[every], rest.stands[None], self._known.center)
            self._rows.add(share * off @ rest.known.T, (self._moves[every], share * rest.known[None]))

    def _riding(self, ride: Ride, grips: Frames, lain: Array) -> None:
        """A hand tells where the object is, but for how it lies on it, which changes slowly, or plainly at times."""
        root = np.linalg.inv(np.linalg.cholesky(ride.spread))
        off = np.einsum("nij,nj->ni", root, ride.off(self._poses))
        self._rows.add(-off, (self._moves[ride.frames], root), (grips, -root))
        free = np.full((1, POSE_SIZE), 1.0 / _FREE)
        self._rows.add(np.zeros((1, POSE_SIZE)), (grips[:1], free[..., None] * _EYE))
        way = np.diff(lain, axis=0) / np.sqrt(ride.walked[1:])
        trust = np.sqrt(robust(np.sum(way**2, 1), "geman-mcclure", self._options.regrip)[1])
        change = (trust[:, None] * ride.walked[1:] ** -0.5)[..., None] * _EYE
        self._rows.add(np.zeros((len(grips) - 1, POSE_SIZE)), (grips[1:], change), (grips[:-1], -change))

    def _touching(self, touch: Touch, shift: Frames) -> None:
        """The hand as a whole is off, and where it touches, it lies on the object."""
        root, residual = touch.rows(self._poses)
        at = touch.frames
        self._rows.add(
            residual,
            (self._moves[at], root),
            (np.broadcast_to(shift, (len(at), _SHIFT)), -root[:, :, :_SHIFT]),
        )
        self._rows.add(np.zeros((1, _SHIFT)), (shift[None], np.eye(_SHIFT)[None] / touch.off))


def _apart(poses: Array, others: Array, center: Array) -> Array:
    """(N, 6) twists (v, w) about a centre that move the others to the poses (N, 4, 4)."""
    change = poses - others
    turn = so3_log(poses[:, :3, :3] @ np.swapaxes(others[:, :3, :3], 1, 2))
    return np.concatenate([change[:, :3, :3] @ center + change[:, :3, 3], turn], 1)
