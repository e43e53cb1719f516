"""The fastest of some calls: what other work on the machine adds to a time is not the code's."""

from __future__ import annotations

import time
from collections.abc import Callable


def fastest(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of ``repeats`` calls, at least one."""
    seconds = []
    for _ in range(max(1, repeats)):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
