"""Warp kernel of the steps of a round: residuals, their sum and the step in one launch, as often as wanted."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.pose.solver._gather_kernels import add_up_terms
from dexman_pose.pose.solver._layout import Report, StepLimits, TermWeights
from dexman_pose.pose.solver._point_kernels import add_sparse_terms
from dexman_pose.pose.solver._residual_kernels import ZERO
from dexman_pose.pose.solver._step_kernels import step_state


@wp.kernel(enable_backward=False)
def take_steps(
    count: int,
    first: int,
    middle: wp.vec3d,
    view_of: wp.array(dtype=wp.int32),
    views: wp.array(dtype=wp.float64),
    set_of: wp.array(dtype=wp.int32),
    sets: wp.array(dtype=wp.int32),
    kinds: wp.array(dtype=wp.int32),
    points: wp.array(dtype=wp.float64),
    targets: wp.array(dtype=wp.float64),
    code: wp.array(dtype=wp.uint8),
    gray: wp.array(dtype=wp.float32),
    wanted: wp.array(dtype=wp.float64),
    term_weights: wp.array(dtype=TermWeights),
    slots: wp.array(dtype=wp.float64),
    system: wp.array(dtype=wp.float64),
    trial: wp.array(dtype=wp.float64),
    prior: wp.array(dtype=wp.float64),
    limits: StepLimits,
    candidate: wp.array(dtype=wp.float64),
    best: wp.array(dtype=wp.float64),
    best_system: wp.array(dtype=wp.float64),
    evidence_system: wp.array(dtype=wp.float64),
    report: wp.array(dtype=wp.float64),
    factor: wp.array(dtype=wp.float64),
    step: wp.array(dtype=wp.float64),
    projection: wp.array(dtype=wp.float64),
):
    """Weigh the candidate and take the next step, up to ``count`` times; the ``first`` one is taken as it comes."""
    b = wp.tid()
    for k in range(count):
        begins = 0
        if k == 0:
            begins = first
        if begins != 0 or report[b * Report.SIZE + Report.AT_REST] == ZERO:
            add_sparse_terms(
                b,
                0,
                candidate,
                0,
                0,
                middle,
                view_of,
                views,
                set_of,
                sets,
                kinds,
                points,
                targets,
                code,
                gray,
                1,
                1,
                term_weights,
                1,
                slots,
            )
            add_up_terms(b, slots, 1, view_of, wanted, term_weights, system, trial)
            step_state(
                b,
                trial,
                system,
                prior,
                term_weights,
                limits,
                middle,
                view_of,
                views,
                0,
                0,
                begins,
                candidate,
                best,
                best_system,
                evidence_system,
                report,
                factor,
                step,
                projection,
            )
