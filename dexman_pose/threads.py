"""How many threads each library gets, and frames made ready ahead of those who work on them: the one place for both.

A run is a chain of workers that each keep one core busy; libraries that split every call over all cores fight with
them for the same cores, and wait for each other by spinning. Hence:

| library | threads | why |
|---|---|---|
| OpenCV | 1 while a run lasts | its calls are short, and others work beside them; results do not depend on it |
| torch | 1 while a run lasts, where it is imported at all | no stage needs it; a hand detector of others may |
| LiteRT | 1 for one picture, 2 for both hands at once | palms are looked for beside the hands |
| FFmpeg | up to 4 to decode, 2 to encode | frames are decoded in pieces that wait for each other |
| Warp on the CPU | 1, always | a launch runs on the thread that asks for it |
| BLAS and OpenMP | 1 in the command line, unless the environment says otherwise | matrices are small |

None of these libraries holds Python's lock while it computes, so threads of Python are enough to keep both cores busy.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from queue import Full, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
S = TypeVar("S")

_ENVIRONMENT = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
CORES = "DEXMAN_POSE_CORES"
"""Environment variable that says how many cores a process may use, at most: of several that share a machine."""
_TURN = 0.0005  # seconds that a thread of Python may go on while others wait
_WAIT = 0.05  # seconds after which a thread whose work nobody takes looks whether anybody still will


def cores() -> int:
    """Number of cores this process may use: those that the system gives it, at most ``DEXMAN_POSE_CORES``."""
    try:
        there = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        there = os.cpu_count() or 1
    told = os.environ.get(CORES, "")
    return min(there, int(told)) if told.isdecimal() and int(told) > 0 else there


def one_thread_each() -> None:
    """Give BLAS and OpenMP one thread, unless the environment says otherwise; before numpy is imported."""
    for name in _ENVIRONMENT:
        os.environ.setdefault(name, "1")


@contextmanager
def native_threads(count: int = 1) -> Iterator[None]:
    """Give OpenCV, and torch where it is imported, ``count`` threads per call inside the block.

    Threads of Python take turns ten times as often there: one that comes back from a short call of a library should not
    wait for another's whole turn.
    """
    import cv2

    torch = sys.modules.get("torch")
    turn = sys.getswitchinterval()
    before = cv2.getNumThreads(), torch.get_num_threads() if torch is not None else 0
    cv2.setNumThreads(count)
    sys.setswitchinterval(_TURN)
    if torch is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        sys.setswitchinterval(turn)
        if torch is not None:
            torch.set_num_threads(before[1])


def ahead(items: Iterable[T], count: int = 2) -> Generator[T, None, None]:
    """The same items in the same order, made on a thread of their own before they are asked for.

    What the items' iterator raises is raised here, after the items before it. When this iterator is closed, is dropped
    or is left by an exception, the thread ends after the item it is at.

    Args:
        items: iterated over on the other thread; it must not draw random numbers.
        count: most items that wait, beside the one that is being made.
    """
    worker = _Ahead(items, count)
    try:
        yield from worker.taken()
    finally:
        worker.stop()


@contextmanager
def behind(count: int = 2) -> Iterator[Callable[[Callable[[], object]], None]]:
    """Give a function that has work done on one other thread, in order; all of it is done where the block ends.

    What the work raises is raised by a later call, or at the end. Where there is one core only, work is done at once.

    Args:
        count: most pieces of work that wait; whoever asks for more waits for the first.
    """
    if cores() < 2:
        yield lambda work: (work(), None)[1]
        return
    from concurrent.futures import ThreadPoolExecutor  # 50 ms that help and files can do without

    waiting: deque[Future[object]] = deque()
    with ThreadPoolExecutor(1, "behind") as pool:

        def ask(work: Callable[[], object]) -> None:
            if len(waiting) >= count:
                waiting.popleft().result()
            waiting.append(pool.submit(work))

        yield ask
        for work in waiting:
            work.result()


def side_by_side(work: Callable[[S], T], items: Iterable[S]) -> list[T]:
    """What a function makes of each item, as many at once as there are cores; in the order of the items.

    The first error in that order is raised, when all work has ended.

    Args:
        work: must not write to what it is also given for another item.
        items: what it is called with.
    """
    given = list(items)
    if len(given) < 2 or cores() < 2:
        return [work(item) for item in given]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(len(given), cores()), "beside") as pool:
        return list(pool.map(work, given))


class _Ahead(Generic[T]):
    """A thread that fills a queue of outcomes: functions that return an item or raise, None at the end."""

    def __init__(self, items: Iterable[T], count: int) -> None:
        self._items = items
        self._ready: Queue[Callable[[], T] | None] = Queue(count)
        self._stopped = Event()
        self._thread = Thread(target=self._make, name="ahead", daemon=True)
        self._thread.start()

    def taken(self) -> Iterator[T]:
        while True:
            outcome = self._ready.get()
            if outcome is None:
                return
            yield outcome()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _make(self) -> None:
        iterator = iter(self._items)
        try:
            for item in iterator:
                if not self._put(lambda item=item: item):  # type: ignore[misc]
                    break
            else:
                self._put(None)
        except BaseException as error:  # whoever takes the items has to know
            failure = error
            self._put(lambda: _raise(failure))
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    def _put(self, outcome: Callable[[], T] | None) -> bool:
        """Whether the outcome could be handed over before the taker went away."""
        while not self._stopped.is_set():
            try:
                self._ready.put(outcome, timeout=_WAIT)
                return True
            except Full:
                continue
        return False


def _raise(error: BaseException) -> T:  # type: ignore[type-var]
    raise error
