"""Warp, imported without its banner; every file of this room that uses it gets it from here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import warp as wp

_STDERR = 2


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Send what native code writes to standard error nowhere; exceptions are not touched."""
    try:
        kept = os.dup(_STDERR)
    except OSError:  # a process without standard error has nothing to silence
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    try:
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(nowhere)


# The banner, and the note that there is no GPU, are no news to somebody who asked for the CPU. The note comes from
# native code that no setting reaches, and would stand beside the one line that says what is wrong with an input.
with _silent_stderr():
    if hasattr(wp.config, "log_level"):
        wp.config.log_level = wp.LOG_ERROR
        wp.init()
        wp.config.log_level = wp.LOG_WARNING
    else:
        wp.config.quiet = True
        wp.init()

__all__ = ["wp"]
