"""Things made ahead come in order, with their errors, and leave no thread behind; thread counts are given back."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import cv2
import pytest

from dexman_pose.threads import ahead, behind, cores, native_threads, side_by_side


def _running() -> int:
    return sum(thread.name == "ahead" for thread in threading.enumerate())


def test_items_come_in_order_and_are_made_before_they_are_asked_for() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for i in range(20):
            made.append(i)
            yield i

    taken = ahead(items(), 3)
    assert next(taken) == 0
    for _ in range(100):
        if len(made) == 5:
            break
        time.sleep(0.02)
    time.sleep(0.1)
    assert made == [0, 1, 2, 3, 4]  # the one taken, three that wait, and one that finds no room
    assert list(taken) == list(range(1, 20)) and _running() == 0


def test_an_error_is_raised_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise KeyError("gone")

    seen = []
    with pytest.raises(KeyError, match="gone"):
        seen.extend(ahead(items()))
    taken = ahead(items())
    assert [next(taken), next(taken)] == [1, 2]
    with pytest.raises(KeyError):
        next(taken)
    assert _running() == 0


def test_a_taker_that_leaves_ends_the_thread_and_closes_the_items() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    taken = ahead(items())
    next(taken)
    taken.close()  # type: ignore[attr-defined]
    assert closed.is_set() and _running() == 0


def test_ctrl_c_while_an_item_is_waited_for_stops_at_once() -> None:
    code = (
        "import time, sys\n"
        "from dexman_pose.threads import ahead\n"
        "def items():\n"
        "    yield 1\n"
        "    print('waiting', flush=True)\n"
        "    while True:\n"
        "        time.sleep(0.2)\n"
        "        yield 2\n"
        "try:\n"
        "    for item in ahead(items()):\n"
        "        pass\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(130)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "waiting\n"
    process.send_signal(2)
    assert process.wait(20) == 130


def test_opencv_has_one_thread_inside_and_what_it_had_before_outside() -> None:
    cv2.setNumThreads(3)
    try:
        with native_threads():
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(-1)
    assert 1 <= cores() <= (os.cpu_count() or 1)


def test_work_behind_is_done_in_order_and_to_the_end() -> None:
    done: list[int] = []
    with behind(1) as ask:
        for i in range(6):
            ask(lambda i=i: done.append(i))  # type: ignore[misc]
    assert done == list(range(6))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("behind")]


def test_work_behind_waits_for_room_and_raises_its_errors() -> None:
    go = threading.Event()
    begun: list[int] = []

    def slow(i: int) -> None:
        begun.append(i)
        go.wait(10.0)

    with behind(1) as ask:
        ask(lambda: slow(0))
        threading.Timer(0.05, go.set).start()
        ask(lambda: slow(1))
        assert go.is_set() or cores() < 2
    assert begun == [0, 1]
    with pytest.raises(KeyError, match="lost"), behind() as ask:
        ask(lambda: {}["lost"])


def test_with_one_core_work_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dexman_pose.threads.cores", lambda: 1)
    done: list[str] = []
    with behind() as ask:
        ask(lambda: done.append(threading.current_thread().name))
        assert done == [threading.current_thread().name]


def test_work_side_by_side_keeps_the_order_and_tells_the_first_error() -> None:
    both = threading.Barrier(2)

    def work(number: int) -> int:
        if cores() > 1:
            both.wait(10)  # passes when two are at it at once
        return 10 * number

    assert side_by_side(work, [3, 1]) == [30, 10]
    assert side_by_side(lambda n: n + 1, [4]) == [5]

    def fails(number: int) -> int:
        raise ValueError(str(number))

    with pytest.raises(ValueError, match=r"^7$"):
        side_by_side(fails, [7, 8, 9])


@pytest.mark.parametrize(("told", "most"), [("1", 1), ("100000", None), ("0", None), ("many", None)])
def test_the_environment_may_ask_for_fewer_cores(
    monkeypatch: pytest.MonkeyPatch, told: str, most: int | None
) -> None:
    monkeypatch.delenv("DEXMAN_POSE_CORES", raising=False)
    there = cores()
    monkeypatch.setenv("DEXMAN_POSE_CORES", told)
    assert cores() == (there if most is None else most)
