"""Lets the fuzz tests import their shared helpers, and says how many inputs they tried."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many mutated inputs were tried."""
    from mutate import INPUTS

    if INPUTS.total:
        terminalreporter.write_line(
            f"fuzz: {INPUTS.total} inputs tried, peak memory +{INPUTS.grown >> 20} MiB"
        )
