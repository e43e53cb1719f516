"""Work split over two cores: a Warp launch on the CPU runs on one and lets go of Python's lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

_BUSY = threading.Lock()
"""Held while the helper works: who finds it taken, a nested call too, does all of its work itself."""


def in_halves(
    work: Callable[[int, Sequence[Item]], Sequence[Made]], items: Sequence[Item], least: int = 2
) -> list[Made]:
    """What ``work`` makes of items, the second half of them in another thread.

    Args:
        work: takes which half it is, 0 or 1, and its items; gives one result for each. Whatever it writes to, buffers
            and launches, must be each half's own.
        items: in the order of the results.
        least: with fewer items, or on one core, all are the first half.
    """
    middle = (len(items) + 1) // 2
    if len(items) < max(least, 2) or not _two_cores() or not _BUSY.acquire(blocking=False):
        return list(work(0, items))
    try:
        second = _helper(os.getpid()).submit(work, 1, items[middle:])
        try:
            first = list(work(0, items[:middle]))
        finally:
            made = second.exception() or second.result()
    finally:
        _BUSY.release()
    if isinstance(made, BaseException):
        raise made
    return first + list(made)


@lru_cache(maxsize=1)
def _two_cores() -> bool:
    return (
        len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)) > 1
    )


@lru_cache(maxsize=1)
def _helper(process: int) -> ThreadPoolExecutor:
    """The other thread of a process; a forked one needs its own."""
    return ThreadPoolExecutor(1, thread_name_prefix="dexman-half")
