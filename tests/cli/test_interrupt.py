"""Ctrl-C at any time after Python itself has loaded: one line, status 130, no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dexman_pose.cli import interrupt, main

ROOT = Path(__file__).resolve().parents[2]

STOPS_WHILE_LOADING = """
import builtins, os, runpy, signal, sys
real = builtins.__import__
def importing(name, *rest, **more):
    if name == {when!r}:
        builtins.__import__ = real
        os.kill(os.getpid(), signal.SIGINT)
    return real(name, *rest, **more)
builtins.__import__ = importing
sys.argv = ["dexman-pose", "doctor"]
runpy.run_module("dexman_pose.cli.main", run_name="__main__", alter_sys=False)
"""


@pytest.mark.parametrize("when", ["argparse", "dexman_pose.cli.run", "numpy"])
def test_ctrl_c_while_loading(when: str) -> None:
    """The signal comes exactly when a module is imported: before main, in it, then by a heavy package."""
    done = subprocess.run(
        [sys.executable, "-c", STOPS_WHILE_LOADING.format(when=when)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("dexman-pose: stopped") and done.stderr.count("\n") == 1


def test_other_programs_keep_their_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(sys, "argv", ["notebook"])
    interrupt.leave_at_once()
    assert signal.getsignal(signal.SIGINT) is before


def test_main_gives_ctrl_c_back(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        monkeypatch.setattr(sys, "argv", ["/usr/bin/dexman-pose"])
        interrupt.leave_at_once()
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        assert main.main(["--version"]) == 0
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    capsys.readouterr()
