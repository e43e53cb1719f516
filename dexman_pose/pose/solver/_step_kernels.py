"""Warp kernel that turns summed normal equations into the next step of Levenberg-Marquardt, one thread a hypothesis."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors
# ruff: noqa: UP018, RUF046

from __future__ import annotations

from dexman_pose.pose.solver._dense_kernels import (
    AREA,
    COLOR,
    COST,
    COUNT,
    DEPTH,
    HITS,
    INTRINSICS,
    ONE,
    POINTS,
    SILHOUETTE,
    SLOT,
    SQUARES,
    STATE,
    TERMS,
    TRIANGLE,
    UNKNOWNS,
    ZERO,
)
from dexman_pose.render._warp import wp

SYSTEM = TRIANGLE + UNKNOWNS
PRIOR = 20
"""Numbers of a prior: rotation, centre, information of translation and rotation, log-scales, information of scale and
focal length, spare."""

REPORT = 10
"""Numbers of a report: cost, damping, steps, whether at rest, overlap, known pixels drawn, pixels drawn, outline
squares, outline count, share of points that agree."""

TURN_LIMIT = wp.constant(wp.float64(0.35))
STRETCH_LIMIT = wp.constant(wp.float64(0.2))
SMALL_SHIFT = wp.constant(wp.float64(1.0e-4))
SMALL_TURN = wp.constant(wp.float64(2.0e-4))
NOTHING = wp.constant(wp.float64(1.0e6))
GIVE_UP = wp.constant(wp.float64(1.0e3))


@wp.func
def rotation_log(r: wp.mat33d) -> wp.vec3d:
    """Rotation vector of a matrix, for the small to moderate turns of a prior."""
    v = wp.vec3d(r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]) * wp.float64(0.5)
    s = wp.length(v)
    c = (r[0, 0] + r[1, 1] + r[2, 2] - ONE) * wp.float64(0.5)
    if s < wp.float64(1.0e-9):
        return v
    return v * (wp.atan2(s, c) / s)


@wp.func
def rotation_exp(w: wp.vec3d) -> wp.mat33d:
    """Rotation matrix of a rotation vector (Rodrigues)."""
    t = wp.length(w)
    a = ONE - t * t / wp.float64(6.0)
    b = wp.float64(0.5) - t * t / wp.float64(24.0)
    if t > wp.float64(1.0e-4):
        a = wp.sin(t) / t
        h = wp.sin(t * wp.float64(0.5)) / t
        b = wp.float64(2.0) * h * h
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
def load_rotation(values: wp.array(dtype=wp.float64), at: int) -> wp.mat33d:
    """A rotation stored row by row."""
    return wp.mat33d(
        values[at],
        values[at + 1],
        values[at + 2],
        values[at + 3],
        values[at + 4],
        values[at + 5],
        values[at + 6],
        values[at + 7],
        values[at + 8],
    )


@wp.func
def write_projection(
    state: wp.array(dtype=wp.float64),
    pose: int,
    middle: wp.vec3d,
    views: wp.array(dtype=wp.float64),
    view: int,
    out: wp.array(dtype=wp.float64),
    at: int,
):
    """The 3x4 matrix K [R S | c - R S middle] of a state."""
    factor = wp.exp(state[pose + 15])
    fx = views[view] * factor
    fy = views[view + 1] * factor
    cx = views[view + 2]
    cy = views[view + 3]
    m = wp.mat33d()
    for i in range(3):
        for j in range(3):
            m[i, j] = state[pose + 3 * i + j] * wp.exp(state[pose + 12 + j])
    t = wp.vec3d(state[pose + 9], state[pose + 10], state[pose + 11]) - m * middle
    for j in range(3):
        out[at + j] = fx * m[0, j] + cx * m[2, j]
        out[at + 4 + j] = fy * m[1, j] + cy * m[2, j]
        out[at + 8 + j] = m[2, j]
    out[at + 3] = fx * t[0] + cx * t[2]
    out[at + 7] = fy * t[1] + cy * t[2]
    out[at + 11] = t[2]


@wp.kernel(enable_backward=False)
def project_states(
    state: wp.array(dtype=wp.float64),
    middle: wp.vec3d,
    view_of: wp.array(dtype=wp.int32),
    views: wp.array(dtype=wp.float64),
    projection: wp.array(dtype=wp.float64),
):
    """Projection matrices of all states."""
    b = wp.tid()
    write_projection(state, b * STATE, middle, views, view_of[b] * INTRINSICS, projection, b * 12)


@wp.func
def add_scaled(
    system: wp.array(dtype=wp.float64),
    to: int,
    slots: wp.array(dtype=wp.float64),
    start: int,
    factor: wp.float64,
):
    """Add a term's normal equations, weighted."""
    for k in range(SYSTEM):
        system[to + k] += factor * slots[start + k]


@wp.kernel(enable_backward=False)
def gather_terms(
    slots: wp.array(dtype=wp.float64),
    stride: int,
    view_of: wp.array(dtype=wp.int32),
    wanted: wp.array(dtype=wp.float64),
    weights: wp.array(dtype=wp.float64),
    system: wp.array(dtype=wp.float64),
    trial: wp.array(dtype=wp.float64),
):
    """Add up the slots of a hypothesis and the terms with their weights; empties the slots.

    ``weights``: outline weight, depth weight, depth reach, whether the outline counts; ``wanted`` per view: pixels of
    measured depth. ``trial``: as a report, of the candidate.
    """
    b = wp.tid()
    slot = b * stride * TERMS * SLOT
    for s in range(1, stride):
        other = slot + s * TERMS * SLOT
        for k in range(TERMS * SLOT):
            slots[slot + k] += slots[other + k]
            slots[other + k] = ZERO
    to = b * SYSTEM
    for k in range(SYSTEM):
        system[to + k] = ZERO
    cost = ZERO
    sil = slot + SILHOUETTE * SLOT
    dep = slot + DEPTH * SLOT
    count = slots[sil + COUNT]
    if weights[3] > ZERO:
        # Neighbouring points of an outline err together: a long outline weighs no more than 400 points.
        share = weights[0] * wp.min(count, wp.float64(400.0)) / wp.max(count, ONE)
        add_scaled(system, to, slots, sil, share)
        cost += share * slots[sil + COST]
        if slots[dep + AREA] == ZERO:
            cost += NOTHING
    aim = wanted[view_of[b]]
    if aim > ZERO:
        # The weight rests on what was measured, not on what happens to be covered: covering less is not cheaper.
        share = weights[1] * wp.min(ONE, wp.float64(2000.0) / aim)
        add_scaled(system, to, slots, dep, share)
        cost += share * (slots[dep + COST] + weights[2] * weights[2] * wp.max(aim - slots[dep + COUNT], ZERO))
    for k in range(POINTS, COLOR + 1):
        add_scaled(system, to, slots, slot + k * SLOT, ONE)
        cost += slots[slot + k * SLOT + COST]
    t = b * REPORT
    trial[t] = cost
    trial[t + 4] = slots[sil + HITS]
    trial[t + 5] = slots[sil + AREA]
    trial[t + 6] = slots[dep + AREA]
    trial[t + 7] = slots[sil + SQUARES]
    trial[t + 8] = count
    places = slots[slot + POINTS * SLOT + COUNT] + slots[slot + COLOR * SLOT + COUNT]
    agreeing = slots[slot + POINTS * SLOT + HITS] + slots[slot + COLOR * SLOT + HITS]
    trial[t + 9] = agreeing / wp.max(places, ONE)
    for k in range(TERMS * SLOT):
        slots[slot + k] = ZERO


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
                value = value * (ONE + damping) + wp.float64(1.0e-9)
            for k in range(j):
                value -= factor[f + i * UNKNOWNS + k] * factor[f + j * UNKNOWNS + k]
            if i == j:
                factor[f + i * UNKNOWNS + j] = wp.sqrt(wp.max(value, wp.float64(1.0e-12)))
            else:
                factor[f + i * UNKNOWNS + j] = value / factor[f + j * UNKNOWNS + j]
    for i in range(n):
        value = system[at + TRIANGLE + i]
        for k in range(i):
            value -= factor[f + i * UNKNOWNS + k] * step[s + k]
        step[s + i] = value / factor[f + i * UNKNOWNS + i]
    for r in range(n):
        i = n - 1 - r
        value = step[s + i]
        for k in range(i + 1, n):
            value -= factor[f + k * UNKNOWNS + i] * step[s + k]
        step[s + i] = value / factor[f + i * UNKNOWNS + i]


@wp.kernel(enable_backward=False)
def step_states(
    trial: wp.array(dtype=wp.float64),
    trial_system: wp.array(dtype=wp.float64),
    prior: wp.array(dtype=wp.float64),
    weights: wp.array(dtype=wp.float64),
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
    """Accept or reject the candidate, then write the next one and its projection.

    A hypothesis at rest gets an all-zero projection, which the rasteriser skips.
    """
    b = wp.tid()
    t = b * REPORT
    pose = b * STATE
    sys = b * SYSTEM
    p = b * PRIOR
    out = b * 12
    if first == 0 and report[t + 3] != ZERO:
        for k in range(12):
            projection[out + k] = ZERO
        return
    n = 6 + scales + focal
    cost = trial[t]
    # The priors join the evidence.
    shift = wp.vec3d(
        candidate[pose + 9] - prior[p + 9],
        candidate[pose + 10] - prior[p + 10],
        candidate[pose + 11] - prior[p + 11],
    )
    turn = rotation_log(load_rotation(candidate, pose) * wp.transpose(load_rotation(prior, p)))
    cost += prior[p + 12] * wp.dot(shift, shift) + prior[p + 13] * wp.dot(turn, turn)
    stretch_cost = ZERO
    for k in range(3):
        d = candidate[pose + 12 + k] - prior[p + 14 + k]
        if scales == 3 or (scales == 1 and k == 0):
            stretch_cost += prior[p + 17] * d * d
    if focal != 0:
        stretch_cost += prior[p + 18] * candidate[pose + 15] * candidate[pose + 15]
    cost += stretch_cost
    better = first != 0 or cost < report[t]
    small_gain = int(0)
    if better:
        if first == 0:
            gain = report[t] - cost
            if gain < weights[4] * report[t] + wp.float64(1.0e-6):
                small_gain = 1
            report[t + 1] = wp.max(report[t + 1] * wp.float64(0.3), wp.float64(1.0e-6))
        report[t] = cost
        for k in range(4, REPORT):
            report[t + k] = trial[t + k]
        for k in range(STATE):
            best[pose + k] = candidate[pose + k]
        for k in range(SYSTEM):
            best_system[sys + k] = trial_system[sys + k]
            evidence_system[sys + k] = trial_system[sys + k]
        for k in range(3):
            i = k * (k + 1) // 2 + k
            best_system[sys + i] += prior[p + 12]
            best_system[sys + TRIANGLE + k] -= prior[p + 12] * shift[k]
            j = (k + 3) * (k + 4) // 2 + k + 3
            best_system[sys + j] += prior[p + 13]
            best_system[sys + TRIANGLE + 3 + k] -= prior[p + 13] * turn[k]
        for k in range(scales):
            i = (k + 6) * (k + 7) // 2 + k + 6
            best_system[sys + i] += prior[p + 17]
            best_system[sys + TRIANGLE + 6 + k] -= prior[p + 17] * (
                candidate[pose + 12 + k] - prior[p + 14 + k]
            )
        if focal != 0:
            k = 6 + scales
            best_system[sys + k * (k + 1) // 2 + k] += prior[p + 18]
            best_system[sys + TRIANGLE + k] -= prior[p + 18] * candidate[pose + 15]
    else:
        report[t + 1] = report[t + 1] * wp.float64(10.0)
        if report[t + 1] > GIVE_UP:
            report[t + 3] = ONE
    if small_gain != 0:
        report[t + 3] = ONE
    if report[t + 3] == ZERO:
        s = b * UNKNOWNS
        solve_damped(best_system, sys, n, report[t + 1], factor, b * UNKNOWNS * UNKNOWNS, step, s)
        report[t + 2] += ONE
        v = wp.vec3d(step[s], step[s + 1], step[s + 2])
        w = wp.vec3d(step[s + 3], step[s + 4], step[s + 5])
        most = ZERO
        for k in range(6, n):
            most = wp.max(most, wp.abs(step[s + k]))
        reach = wp.max(wp.abs(v[0]), wp.max(wp.abs(v[1]), wp.abs(v[2])))
        bend = wp.max(wp.abs(w[0]), wp.max(wp.abs(w[1]), wp.abs(w[2])))
        if reach < SMALL_SHIFT * best[pose + 11] and bend < SMALL_TURN and most < SMALL_TURN:
            report[t + 3] = ONE
        else:
            limit = wp.min(ONE, TURN_LIMIT / wp.max(wp.length(w), wp.float64(1.0e-12)))
            limit = wp.min(limit, STRETCH_LIMIT / wp.max(most, wp.float64(1.0e-12)))
            # A step that would pass the camera is shortened, not refused.
            fall = -v[2] * limit
            if fall > wp.float64(0.5) * best[pose + 11]:
                limit = limit * wp.float64(0.5) * best[pose + 11] / fall
            rotation = rotation_exp(w * limit) * load_rotation(best, pose)
            for i in range(3):
                for j in range(3):
                    candidate[pose + 3 * i + j] = rotation[i, j]
                candidate[pose + 9 + i] = best[pose + 9 + i] + v[i] * limit
                candidate[pose + 12 + i] = best[pose + 12 + i]
            candidate[pose + 15] = best[pose + 15]
            if scales == 1:
                for i in range(3):
                    candidate[pose + 12 + i] += step[s + 6] * limit
            elif scales == 3:
                for i in range(3):
                    candidate[pose + 12 + i] += step[s + 6 + i] * limit
            if focal != 0:
                candidate[pose + 15] += step[s + 6 + scales] * limit
    if report[t + 3] != ZERO:
        for k in range(12):
            projection[out + k] = ZERO
    else:
        write_projection(candidate, pose, middle, views, view_of[b] * INTRINSICS, projection, out)
