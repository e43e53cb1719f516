"""The fastest of some calls, once they are warm: what other work on the machine adds to a time is not the code's.

The first calls load or compile kernels, start threads, and ask the system for memory; they are made and not counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

WARM_CALLS = 2
"""Calls that are never counted."""

WARM_SECONDS = 0.3
"""How long quick work is called without being counted."""

MOST_WARM_CALLS = 200
"""After so many calls even the quickest work is warm."""


def warm_up(work: Callable[[], object]) -> None:
    """Call ``work`` until it is warm."""
    begin = time.perf_counter()
    for call in range(MOST_WARM_CALLS):
        if call >= WARM_CALLS and time.perf_counter() - begin > WARM_SECONDS:
            return
        work()


def fastest(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of ``repeats`` calls, at least one, after the warm-up."""
    return fastest_in_turns([work], repeats)[0]


def fastest_in_turns(works: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Seconds of the fastest call of each; all are warmed up first, then called in turns, ``repeats`` times."""
    for work in works:
        warm_up(work)
    best = [float("inf")] * len(works)
    for _ in range(max(1, repeats)):
        for i, work in enumerate(works):
            start = time.perf_counter()
            work()
            best[i] = min(best[i], time.perf_counter() - start)
    return best
