"""The state of a whole-clip optimisation: which frames are unknown, and cost and normal equations at given poses."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp, so3_log
from dexman_pose.optimize.arrow_system import POSE_SIZE, ArrowSystem
from dexman_pose.optimize.smoothness import Smoothness, Triples, accelerations
from dexman_pose.optimize.types import ClipOptions, FrameCosts, FrameTerms, SharedUnknowns

Frames = NDArray[np.intp]

_STILL = 1e-12  # radians: turns below this are none, and nothing is divided by them
_LIMIT = 0.5  # radians, and log units, that one step may change
_TORN = 4.0  # accelerations beyond this many reaches are hardly a hand's: 24 m/s^2 or 240 rad/s^2 by default


def stretches(valid: Bools, max_gap: int) -> Frames:
    """(T,) number of the stretch a frame belongs to, -1 for none: before, after and in gaps over ``max_gap`` frames."""
    seen = np.nonzero(valid)[0]
    out = np.full(len(valid), -1, np.intp)
    parts = np.split(seen, np.nonzero(np.diff(seen) - 1 > max_gap)[0] + 1) if len(seen) else []
    for number, part in enumerate(parts):
        out[part[0] : part[-1] + 1] = number
    return out


def bridge_gaps(poses: Array, valid: Bools, stretch: Frames, center: Array, times: Array) -> Array:
    """(T, 4, 4) poses with those missing inside a stretch interpolated: steady motion of the centre, steady turn.

    Missing frames outside all stretches get a neighbour's pose, so that all are finite.
    """
    seen = np.nonzero(valid)[0]
    missing = np.nonzero(~valid & (stretch >= 0))[0]
    # Whatever stands in frames without evidence may be nonsense: the nearest frame before, else the first, will do.
    out = poses[seen[np.maximum(np.searchsorted(seen, np.arange(len(poses)), "right") - 1, 0)]]
    if len(missing) == 0:
        return out
    place = np.searchsorted(seen, missing)
    first, last = seen[place - 1], seen[place]
    share = ((times[missing] - times[first]) / (times[last] - times[first]))[:, None]
    start, end = poses[first, :3, :3], poses[last, :3, :3]
    rotation = so3_exp(share * so3_log(end @ np.swapaxes(start, -1, -2))) @ start
    middle = (1.0 - share) * _centers(poses[first], center) + share * _centers(poses[last], center)
    out[missing] = se3(rotation, middle - rotation @ center)
    return out


def move_poses(poses: Array, twists: Array, center: Array) -> Array:
    """Poses (N, 4, 4) moved by twists (N, 6) = (v, w): the centre by v, the rotation to ``exp(w) R`` about it."""
    rotation = so3_exp(twists[:, 3:]) @ poses[:, :3, :3]
    return se3(rotation, _centers(poses, center) + twists[:, :3] - rotation @ center)


def _centers(poses: Array, center: Array) -> Array:
    """(N, 3) the object's centre (3,) in the camera frame."""
    moved: Array = poses[:, :3, :3] @ center + poses[:, :3, 3]
    return moved


@dataclass
class ClipState:
    """Where the solver stands: the poses of the whole clip and everything evaluated there."""

    poses: Array
    shared: Array
    system: ArrowSystem
    local: Array = field(repr=False)  # (N,) cost by frame, smoothness counted with its middle frame
    evidence: Array = field(repr=False)  # (N,)
    cost: float


@dataclass(frozen=True)
class ClipProblem:
    """All that stays the same while solving. N frames of the clip's T are unknown: those in some stretch."""

    costs: FrameCosts
    center: Array
    times: Array  # (T,)
    shared: SharedUnknowns
    stretch: Frames  # (T,)
    frames: Frames  # (N,) of T
    seen: Bools  # (N,)
    smoothness: Smoothness

    @classmethod
    def of(
        cls,
        costs: FrameCosts,
        valid: Bools,
        center: Array,
        times: Array,
        shared: SharedUnknowns,
        options: ClipOptions,
    ) -> ClipProblem:
        stretch = stretches(valid, options.max_gap)
        frames = np.nonzero(stretch >= 0)[0]
        smoothness = Smoothness(
            Triples.of(times[frames], stretch[frames]),
            options.acceleration_sigma,
            options.angular_acceleration_sigma,
            options.kernel,
            options.reach,
            shared.growth,
            shared.prior_mean,
        )
        return cls(costs, center, times, shared, stretch, frames, valid[frames], smoothness)

    def evaluate(self, poses: Array, shared: Array) -> ClipState:
        """Cost and normal equations at poses (T, 4, 4) and shared unknowns (S,)."""
        terms = self.costs.linearise(poses, shared)
        size = POSE_SIZE + len(shared)
        _check_terms(terms, len(poses), size)
        keep = self.seen[:, None]
        hessian = np.where(keep[..., None], terms.hessian[self.frames], 0.0)
        gradient = np.where(keep, terms.gradient[self.frames], 0.0)
        evidence = np.where(self.seen, terms.cost[self.frames], 0.0)
        system = ArrowSystem.zeros(len(self.frames), len(shared))
        system.diagonal += hessian[:, :POSE_SIZE, :POSE_SIZE]
        system.border += hessian[:, :POSE_SIZE, POSE_SIZE:]
        system.corner += hessian[:, POSE_SIZE:, POSE_SIZE:].sum(0)
        system.gradient += gradient[:, :POSE_SIZE]
        system.shared_gradient += gradient[:, POSE_SIZE:].sum(0)
        local = evidence.copy()
        mine = poses[self.frames]
        centers = _centers(mine, self.center)
        self.smoothness.add(system, mine[:, :3, :3], centers, shared)
        local[self.smoothness.triples.middle] += self.smoothness.cost(mine[:, :3, :3], centers, shared)
        total = float(local.sum()) + self._add_priors(system, shared)
        # A callback may fail in the derivatives alone: such a state is no place to stand either.
        finite = np.isfinite(hessian).all() and np.isfinite(gradient).all()
        return ClipState(poses, shared, system, local, evidence, total if finite else np.inf)

    def _add_priors(self, system: ArrowSystem, shared: Array) -> float:
        information = 1.0 / np.square(self.shared.sigma)
        off = shared - self.shared.prior_mean
        system.corner += np.diag(information)
        system.shared_gradient += information * off
        return float(np.sum(information * off * off))

    def step(self, state: ClipState, twists: Array, change: Array) -> ClipState:
        """The state after twists (N, 6) and a change (S,) of the shared unknowns, each kept within its limit."""
        turn = np.linalg.norm(twists[:, 3:], axis=-1, keepdims=True)
        poses = state.poses.copy()
        limited = twists * np.minimum(1.0, _LIMIT / np.maximum(turn, _STILL))
        poses[self.frames] = move_poses(poses[self.frames], limited, self.center)
        return self.evaluate(poses, state.shared + np.clip(change, -_LIMIT, _LIMIT))

    def torn(self, state: ClipState, hole: int) -> Bools:
        """(N,) frames in and next to which the track accelerates beyond belief; ends of stretches never.

        Up to ``hole`` frames between two such places count as torn too.
        """
        mine, triples = state.poses[self.frames], self.smoothness.triples
        linear, angular = accelerations(mine[:, :3, :3], _centers(mine, self.center), triples)
        bound = _TORN * self.smoothness.reach
        beyond = np.linalg.norm(linear, axis=-1) > bound * self.smoothness.sigma
        beyond |= np.linalg.norm(angular, axis=-1) > bound * self.smoothness.angular_sigma
        out, inner = np.zeros(len(self.frames), bool), np.zeros(len(self.frames), bool)
        inner[triples.middle] = True
        for shift in (-1, 0, 1):
            out[triples.middle[beyond] + shift] = True
        places = np.nonzero(out)[0]
        for first, last in pairwise(places):
            out[first:last] |= last - first - 1 <= hole
        return out & inner

    def bridged(self, state: ClipState, away: Bools) -> ClipState:
        """The state with the frames ``away`` (N,) interpolated between the others."""
        trusted = np.zeros(len(self.stretch), bool)
        trusted[self.frames[~away]] = True
        poses = bridge_gaps(state.poses, trusted, self.stretch, self.center, self.times)
        return self.evaluate(poses, state.shared)


def _check_terms(terms: FrameTerms, frames: int, size: int) -> None:
    shapes = (np.shape(terms.hessian), np.shape(terms.gradient), np.shape(terms.cost))
    expected = ((frames, size, size), (frames, size), (frames,))
    if shapes != expected:
        raise InputError(
            f"FrameCosts.linearise must return hessian, gradient and cost of shapes {expected}, but got {shapes}"
        )
