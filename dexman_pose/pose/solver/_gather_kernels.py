"""Warp kernel that adds up the residual terms of a hypothesis: its normal equations, its cost and its report."""

# Kernels are written in Warp's own language: neither its types nor its argument lists are Python's.
# mypy: ignore-errors

from __future__ import annotations

from dexman_pose._warp import wp
from dexman_pose.pose.solver._layout import Report, Slot, System, Term, TermWeights
from dexman_pose.pose.solver._residual_kernels import ONE, ZERO

NOTHING = wp.constant(wp.float64(1.0e6))
"""Cost of a state that draws nothing: higher than that of any state that draws something."""


@wp.func
def add_scaled(
    system: wp.array(dtype=wp.float64),
    to: int,
    slots: wp.array(dtype=wp.float64),
    start: int,
    factor: wp.float64,
):
    """Add a term's normal equations, weighted."""
    for k in range(System.SIZE):
        system[to + k] += factor * slots[start + k]


@wp.func
def gather_threads(slots: wp.array(dtype=wp.float64), slot: int, stride: int):
    """Add the slots of a hypothesis' other threads to those of its first, and empty them."""
    size = int(Term.SIZE * Slot.SIZE)
    for s in range(1, stride):
        other = slot + s * size
        for k in range(size):
            slots[slot + k] += slots[other + k]
            slots[other + k] = ZERO


@wp.func
def report_terms(
    slots: wp.array(dtype=wp.float64), slot: int, cost: wp.float64, trial: wp.array(dtype=wp.float64), t: int
):
    """Write a report of what was counted."""
    sil = slot + Term.SILHOUETTE * Slot.SIZE
    dep = slot + Term.DEPTH * Slot.SIZE
    places = slot + Term.POINTS * Slot.SIZE
    colors = slot + Term.COLOR * Slot.SIZE
    trial[t + Report.COST] = cost
    trial[t + Report.HITS] = slots[sil + Slot.HITS]
    trial[t + Report.DRAWN] = slots[sil + Slot.AREA]
    trial[t + Report.AREA] = slots[dep + Slot.AREA]
    trial[t + Report.SQUARES] = slots[sil + Slot.SQUARES]
    trial[t + Report.OUTLINE] = slots[sil + Slot.COUNT]
    counted = slots[places + Slot.COUNT] + slots[colors + Slot.COUNT]
    agreeing = slots[places + Slot.HITS] + slots[colors + Slot.HITS]
    trial[t + Report.AGREEING] = agreeing / wp.max(counted, ONE)


@wp.func
def add_up_terms(
    b: int,
    slots: wp.array(dtype=wp.float64),
    stride: int,
    view_of: wp.array(dtype=wp.int32),
    wanted: wp.array(dtype=wp.float64),
    term_weights: wp.array(dtype=TermWeights),
    system: wp.array(dtype=wp.float64),
    trial: wp.array(dtype=wp.float64),
):
    """Add up the slots of hypothesis ``b``; see :func:`gather_terms`."""
    weights = term_weights[0]
    slot = b * stride * Term.SIZE * Slot.SIZE
    gather_threads(slots, slot, stride)
    to = b * System.SIZE
    for k in range(System.SIZE):
        system[to + k] = ZERO
    cost = ZERO
    sil = slot + Term.SILHOUETTE * Slot.SIZE
    dep = slot + Term.DEPTH * Slot.SIZE
    if weights.use_silhouette > ZERO:
        # Neighbouring points of an outline err together: a long outline weighs no more than so many points.
        count = slots[sil + Slot.COUNT]
        share = weights.silhouette_weight * wp.min(count, weights.silhouette_most) / wp.max(count, ONE)
        add_scaled(system, to, slots, sil, share)
        cost += share * slots[sil + Slot.COST]
        if slots[dep + Slot.AREA] == ZERO:
            cost += NOTHING
    aim = wanted[view_of[b]]
    if aim > ZERO:
        # The weight rests on what was measured, not on what happens to be covered: covering less is not cheaper.
        share = weights.depth_weight * wp.min(ONE, weights.depth_most / aim)
        add_scaled(system, to, slots, dep, share)
        missing = wp.max(aim - slots[dep + Slot.COUNT], ZERO)
        cost += share * (slots[dep + Slot.COST] + weights.depth_reach * weights.depth_reach * missing)
    for k in range(Term.POINTS, Term.COLOR + 1):
        add_scaled(system, to, slots, slot + k * Slot.SIZE, ONE)
        cost += slots[slot + k * Slot.SIZE + Slot.COST]
    report_terms(slots, slot, cost, trial, b * Report.SIZE)
    for k in range(Term.SIZE * Slot.SIZE):
        slots[slot + k] = ZERO


@wp.kernel(enable_backward=False)
def gather_terms(
    slots: wp.array(dtype=wp.float64),
    stride: int,
    view_of: wp.array(dtype=wp.int32),
    wanted: wp.array(dtype=wp.float64),
    term_weights: wp.array(dtype=TermWeights),
    system: wp.array(dtype=wp.float64),
    trial: wp.array(dtype=wp.float64),
):
    """Add up the slots of a hypothesis and the terms with their weights; empties the slots.

    ``wanted`` per view: pixels of measured depth. ``trial``: the report of the candidate.
    """
    add_up_terms(wp.tid(), slots, stride, view_of, wanted, term_weights, system, trial)
