"""One clip in a process of its own: whatever it does to itself, the batch goes on.

The process reads the end of a pipe that this one holds: when this one is gone, however it went, so is the process
(:mod:`dexman_pose.cli.batch_child`). Nothing is left running that would write into a folder of a later batch.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import IO

from dexman_pose.batch.job import Job, Outcome, State
from dexman_pose.data.files import single_line
from dexman_pose.threads import CORES

BAD_INPUT, STOPPED = 2, 130
"""Exit statuses of the command."""
_WAIT = 0.05
"""Seconds between two looks at a process."""
_PATIENCE = 10.0
"""Seconds that a process is given to end when it is told to."""
_MIB = 2**20
_KIB_PER_MIB = 1024
_LINES = 40
_PREFIX = "dexman-pose: "


@dataclass(frozen=True)
class _Ended:
    """How a process ended: its status, MiB at most, and whether it took too long or was stopped."""

    status: int
    peak_mib: float
    late: bool = False
    stopped: bool = False


def run_job(job: Job, stop: Event | None = None) -> Outcome:
    """Run a job's command until it is done, its input is bad, or its attempts are used up.

    Args:
        job: what is run.
        stop: when it is set the process is ended and the job given up.
    """
    began, tried = monotonic(), 0
    while True:
        tried += 1
        ended = _run(job, stop or Event(), tried)
        state = _state(ended)
        if state != "failed" or tried >= job.attempts:
            break
    message = "" if state == "done" else _why(job, ended)
    seconds = monotonic() - began
    return Outcome(job.name, job.video, state, ended.status, seconds, tried, ended.peak_mib, message, job.key)


def _state(ended: _Ended) -> State:
    if ended.stopped or ended.status == STOPPED:
        return "stopped"
    if ended.status == 0:
        return "done"
    return "refused" if ended.status == BAD_INPUT and not ended.late else "failed"


def _run(job: Job, stop: Event, attempt: int) -> _Ended:
    log = Path(job.log)
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, CORES: str(job.cores), "PYTHONUNBUFFERED": "1"}
    with log.open("wb" if attempt == 1 else "ab") as stream:
        process = subprocess.Popen(
            job.command,
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=job.folder,
            start_new_session=True,  # Ctrl-C in the terminal is the batch's to pass on
        )
        try:
            return _watched(process, job.seconds, stop)
        finally:
            _end(process)
            _close(process.stdin)


def _watched(process: subprocess.Popen[bytes], seconds: float | None, stop: Event) -> _Ended:
    began = monotonic()
    while True:
        status, peak = _polled(process)
        if status is not None:
            return _Ended(status, peak)
        late = seconds is not None and monotonic() - began > seconds
        if late or stop.is_set():
            _end(process)
            return _Ended(process.returncode, peak, late, not late)
        sleep(_WAIT)


def _polled(process: subprocess.Popen[bytes]) -> tuple[int | None, float]:
    """Exit status, None while it runs, and the most memory it took, MiB."""
    if not hasattr(os, "wait4"):
        return process.poll(), 0.0
    if process.returncode is not None:
        return process.returncode, 0.0
    pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    if pid == 0:
        return None, 0.0
    process.returncode = os.waitstatus_to_exitcode(status)
    apple = os.uname().sysname == "Darwin"  # which counts in bytes
    return process.returncode, usage.ru_maxrss / (_MIB if apple else _KIB_PER_MIB)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Have a process end: asked first, then made to."""
    for signal_name in ("SIGINT", "SIGKILL"):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError, PermissionError):
            _signal(process, signal_name)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)


def _signal(process: subprocess.Popen[bytes], name: str) -> None:
    """Send a signal to a process and to those that it has begun."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, getattr(signal, name))
    else:
        process.kill()


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        with suppress(OSError):
            stream.close()


def _why(job: Job, ended: _Ended) -> str:
    """Why a job is not done, in one line."""
    if ended.stopped:
        return "stopped with the batch"
    if ended.late:
        return f"took longer than {job.seconds:g} s"
    said = _last_words(Path(job.log))
    if ended.status < 0:
        return f"killed by {_signal_name(-ended.status)}" + (f", after: {said}" if said else "")
    return said or f"ended with status {ended.status}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_words(log: Path) -> str:
    """The command's own last line, or the last of anything."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LINES:]
    except OSError:
        return ""
    ours = [line.removeprefix(_PREFIX) for line in lines if line.startswith(_PREFIX)]
    said = ours or [line for line in lines if line.strip()]
    return single_line(said[-1]) if said else ""
