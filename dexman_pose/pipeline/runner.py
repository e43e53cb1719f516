"""Runs stages one after another: reuses what is on disk, computes the rest, tells where it stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeVar

from dexman_pose._memory import give_back_memory
from dexman_pose.errors import DexmanError, TrajectoryError
from dexman_pose.pipeline.run_folder import RunFolder
from dexman_pose.pipeline.seed import SEED, opencv_seeded, seeded
from dexman_pose.pipeline.stage import Stage, StageEvent, StageListener

T = TypeVar("T")
State = Literal["started", "done", "reused"]


class Runner:
    """Gives the result of each stage it is handed, in order.

    Args:
        folder: where artefacts are kept, or None to keep nothing.
        total: how many stages there will be, for the listener.
        listener: called when a stage starts and when it is done or was found on disk.
    """

    def __init__(self, folder: RunFolder | None, total: int, listener: StageListener | None = None) -> None:
        self._folder, self._total, self._listener = folder, total, listener
        self._index = 0

    def is_due(self, stage: Stage[Any]) -> bool:
        """Whether a stage is going to be computed, as far as its manifest tells."""
        return self._folder is None or self._folder.manifest(stage.name).get("key") != self._folder.key(stage)

    def run(self, stage: Stage[T]) -> T:
        """The stage's result: from disk when it is still good there, computed and stored otherwise."""
        with seeded(SEED):
            return self._told(stage, lambda: self._made(stage))

    def run_beside(self, first: Stage[Any], second: Stage[Any]) -> None:
        """Run two stages that do not need each other at once; the second on another thread, and it is the shorter one.

        They are told of one after the other. Where the first fails or is interrupted, the second is waited for.
        """
        with seeded(SEED), ThreadPoolExecutor(1, "beside") as pool:
            other = pool.submit(self._seeded_made, second)
            self._told(first, lambda: self._made(first))
            self._told(second, other.result)

    def _told(self, stage: Stage[T], get: Callable[[], tuple[T, State]]) -> T:
        """A stage's result as ``get`` gives it, with a word to the listener before and after."""
        self._index += 1
        started = time.perf_counter()
        self._tell(stage.name, "started", 0.0)
        result, state = get()
        give_back_memory()  # what the stage needed in between
        self._tell(stage.name, state, time.perf_counter() - started)
        return result

    def _seeded_made(self, stage: Stage[T]) -> tuple[T, State]:
        opencv_seeded(SEED)
        return self._made(stage)

    def _made(self, stage: Stage[T]) -> tuple[T, State]:
        """The result, and whether it was done or reused."""
        started = time.perf_counter()
        found = self._folder.reuse(stage) if self._folder is not None else None
        return (found[0], "reused") if found is not None else (self._make(stage, started), "done")

    def _make(self, stage: Stage[T], started: float) -> T:
        try:
            result = stage.compute()
            if self._folder is not None:
                self._folder.store(stage, result, started)
        except TrajectoryError as error:  # of our own making: nothing the user gave is a trajectory
            raise DexmanError(f"the stage {stage.name!r} made a result that is wrong: {error}") from error
        return result

    def _tell(self, name: str, state: State, seconds: float) -> None:
        if self._listener is not None:
            self._listener(StageEvent(name, self._index, self._total, state, seconds))
