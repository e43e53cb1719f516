"""Memory that was freed, given back to the system: the C library keeps it, in pieces between what is still used.

Long arrays come and go by the hundred in every stage of a run; without this, a later stage's peak is built on top of
what the earlier ones have left lying about (a hundred megabytes for a clip of 640x480).
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache

LEAST_APART = 1 << 20
"""Bytes of the smallest blocks that :func:`large_blocks_apart` takes for large."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # numbers of glibc's options
_HEAPS = 2  # what a thread has freed in a heap of its own only it can use again


def give_back_memory() -> bool:
    """Return what is free to the system; says whether the C library can do that. It takes a few milliseconds."""
    trim = _trim()
    if trim is None:
        return False
    trim(0)
    return True


def large_blocks_apart(least: int) -> bool:
    """Let blocks of at least so many bytes be given back as soon as they are freed; says whether that can be done.

    Left to itself, glibc keeps blocks of up to 32 MiB once one of that size was freed, each thread in a heap of its
    own: threads that work with large arrays in turn then hold all of theirs at the same time. What is often asked for
    and freed again, as pictures are, should stay below: every page of a block from the system costs a fault.
    Threads share a few heaps, if none was begun before.

    Args:
        least: bytes, :data:`LEAST_APART` at least.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    size = max(least, LEAST_APART)
    options = {_ARENA_MAX: _HEAPS, _MMAP_THRESHOLD: size, _TRIM_THRESHOLD: 2 * size}
    taken = [bool(set_option(option, value)) for option, value in options.items()]
    return all(taken)


@cache
def _trim() -> Callable[[int], int] | None:
    """The function of glibc that does it, None with another C library."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    return found
