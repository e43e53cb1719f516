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


class _Stepped:
    """Finishes one picture for every step that it is given."""

    def __init__(self) -> None:
        self.steps, self.begun, self.seen = threading.Semaphore(0), threading.Semaphore(0), list[int]()

    def __call__(self, index: int, image: NDArray[np.uint8]) -> dict[str, LiveHand]:
        self.seen.append(index)
        self.begun.release()
        assert self.steps.acquire(timeout=5.0)
        return {}


def test_one_picture_is_in_hand_and_one_waits_however_many_come() -> None:
    """Twenty pictures while three are looked at: the first, and the newest at each moment one could be begun."""
    stepped = _Stepped()
    hands = LiveHands(stepped)
    for index in range(20):
        hands.put(index, PICTURE)
        if index in (0, 7, 13):
            if index:
                stepped.steps.release()
            assert stepped.begun.acquire(timeout=5.0)
    stepped.steps.release(2)
    assert hands.wait(5.0)
    assert stepped.seen == [0, 7, 13, 19] and hands.skipped == 16
    assert hands.last == 19
    hands.close()


def test_who_would_be_too_far_ahead_waits_until_the_hands_are_near() -> None:
    stepped = _Stepped()
    hands = LiveHands(stepped)
    passed = list[int]()

    def go_on(index: int) -> threading.Thread:
        def run() -> None:
            hands.put(index, PICTURE)
            hands.catch_up(index, 2)
            passed.append(index)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    go_on(0).join(5.0)
    assert stepped.begun.acquire(timeout=5.0)  # it would give way to picture 5 if it were not in hand
    go_on(5).join(5.0)
    assert (
        passed == [0, 5] and hands.last is None
    )  # nothing is waited for before the first picture is finished
    stepped.steps.release()
    assert stepped.begun.acquire(timeout=5.0)
    assert hands.last == 0  # picture 5 is in hand
    ahead = go_on(7)
    ahead.join(0.05)
    assert ahead.is_alive() and passed == [0, 5]
    stepped.steps.release()
    ahead.join(5.0)
    assert passed == [0, 5, 7] and hands.last == 5
    stepped.steps.release()
    assert hands.wait(5.0)
    hands.close()


def test_nobody_waits_for_a_detector_that_broke_down_or_was_closed() -> None:
    def broken(index: int, image: NDArray[np.uint8]) -> dict[str, LiveHand]:
        if index:
            raise RuntimeError("no network")
        return {}

    hands = LiveHands(broken)
    hands.put(0, PICTURE)
    assert hands.wait(5.0)
    hands.put(1, PICTURE)
    hands.catch_up(9, 2)
    hands.close()
    hands.catch_up(99, 2)
