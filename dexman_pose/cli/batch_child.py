"""The command, run for a batch: it ends when the batch does, however that went."""

from __future__ import annotations

import os
import sys
from threading import Thread

from dexman_pose.cli.interrupt import STOPPED
from dexman_pose.cli.main import main

_STANDARD_INPUT = 0


def follow_parent() -> None:
    """End this process at once when whoever holds the other end of standard input is gone; files stay whole."""
    Thread(target=_wait_for_end, name="parent", daemon=True).start()


def _wait_for_end() -> None:
    # Not through sys.stdin: its lock, held here, would abort the interpreter at its end.
    while os.read(_STANDARD_INPUT, 1):
        pass  # nothing is ever written
    os._exit(STOPPED)


if __name__ == "__main__":
    follow_parent()
    sys.exit(main())
