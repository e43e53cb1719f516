"""Independent work side by side, in order: in processes of this machine, or by Ray where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

from dexman_pose._optional import require
from dexman_pose.errors import InputError

Job = TypeVar("Job")
Result = TypeVar("Result")

WAYS = ("processes", "ray")


def in_order(
    function: Callable[[Job], Result], jobs: Iterable[Job], workers: int, way: str = "processes"
) -> Iterator[Result]:
    """Do jobs and give back their results in the order of the jobs.

    Jobs are taken when a worker is free, so that any number of them may be given; whoever has enough stops asking.

    Args:
        function: of a module, so that another process finds it.
        jobs: what it is given.
        workers: processes; 1 for this one alone.
        way: ``processes`` or ``ray``.

    Raises:
        InputError: another way.
        MissingExtraError: Ray is not installed.
    """
    if way not in WAYS:
        raise InputError(f"work is spread over {' or '.join(WAYS)}, but got {way!r}")
    if way == "ray":
        yield from _by_ray(function, jobs, workers)
    elif workers == 1:
        yield from map(function, jobs)
    else:
        yield from _by_processes(function, jobs, workers)


def _by_processes(function: Callable[[Job], Result], jobs: Iterable[Job], workers: int) -> Iterator[Result]:
    # Forked copies of threads that hold locks hang: each process begins anew.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting: list[Any] = []
        try:
            for job in jobs:
                waiting.append(pool.submit(function, job))
                if len(waiting) >= workers:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            for future in waiting:
                future.cancel()


def _by_ray(function: Callable[[Job], Result], jobs: Iterable[Job], workers: int) -> Iterator[Result]:
    ray = require("ray", "batch", "spreading work with Ray")
    began = not ray.is_initialized()
    if began:
        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    try:
        remote, waiting = ray.remote(function), []
        for job in jobs:
            waiting.append(remote.remote(job))
            if len(waiting) >= workers:
                yield ray.get(waiting.pop(0))
        while waiting:
            yield ray.get(waiting.pop(0))
    finally:
        if began:
            ray.shutdown()
