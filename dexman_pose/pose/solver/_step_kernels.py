"""Warp kernels that turn summed normal equations into the next step of Levenberg-Marquardt, one thread a hypothesis."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.pose.solver._layout import (
    POSE,
    UNKNOWNS,
    Prior,
    Projection,
    Report,
    State,
    StepLimits,
    System,
    TermWeights,
)
from dexman_pose.pose.solver._projection_kernels import write_nothing, write_projection
from dexman_pose.pose.solver._residual_kernels import HALF, ONE, ZERO, center_of, rotation_of

SIX = wp.constant(wp.float64(6.0))
TWENTY_FOUR = wp.constant(wp.float64(24.0))
"""Denominators of the series of sine and cosine."""

NO_ANGLE = wp.constant(wp.float64(1.0e-9))
"""Radians below which a rotation vector is read off the matrix without its arc tangent."""

SMALL_ANGLE = wp.constant(wp.float64(1.0e-4))
"""Radians up to which the series are exact to the last bit."""

TWO = wp.constant(wp.float64(2.0))

RIDGE = wp.constant(wp.float64(1.0e-9))
"""Added to the diagonal of the normal matrix, for unknowns without a residual."""

LEAST_PIVOT = wp.constant(wp.float64(1.0e-12))
TINY = wp.constant(wp.float64(1.0e-12))
"""Lengths are divided by no less than this."""


@wp.func
def rotation_log(r: wp.mat33d) -> wp.vec3d:
    """Rotation vector of a matrix, for the small to moderate turns of a prior."""
    v = wp.vec3d(r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]) * HALF
    s = wp.length(v)
    c = (r[0, 0] + r[1, 1] + r[2, 2] - ONE) * HALF
    if s < NO_ANGLE:
        return v
    return v * (wp.atan2(s, c) / s)


@wp.func
def rotation_exp(w: wp.vec3d) -> wp.mat33d:
    """Rotation matrix of a rotation vector (Rodrigues)."""
    t = wp.length(w)
    a = ONE - t * t / SIX
    b = HALF - t * t / TWENTY_FOUR
    if t > SMALL_ANGLE:
        a = wp.sin(t) / t
        h = wp.sin(t * HALF) / t
        b = TWO * h * h
    x = w[0]
    y = w[1]
    z = w[2]
    return wp.mat33d(
        ONE - b * (y * y + z * z),
        b * x * y - a * z,
        b * x * z + a * y,
        b * x * y + a * z,
        ONE - b * (x * x + z * z),
        b * y * z - a * x,
        b * x * z - a * y,
        b * y * z + a * x,
        ONE - b * (x * x + y * y),
    )


@wp.func
def solve_damped(
    system: wp.array(dtype=wp.float64),
    at: int,
    n: int,
    damping: wp.float64,
    factor: wp.array(dtype=wp.float64),
    f: int,
    step: wp.array(dtype=wp.float64),
    s: int,
):
    """Cholesky solution of the damped normal equations into ``step``."""
    for i in range(n):
        for j in range(i + 1):
            value = system[at + i * (i + 1) // 2 + j]
            if i == j:
                value = value * (ONE + damping) + RIDGE
            for k in range(j):
                value -= factor[f + i * UNKNOWNS + k] * factor[f + j * UNKNOWNS + k]
            if i == j:
                factor[f + i * UNKNOWNS + j] = wp.sqrt(wp.max(value, LEAST_PIVOT))
            else:
                factor[f + i * UNKNOWNS + j] = value / factor[f + j * UNKNOWNS + j]
    for i in range(n):
        value = system[at + System.RIGHT + i]
        for k in range(i):
            value -= factor[f + i * UNKNOWNS + k] * step[s + k]
        step[s + i] = value / factor[f + i * UNKNOWNS + i]
    for r in range(n):
        i = n - 1 - r
        value = step[s + i]
        for k in range(i + 1, n):
            value -= factor[f + k * UNKNOWNS + i] * step[s + k]
        step[s + i] = value / factor[f + i * UNKNOWNS + i]


@wp.func
def diagonal(i: int) -> int:
    """Place of a diagonal number in a packed lower triangle."""
    return i * (i + 1) // 2 + i


@wp.func
def shift_from(
    prior: wp.array(dtype=wp.float64), p: int, state: wp.array(dtype=wp.float64), pose: int
) -> wp.vec3d:
    """Metres of a state's centre from that of a prior."""
    return center_of(state, pose) - wp.vec3d(
        prior[p + Prior.CENTER], prior[p + Prior.CENTER + 1], prior[p + Prior.CENTER + 2]
    )


@wp.func
def turn_from(
    prior: wp.array(dtype=wp.float64), p: int, state: wp.array(dtype=wp.float64), pose: int
) -> wp.vec3d:
    """Rotation vector from a prior's rotation to a state's."""
    return rotation_log(rotation_of(state, pose) * wp.transpose(rotation_of(prior, p)))


@wp.func
def pose_prior_cost(prior: wp.array(dtype=wp.float64), p: int, shift: wp.vec3d, turn: wp.vec3d) -> wp.float64:
    """What a prior charges for a pose that lies so far from it."""
    by_shift = prior[p + Prior.TRANSLATION_INFORMATION] * wp.dot(shift, shift)
    return by_shift + prior[p + Prior.ROTATION_INFORMATION] * wp.dot(turn, turn)


@wp.func
def size_prior_cost(
    prior: wp.array(dtype=wp.float64),
    p: int,
    state: wp.array(dtype=wp.float64),
    pose: int,
    scales: int,
    focal: int,
) -> wp.float64:
    """What a prior charges for the unknown scales and focal length."""
    cost = ZERO
    for k in range(3):
        d = state[pose + State.LOG_SCALE + k]
        if scales == 3 or (scales == 1 and k == 0):
            cost += prior[p + Prior.SCALE_INFORMATION] * d * d
    if focal != 0:
        d = state[pose + State.LOG_FOCAL]
        cost += prior[p + Prior.FOCAL_INFORMATION] * d * d
    return cost


@wp.func
def add_priors(
    prior: wp.array(dtype=wp.float64),
    p: int,
    shift: wp.vec3d,
    turn: wp.vec3d,
    state: wp.array(dtype=wp.float64),
    pose: int,
    scales: int,
    focal: int,
    system: wp.array(dtype=wp.float64),
    sys: int,
):
    """The priors join the evidence in the normal equations."""
    right = sys + System.RIGHT
    by_shift = prior[p + Prior.TRANSLATION_INFORMATION]
    by_turn = prior[p + Prior.ROTATION_INFORMATION]
    for k in range(3):
        system[sys + diagonal(k)] += by_shift
        system[right + k] -= by_shift * shift[k]
        system[sys + diagonal(k + 3)] += by_turn
        system[right + 3 + k] -= by_turn * turn[k]
    by_scale = prior[p + Prior.SCALE_INFORMATION]
    for k in range(scales):
        system[sys + diagonal(k + POSE)] += by_scale
        system[right + POSE + k] -= by_scale * state[pose + State.LOG_SCALE + k]
    if focal != 0:
        k = POSE + scales
        system[sys + diagonal(k)] += prior[p + Prior.FOCAL_INFORMATION]
        system[right + k] -= prior[p + Prior.FOCAL_INFORMATION] * state[pose + State.LOG_FOCAL]


@wp.func
def copy_numbers(
    source: wp.array(dtype=wp.float64), target: wp.array(dtype=wp.float64), at: int, first: int, end: int
):
    """Copy the numbers ``first`` to ``end`` of a row that begins at ``at`` in both arrays."""
    for k in range(first, end):
        target[at + k] = source[at + k]


@wp.func
def is_rest(
    step: wp.array(dtype=wp.float64), s: int, stretch: wp.float64, distance: wp.float64, limits: StepLimits
) -> bool:
    """Whether a step is too small to matter; ``stretch`` is its largest change of a log-scale or focal length."""
    shift = wp.max(wp.abs(step[s]), wp.max(wp.abs(step[s + 1]), wp.abs(step[s + 2])))
    w = s + 3
    turn = wp.max(wp.abs(step[w]), wp.max(wp.abs(step[w + 1]), wp.abs(step[w + 2])))
    return shift < limits.rest_shift * distance and turn < limits.rest_turn and stretch < limits.rest_turn


@wp.func
def write_candidate(
    step: wp.array(dtype=wp.float64),
    s: int,
    stretch: wp.float64,
    scales: int,
    focal: int,
    limits: StepLimits,
    best: wp.array(dtype=wp.float64),
    candidate: wp.array(dtype=wp.float64),
    pose: int,
):
    """The best state moved by a step, which is shortened where it is longer than can be trusted."""
    v = wp.vec3d(step[s], step[s + 1], step[s + 2])
    at = s + 3
    w = wp.vec3d(step[at], step[at + 1], step[at + 2])
    limit = wp.min(ONE, limits.most_turn / wp.max(wp.length(w), TINY))
    limit = wp.min(limit, limits.most_stretch / wp.max(stretch, TINY))
    # A step that would pass the camera is shortened, not refused.
    fall = -v[2] * limit
    distance = best[pose + State.CENTER + 2]
    if fall > limits.most_approach * distance:
        limit = limit * limits.most_approach * distance / fall
    rotation = rotation_exp(w * limit) * rotation_of(best, pose)
    by_scale = s + POSE
    for i in range(3):
        for j in range(3):
            candidate[pose + State.ROTATION + 3 * i + j] = rotation[i, j]
        candidate[pose + State.CENTER + i] = best[pose + State.CENTER + i] + v[i] * limit
        scale = best[pose + State.LOG_SCALE + i]
        if scales == 1:
            scale += step[by_scale] * limit
        elif scales == 3:
            scale += step[by_scale + i] * limit
        candidate[pose + State.LOG_SCALE + i] = scale
    log_focal = best[pose + State.LOG_FOCAL]
    if focal != 0:
        log_focal += step[by_scale + scales] * limit
    candidate[pose + State.LOG_FOCAL] = log_focal


@wp.func
def step_state(
    b: int,
    trial: wp.array(dtype=wp.float64),
    trial_system: wp.array(dtype=wp.float64),
    prior: wp.array(dtype=wp.float64),
    term_weights: wp.array(dtype=TermWeights),
    limits: StepLimits,
    middle: wp.vec3d,
    view_of: wp.array(dtype=wp.int32),
    views: wp.array(dtype=wp.float64),
    scales: int,
    focal: int,
    first: int,
    candidate: wp.array(dtype=wp.float64),
    best: wp.array(dtype=wp.float64),
    best_system: wp.array(dtype=wp.float64),
    evidence_system: wp.array(dtype=wp.float64),
    report: wp.array(dtype=wp.float64),
    factor: wp.array(dtype=wp.float64),
    step: wp.array(dtype=wp.float64),
    projection: wp.array(dtype=wp.float64),
):
    """Take a step of hypothesis ``b``; see :func:`step_states`."""
    weights = term_weights[0]
    t = b * Report.SIZE
    rest = t + Report.AT_REST
    out = b * Projection.SIZE
    if first == 0 and report[rest] != ZERO:
        write_nothing(projection, out)
        return
    pose = b * State.SIZE
    sys = b * System.SIZE
    p = b * Prior.SIZE
    damping = t + Report.DAMPING
    cost = trial[t + Report.COST]
    shift = shift_from(prior, p, candidate, pose)
    turn = turn_from(prior, p, candidate, pose)
    cost += pose_prior_cost(prior, p, shift, turn)
    cost += size_prior_cost(prior, p, candidate, pose, scales, focal)
    before = report[t + Report.COST]
    if first != 0:
        report[t + Report.FIRST_HITS] = trial[t + Report.HITS]
        report[t + Report.FIRST_DRAWN] = trial[t + Report.DRAWN]
    if first != 0 or cost < before:
        if first == 0:
            if before - cost < weights.small_gain * before + limits.least_gain:
                report[rest] = ONE
            report[damping] = wp.max(report[damping] * limits.damping_fall, limits.least_damping)
        report[t + Report.COST] = cost
        copy_numbers(trial, report, t, Report.SEEN, Report.SIZE)
        copy_numbers(candidate, best, pose, 0, State.SIZE)
        copy_numbers(trial_system, best_system, sys, 0, System.SIZE)
        copy_numbers(trial_system, evidence_system, sys, 0, System.SIZE)
        add_priors(prior, p, shift, turn, candidate, pose, scales, focal, best_system, sys)
    else:
        report[damping] = report[damping] * limits.damping_rise
        if report[damping] > limits.most_damping:
            report[rest] = ONE
    if report[rest] == ZERO:
        n = POSE + scales + focal
        s = b * UNKNOWNS
        solve_damped(best_system, sys, n, report[damping], factor, b * UNKNOWNS * UNKNOWNS, step, s)
        report[t + Report.STEPS] += ONE
        stretch = ZERO
        for k in range(POSE, n):
            stretch = wp.max(stretch, wp.abs(step[s + k]))
        if is_rest(step, s, stretch, best[pose + State.CENTER + 2], limits):
            report[rest] = ONE
        else:
            write_candidate(step, s, stretch, scales, focal, limits, best, candidate, pose)
    if report[rest] != ZERO:
        write_nothing(projection, out)
    else:
        write_projection(candidate, pose, middle, views, view_of[b], projection, out)


@wp.kernel(enable_backward=False)
def step_states(
    trial: wp.array(dtype=wp.float64),
    trial_system: wp.array(dtype=wp.float64),
    prior: wp.array(dtype=wp.float64),
    term_weights: wp.array(dtype=TermWeights),
    limits: StepLimits,
    middle: wp.vec3d,
    view_of: wp.array(dtype=wp.int32),
    views: wp.array(dtype=wp.float64),
    scales: int,
    focal: int,
    first: int,
    candidate: wp.array(dtype=wp.float64),
    best: wp.array(dtype=wp.float64),
    best_system: wp.array(dtype=wp.float64),
    evidence_system: wp.array(dtype=wp.float64),
    report: wp.array(dtype=wp.float64),
    factor: wp.array(dtype=wp.float64),
    step: wp.array(dtype=wp.float64),
    projection: wp.array(dtype=wp.float64),
):
    """Accept or reject the candidate, then write the next one and its projection."""
    step_state(
        wp.tid(),
        trial,
        trial_system,
        prior,
        term_weights,
        limits,
        middle,
        view_of,
        views,
        scales,
        focal,
        first,
        candidate,
        best,
        best_system,
        evidence_system,
        report,
        factor,
        step,
        projection,
    )
