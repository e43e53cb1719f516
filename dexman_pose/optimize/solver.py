"""All poses of one object and what they share (its scale, the focal length), solved together over the whole clip.

Minimised is the sum, over frames, of the evidence's robust cost, of the accelerations' robust cost and of the priors
on the shared unknowns, by Levenberg-Marquardt with a block-banded, bordered matrix: linear in the number of frames.
The evidence comes through :class:`FrameCosts`, so that rendered outlines, depth and point tracks can all be used.

Conventions of twists, costs and shared unknowns: :mod:`dexman_pose.optimize.types`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.optimize.arrow_system import POSE_SIZE, ArrowSystem
from dexman_pose.optimize.problem import ClipProblem, ClipState, bridge_gaps, move_poses, stretches
from dexman_pose.optimize.types import (
    ClipOptions,
    ClipSolution,
    DampingOptions,
    FrameCosts,
    FrameTerms,
    SharedUnknowns,
)

__all__ = [
    "ClipOptions",
    "ClipSolution",
    "FrameCosts",
    "FrameTerms",
    "SharedUnknowns",
    "bridge_gaps",
    "move_poses",
    "solve_clip",
    "stretches",
]


_MEND = 6  # evaluations for refining bridged places before they are compared
_ROUGH = 1e-3  # share of the cost that may be mere roughness
_NEGLIGIBLE = 1e-3  # share of what is enough to stop that a step must promise to be tried at all
_VAGUE = (1e-4, 1e-2, 1.0, 1e2)
"""Information added when covariances are taken, the first that works: what nobody measures is known to 100 m, rad."""


def solve_clip(
    costs: FrameCosts,
    poses: Array,
    valid: NDArray[np.bool_],
    center: Array,
    *,
    shared: SharedUnknowns | None = None,
    frame_times: Array | None = None,
    options: ClipOptions | None = None,
) -> ClipSolution:
    """Solve all poses of one object, and what they share, over the whole clip.

    Args:
        costs: the evidence.
        poses: (T, 4, 4) camera_from_object to start from; not read where not valid.
        valid: (T,) frames with evidence. Gaps up to ``options.max_gap`` are bridged by smoothness alone.
        center: (3,) the object's centre in its own frame, metres.
        shared: shared unknowns, None for none.
        frame_times: (T,) seconds, increasing; 30 frames a second when None.
        options: smoothness and limits.

    Returns:
        Poses, shared unknowns and their covariances.

    Raises:
        InputError: shapes do not fit, times do not increase, no frame is valid.
        EstimationError: the evidence is not finite at the start.
    """
    options = options or ClipOptions()
    shared = shared or SharedUnknowns.none()
    poses, valid = np.array(poses, np.float64), np.asarray(valid, bool)
    times = (
        np.arange(len(poses)) / options.frame_rate
        if frame_times is None
        else np.asarray(frame_times, np.float64)
    )
    center = np.asarray(center, np.float64)
    _check(poses, valid, center, times)
    problem = ClipProblem.of(costs, valid, center, times, shared, options)
    start = problem.evaluate(
        bridge_gaps(poses, valid, problem.stretch, center, times), np.array(shared.start, np.float64)
    )
    if not np.isfinite(start.cost):
        raise EstimationError(
            "The evidence's cost, gradient or Hessian is not finite at the poses given; check these poses and what "
            "FrameCosts.linearise returns for them"
        )
    state, evaluations, converged = _descend(problem, start, options, options.iterations)
    widest = options.max_gap if options.mend_gap is None else options.mend_gap
    for hole in (0, widest) if options.mend else ():
        mended, more = _mend(problem, state, options, hole, options.iterations - evaluations)
        evaluations += more
        if mended is None:
            continue
        state, more, converged = _descend(problem, mended, options, options.iterations - evaluations)
        evaluations += more
    return _finish(problem, state, poses, start.cost, evaluations, converged, options)


def _descend(
    problem: ClipProblem, state: ClipState, options: ClipOptions, budget: int
) -> tuple[ClipState, int, bool]:
    """Levenberg-Marquardt from a state on; every frame has its own damping, so that one bad frame slows no other."""
    rule = options.damping
    evaluations, rejected, hoped = 0, 0, np.inf
    damping = np.full(len(problem.frames), rule.start)
    while evaluations < budget:
        enough = options.tolerance + options.relative_tolerance * state.cost
        twists, change, promised = _step(state, damping, rule)
        free = rejected == 0 and bool(np.median(damping) < rule.free)
        hoped = promised if free else hoped
        if free and promised < _NEGLIGIBLE * enough:
            return state, evaluations, True
        trial = problem.step(state, twists, change)
        evaluations += 1
        worse = ~(trial.local <= state.local)
        if trial.cost < state.cost:
            gain, state, rejected = state.cost - trial.cost, trial, 0
            damping = np.maximum(np.where(worse, damping, rule.fall * damping), rule.least)
            if free and gain < enough:
                return state, evaluations, True
        else:
            rejected += 1
            damping = np.where(worse, rule.rise_worse, rule.rise) * damping
            if promised < enough or rejected == rule.refusals:
                # No step of any length helps. Rendered evidence is only nearly smooth: that is the end of the road
                # where an undamped step hoped for little, and a failure where it hoped for much.
                return state, evaluations, hoped < max(enough, _ROUGH * state.cost)
    return state, evaluations, False


def _mend(
    problem: ClipProblem, state: ClipState, options: ClipOptions, hole: int, budget: int
) -> tuple[ClipState | None, int]:
    """A better state with some torn places replaced, or None; and how many evaluations that took.

    Some frames may sit in a wrong minimum, a flipped pose say, that no descent leaves. Where the track jumps, it is
    tried bridged and refined anew; place by place the cheaper stays, so that what truly jumps goes on doing so. Up to
    ``hole`` frames between two jumps are tried with them: a flip and the flip back.
    """
    torn = problem.torn(state, hole)
    if not torn.any() or budget < 3:
        return None, 0
    trial, used, _ = _descend(problem, problem.bridged(state, torn), options, min(_MEND, budget - 2))
    place = np.cumsum(torn & ~np.append(False, torn[:-1])) * torn
    # The good frames on either side have accelerations that reach into the place.
    beside = np.maximum(place, np.maximum(np.append(place[1:], 0), np.append(0, place[:-1])))
    gain = np.bincount(beside, state.local - trial.local)
    better = torn & (gain[place] > options.tolerance)
    if not better.any():
        return None, used + 1
    poses = state.poses.copy()
    poses[problem.frames[better]] = trial.poses[problem.frames[better]]
    mixed = problem.evaluate(poses, state.shared)
    return (mixed if mixed.cost < state.cost else None), used + 2


def _step(state: ClipState, damping: Array, rule: DampingOptions) -> tuple[Array, Array, float]:
    """Step (N, 6), (S,) and the decrease of the cost that the quadratic model promises for it."""
    for _ in range(rule.repairs):
        shared_damping = float(np.exp(np.log(damping).mean()))
        try:
            twists, change = state.system.solve(damping, shared_damping)
        except np.linalg.LinAlgError:
            damping = rule.repair * damping + rule.repair_least
            continue
        slope = np.sum(twists * state.system.gradient) + change @ state.system.shared_gradient
        return twists, change, float(-2.0 * slope - state.system.quadratic(twists, change))
    raise EstimationError(
        "The clip's normal equations cannot be solved: the evidence's Hessians are not symmetric "
        "positive semi-definite; check FrameCosts.linearise"
    )


def _finish(
    problem: ClipProblem,
    state: ClipState,
    given: Array,
    before: float,
    evaluations: int,
    converged: bool,
    options: ClipOptions,
) -> ClipSolution:
    total = len(problem.stretch)
    frame_cost = np.zeros(total)
    frame_cost[problem.frames] = state.evidence
    covariance = shared_covariance = None
    if options.covariance:
        covariance = np.zeros((total, POSE_SIZE, POSE_SIZE))
        covariance[problem.frames], shared_covariance = _covariances(state.system)
    solved = problem.stretch >= 0
    return ClipSolution(
        np.where(solved[:, None, None], state.poses, given),
        state.shared,
        solved,
        before,
        state.cost,
        frame_cost,
        covariance,
        shared_covariance,
        evaluations,
        converged,
    )


def _covariances(system: ArrowSystem) -> tuple[Array, Array]:
    """Marginal covariances; Hessians summed in single precision need more than the usual vague information."""
    for vague in _VAGUE[:-1]:
        try:
            return system.covariance(vague)
        except np.linalg.LinAlgError:
            continue
    return system.covariance(_VAGUE[-1])


def _check(poses: Array, valid: NDArray[np.bool_], center: Array, times: Array) -> None:
    frames = len(poses)
    if poses.shape != (frames, 4, 4) or valid.shape != (frames,) or times.shape != (frames,):
        raise InputError(
            "solve_clip needs poses (T, 4, 4), valid (T,) and frame_times (T,), "
            f"but got {poses.shape}, {valid.shape} and {times.shape}"
        )
    if center.shape != (3,) or not np.isfinite(center).all():
        raise InputError(f"solve_clip needs a finite center (3,), but got {center.tolist()}")
    if not valid.any():
        raise InputError("solve_clip needs at least one valid frame, but none is")
    if not np.isfinite(poses[valid]).all():
        raise InputError("solve_clip needs finite poses in all valid frames; mark the others not valid")
    if not (np.diff(times) > 0).all():
        raise InputError("solve_clip needs frame_times in seconds that increase from frame to frame")
