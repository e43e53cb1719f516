"""What a long command shows while it works: stage lines, warnings, and bars where a person is watching."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dexman_pose.pipeline.stage import StageEvent, stage_line
from dexman_pose.progress import progress_shown


def print_stage(event: StageEvent) -> None:
    """One line when a stage starts under a bar, one when it is done."""
    if event.state != "started" or sys.stderr.isatty():
        print(stage_line(event), flush=True)


@contextmanager
def shown() -> Iterator[None]:
    """Show warnings of the package on standard output, and bars on standard error when that is a terminal.

    Standard error is left to the one line that says what went wrong.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger = logging.getLogger("dexman_pose")
    logger.addHandler(handler)
    logging.captureWarnings(True)  # third-party notices about their own future are not for users
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())
    try:
        with progress_shown(sys.stderr.isatty()):
            yield
    finally:
        logging.captureWarnings(False)
        logger.removeHandler(handler)
