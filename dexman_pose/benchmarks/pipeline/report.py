"""The comparison of two checkouts as lines for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite
from typing import Any

from dexman_pose.benchmarks.pipeline.alternate import Comparison, StagePair
from dexman_pose.benchmarks.pipeline.process import Cost

NUMBERS = ("wall", "processor", "peak_mb")
"""What is compared of every stage."""


def lines(comparison: Comparison) -> Iterator[str]:
    """A table of the stages, other / own beside each pair of numbers, then the differences of the results."""
    heads = ("wall s", "processor s", "peak MiB")
    yield f"{'stage':<16}" + "".join(f"{head + ': other':>20} {'own':>9} {'ratio':>6}" for head in heads)
    for pair in comparison.stages:
        yield f"{pair.name:<16}" + "".join(_cells(pair, number) for number in NUMBERS)
    for name, d in comparison.differences.items():
        yield (
            f"{name}: {d.own_valid} valid frames here, {d.other_valid} there, {d.frames} in both; apart by "
            f"{_number(d.mm[0])} mm and {_number(d.deg[0])} deg in the median, {_number(d.mm[1])} mm and "
            f"{_number(d.deg[1])} deg at most; masks overlap by {_number(d.iou[0])} in the median, "
            f"{_number(d.iou[1])} at least"
        )


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Plain values; what there is nothing to compare of is null."""
    stages = [
        {
            "stage": pair.name,
            "own": _cost(pair.own),
            "other": _cost(pair.other),
            "ratio": {number: pair.ratio(number) for number in NUMBERS},
        }
        for pair in comparison.stages
    ]
    results = {
        name: {
            key: [v if isfinite(v) else None for v in value] if isinstance(value, tuple) else value
            for key, value in asdict(d).items()
        }
        for name, d in comparison.differences.items()
    }
    return {"rounds": comparison.rounds, "stages": stages, "objects": results}


def _cost(cost: Cost | None) -> dict[str, float] | None:
    return None if cost is None else {number: getattr(cost, number) for number in NUMBERS}


def _cells(pair: StagePair, number: str) -> str:
    other, own = (None if cost is None else getattr(cost, number) for cost in (pair.other, pair.own))
    return f"{_number(other):>20} {_number(own):>9} {_number(pair.ratio(number)):>6}"


def _number(value: float | None) -> str:
    return "-" if value is None or not isfinite(value) else f"{value:.2f}"
