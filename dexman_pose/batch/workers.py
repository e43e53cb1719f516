"""Who runs the jobs: threads that each watch a process, here; or Ray, here or on a cluster."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from threading import Event
from typing import Any

from dexman_pose._optional import require
from dexman_pose.batch.attempt import run_job
from dexman_pose.batch.job import Job, Outcome

HERE = "local"
"""Address that stands for Ray on this machine."""
_BEGUN_AGAIN = 3  # times that Ray may begin a job anew whose machine went away


def run_here(jobs: Sequence[Job], workers: int) -> Generator[Outcome, None, None]:
    """Run jobs on this machine, so many at once; outcomes come as they are there.

    When the iterator is closed, or an exception leaves it, processes are ended, and nothing is left running.
    """
    stop = Event()
    with ThreadPoolExecutor(workers, "batch") as pool:
        waiting: set[Future[Outcome]] = {pool.submit(run_job, job, stop) for job in jobs}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            stop.set()
            for future in waiting:
                future.cancel()


def run_on_ray(jobs: Sequence[Job], workers: int, address: str) -> Generator[Outcome, None, None]:
    """Run jobs as tasks of Ray, each with as many cores as it may use.

    Args:
        jobs: what is run; their paths have to mean the same on every machine.
        workers: tasks at once, at most.
        address: of a cluster, ``auto`` for the one that this machine belongs to, or ``local``.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    ray = require("ray", "batch", "running a batch on Ray")
    here = address == HERE
    cores = max(job.cores for job in jobs)
    ray.init(
        address=None if here else address,
        num_cpus=workers * cores if here else None,
        include_dashboard=False if here else None,
        log_to_driver=False,
    )
    try:
        task = ray.remote(num_cpus=cores, max_retries=_BEGUN_AGAIN)(run_job)
        left = list(jobs)[::-1]
        running = {task.remote(job): job for job in (left.pop() for _ in range(min(workers, len(left))))}
        while running:
            (done,), _ = ray.wait(list(running), num_returns=1)
            job = running.pop(done)
            if left:
                following = left.pop()
                running[task.remote(following)] = following
            yield _got(ray, done, job)
    finally:
        ray.shutdown()


def _got(ray: Any, reference: Any, job: Job) -> Outcome:
    """The outcome of a task; that of one whose machine or process was lost says so."""
    try:
        outcome: Outcome = ray.get(reference)
        return outcome
    except Exception as error:
        lost = f"lost by Ray: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return Outcome(job.name, job.video, "failed", 1, 0.0, 1, 0.0, lost, job.key)


def run_jobs(jobs: Sequence[Job], workers: int, address: str | None) -> Generator[Outcome, None, None]:
    """Run jobs here, or, where an address is given, on Ray."""
    if not jobs:
        return
    running = run_here(jobs, workers) if address is None else run_on_ray(jobs, workers, address)
    with closing(running):
        yield from running
