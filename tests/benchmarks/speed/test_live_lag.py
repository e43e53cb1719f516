"""The camera of the measurement gives its newest picture and counts what it dropped; its clock is wound by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.benchmarks.speed import live_lag
from dexman_pose.benchmarks.speed.live_lag import LiveLag, measure_lag, to_and_fro
from dexman_pose.cli import bench as command

PICTURES = [np.full((2, 2, 3), i, np.uint8) for i in range(4)]


class Clock:
    """Seconds that pass only when something takes them."""

    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds + 1e-9


class Tracker:
    """An update takes the seconds it is told; hands are ``behind`` updates old."""

    def __init__(self, clock: Clock, takes: float, behind: int) -> None:
        self.clock, self.takes, self.behind = clock, takes, behind
        self.seen: list[tuple[int, int]] = []
        self.hands = {"left": None, "right": None}

    @property
    def hands_behind(self) -> int | None:
        return min(self.behind, len(self.seen) - 1)

    def update(self, image: Any, *, passed: int) -> None:
        self.seen.append((int(image[0, 0, 0]), passed))
        self.clock.sleep(self.takes)


def run(takes: float, behind: int) -> tuple[Tracker, LiveLag]:
    clock = Clock()
    tracker: Any = Tracker(clock, takes, behind)
    return tracker, measure_lag(tracker, PICTURES, 30, rate=10.0, clock=clock, sleep=clock.sleep)


def test_who_is_quick_sees_every_picture_and_is_not_behind() -> None:
    tracker, lag = run(0.03, 1)
    assert len(tracker.seen) == 30 and lag.late == 0
    assert [place for place, _ in tracker.seen[:8]] == [0, 1, 2, 3, 2, 1, 0, 1]
    assert lag.object_behind.max() == 0 and set(lag.hands_behind[1:]) == {1}
    assert lag.rate == pytest.approx(10.0, rel=0.03) and lag.two_hands == 1.0


def test_who_is_slow_gets_the_newest_picture_and_is_told_what_passed() -> None:
    tracker, lag = run(0.25, 0)
    assert len(tracker.seen) == 12 and lag.late == 18
    assert sum(passed for _, passed in tracker.seen) == 28  # the last update's picture is number 27, from 0
    assert lag.object_behind.tolist() == lag.hands_behind.tolist()
    assert set(lag.object_behind) <= {2, 3}


def test_pictures_are_played_to_and_fro() -> None:
    assert [to_and_fro(i, 3) for i in range(9)] == [0, 1, 2, 1, 0, 1, 2, 1, 0]


def test_the_command_prints_the_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    found = LiveLag(250, 5, 24.5, np.array([0, 1, 1]), np.array([1, 2, 2, 3]), 0.98)
    monkeypatch.setattr(live_lag, "bench_lag", lambda: found)
    rows = list(command.lag_rows())
    assert [row.value for row in rows] == [24.5, 1.0, 2.0]
    assert (
        "5 of 250 pictures gave way" in rows[0].unit
        and "aim 2" in rows[2].unit
        and "3 at most" in rows[2].unit
    )
    monkeypatch.setattr(live_lag, "bench_lag", lambda: None)
    assert [row.value for row in command.lag_rows()] == [None]
