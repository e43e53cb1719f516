"""Bars are shown where a person is watching, and nowhere else."""

from __future__ import annotations

import io
import sys
import time
import types
from typing import Any

import numpy as np
import pytest

import dexman_pose as dp
from dexman_pose import progress as bars


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bars, "_PATIENCE", 0.0)


def drawn(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(bars.progress(range(3), "counting", 3)) == [0, 1, 2]
    return stream.getvalue()


def test_bars_are_for_terminals_and_notebooks(monkeypatch: pytest.MonkeyPatch, patient: None) -> None:
    assert drawn(io.StringIO(), monkeypatch) == ""
    assert "counting" in drawn(Terminal(), monkeypatch)
    shell = type("ZMQInteractiveShell", (), {})()
    notebook = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    assert "counting" in drawn(io.StringIO(), monkeypatch)


def test_a_choice_goes_before_who_is_watching(monkeypatch: pytest.MonkeyPatch, patient: None) -> None:
    with bars.progress_shown(False):
        assert drawn(Terminal(), monkeypatch) == ""
    with bars.progress_shown():
        assert "counting" in drawn(io.StringIO(), monkeypatch)
        with bars.progress_shown(False):
            assert drawn(Terminal(), monkeypatch) == ""
    assert drawn(io.StringIO(), monkeypatch) == ""


def test_what_is_quick_has_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.perf_counter()
    seen = drawn(Terminal(), monkeypatch)
    assert time.perf_counter() - started > 1.0 or seen == ""


@pytest.mark.parametrize("shown", [None, True, False])
def test_a_run_in_python_tells_its_stages(
    shown: bool | None, tiny_scene: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = dp.ObjectPrompt(box=tiny_scene.box, mesh=tiny_scene.mesh)
    dp.reconstruct(
        np.stack(tiny_scene.frames), {"box": prompt}, camera=tiny_scene.camera, hands=None, progress=shown
    )
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("stage 8/8  trajectory" in captured.err) == bool(shown)
    if not shown:
        assert captured.err == ""


def test_a_caller_who_chose_bars_tells_stages_by_itself(
    tiny_scene: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = dp.ObjectPrompt(box=tiny_scene.box, mesh=tiny_scene.mesh)
    with bars.progress_shown():
        dp.reconstruct(np.stack(tiny_scene.frames), {"box": prompt}, camera=tiny_scene.camera, hands=None)
    assert "stage" not in capsys.readouterr().err
