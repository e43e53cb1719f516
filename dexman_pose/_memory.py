"""Memory that was freed, given back to the system: the C library keeps it, in pieces between what is still used.

Long arrays come and go by the hundred in every stage of a run; without this, a later stage's peak is built on top of
what the earlier ones have left lying about (a hundred megabytes for a clip of 640x480).
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache


def give_back_memory() -> bool:
    """Return what is free to the system; says whether the C library can do that. It takes a few milliseconds."""
    trim = _trim()
    if trim is None:
        return False
    trim(0)
    return True


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
