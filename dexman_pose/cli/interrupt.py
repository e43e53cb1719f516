"""Ctrl-C before the command has begun: while Python still loads, there is nobody yet to catch the exception."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

STOPPED = 130


def leave_at_once() -> None:
    """Let Ctrl-C end the process with one line and status 130, if this process is the command and nothing else.

    The package of the commands calls it when it is imported, which is the first thing that the command does.
    """
    # While Python looks for the module of ``python -m``, its name stands in the arguments as -m.
    name = os.path.basename((sys.argv or [""])[0])
    ours = name == "-m" or name.startswith("dexman-pose")
    if ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def raise_from_now_on() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, now that it is caught."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    os.write(2, b"dexman-pose: stopped\n")
    os._exit(STOPPED)
