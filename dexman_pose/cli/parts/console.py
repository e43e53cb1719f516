"""What a long command shows while it works: stage lines, warnings, and bars where a person is watching."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dexman_pose.progress import progress_shown

if TYPE_CHECKING:
    from dexman_pose.pipeline.stage import StageEvent


def print_stage(event: StageEvent) -> None:
    """One line when a stage starts under a bar, one when it is done."""
    from dexman_pose.pipeline.stage import stage_line

    if event.state != "started" or sys.stderr.isatty():
        print(stage_line(event), flush=True)


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--quiet`` to a command."""
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="print the files that were made, and nothing else"
    )


@contextmanager
def shown(quiet: bool = False) -> Iterator[None]:
    """Show warnings of the package on standard output, and bars on standard error when that is a terminal.

    Standard error is left to the one line that says what went wrong.

    Args:
        quiet: show neither.
    """
    handler: logging.Handler = logging.NullHandler() if quiet else logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger = logging.getLogger("dexman_pose")
    logger.addHandler(handler)
    logging.captureWarnings(True)  # third-party notices about their own future are not for users
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())
    try:
        with progress_shown(sys.stderr.isatty() and not quiet):
            yield
    finally:
        logging.captureWarnings(False)
        logger.removeHandler(handler)
