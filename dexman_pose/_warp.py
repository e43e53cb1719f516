"""Warp, imported without its banner; every file that uses it gets it from here."""

from __future__ import annotations

import warp as wp

from dexman_pose._stderr import silent_stderr

# Warp prints a banner and, without a GPU, a note. Both are dropped. The note comes from
# native code that no setting reaches, and would stand beside the one line that says what is wrong with an input.
with silent_stderr():
    if hasattr(wp.config, "log_level"):
        wp.config.log_level = wp.LOG_ERROR
        wp.init()
        wp.config.log_level = wp.LOG_WARNING
    else:
        wp.config.quiet = True
        wp.init()

__all__ = ["wp"]
