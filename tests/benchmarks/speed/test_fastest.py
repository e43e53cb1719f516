"""What a first call takes, compiling and loading, enters no figure."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from dexman_pose.benchmarks.speed import pytorch3d as peer
from dexman_pose.benchmarks.speed.fastest import MOST_WARM_CALLS, fastest, fastest_in_turns
from dexman_pose.benchmarks.speed.rasterise import icosphere
from dexman_pose.render import functional, pytorch3d_backend

SLOW = 0.15


def slow_at_first(work: Callable[..., Any], calls: list[float], slow: int = 2) -> Callable[..., Any]:
    """``work``, whose first calls sleep; it counts them."""

    def out(*args: Any, **named: Any) -> Any:
        calls.append(time.perf_counter())
        if len(calls) <= slow:
            time.sleep(SLOW)
        return work(*args, **named)

    return out


def test_slow_first_calls_do_not_count() -> None:
    calls: list[float] = []
    assert fastest(slow_at_first(lambda: None, calls), 1) < SLOW / 2
    assert len(calls) >= 3


def test_quick_work_is_called_often_before_and_not_for_ever() -> None:
    calls: list[float] = []
    fastest(lambda: calls.append(0.0), 3)
    assert len(calls) == MOST_WARM_CALLS + 3


def test_all_are_warm_before_any_is_timed_and_then_take_turns() -> None:
    order: list[str] = []

    def call(name: str) -> None:
        order.append(name)
        time.sleep(0.02 if name == "a" else 0.05)

    a, b = fastest_in_turns([lambda: call("a"), lambda: call("b")], 3)
    assert order[-6:] == ["a", "b"] * 3
    before = order[:-6]
    assert before == sorted(before) and {"a", "b"} == set(before)
    assert 0.02 <= a < 0.045 and 0.05 <= b < 0.2


def test_the_silhouette_row_times_neither_side_while_it_warms_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both renderers are ours here, and sleep at first: nothing of that may be in the figures."""
    monkeypatch.setattr(importlib, "import_module", lambda name: None)
    own: list[float] = []
    other: list[float] = []
    monkeypatch.setattr(pytorch3d_backend, "render_pytorch3d", slow_at_first(functional.render, other))
    monkeypatch.setattr(functional, "render", slow_at_first(functional.render, own))
    found = peer.bench_pytorch3d_gradient(icosphere(1, 0.1), size=32, repeats=1)
    assert found is not None and max(found) < SLOW / 2
    assert len(own) >= 3 and len(other) >= 3


def test_the_depth_row_times_neither_side_while_it_warms_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", lambda name: None)
    calls: list[float] = []
    monkeypatch.setattr(peer, "_pytorch3d", lambda *_: slow_at_first(lambda: None, calls))
    found = peer.bench_pytorch3d(icosphere(1, 0.1), size=32, repeats=1)
    assert found is not None and max(found) < SLOW / 2 and len(calls) >= 3
