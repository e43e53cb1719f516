from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.hands.live import LiveHand, LiveHands

PICTURE = np.zeros((4, 4, 3), np.uint8)


def _hand(index: int) -> LiveHand:
    return LiveHand("right", np.zeros((21, 2)), np.zeros((21, 3)), 0.9, index)


class _Slow:
    """Finds a hand in every picture when it is let to."""

    def __init__(self) -> None:
        self.go, self.working, self.seen = threading.Event(), threading.Event(), list[int]()

    def __call__(self, index: int, image: NDArray[np.uint8]) -> dict[str, LiveHand]:
        self.working.set()
        assert self.go.wait(5.0)
        self.seen.append(index)
        return {"right": _hand(index)}


def test_only_the_newest_picture_waits_and_the_last_hands_stay_meanwhile() -> None:
    slow = _Slow()
    hands = LiveHands(slow)
    hands.put(0, PICTURE)
    assert slow.working.wait(5.0)
    for index in (1, 2, 3):
        hands.put(index, PICTURE)
    assert hands.hands == {} and not hands.wait(0.0)
    slow.go.set()
    assert hands.wait(5.0)
    assert slow.seen == [0, 3] and hands.skipped == 2
    assert hands.hands["right"].frame == 3
    hands.close()


def test_what_the_detector_breaks_down_with_is_told() -> None:
    def broken(index: int, image: NDArray[np.uint8]) -> dict[str, LiveHand]:
        raise RuntimeError("no network")

    hands = LiveHands(broken)
    hands.put(0, PICTURE)
    assert hands.wait(5.0)
    with pytest.raises(RuntimeError, match="no network"):
        _ = hands.hands
    hands.close()


def test_closing_ends_the_thread_and_waits_for_nothing_that_was_not_begun() -> None:
    looked: list[int] = []
    finder: Callable[[int, NDArray[np.uint8]], dict[str, LiveHand]] = lambda i, _: looked.append(i) or {}  # noqa: E731
    hands = LiveHands(finder)
    hands.close()
    hands.close()
    hands.put(0, PICTURE)
    assert looked == [] and not any(t.name == "dexman-live-hands" for t in threading.enumerate())
