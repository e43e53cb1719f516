"""A batch: clips become jobs, workers run them, what came out is written down after every one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dexman_pose.batch.job import Job
from dexman_pose.batch.kept import FOLDER, keep, kept, key_of, log_file
from dexman_pose.batch.summary import Row, row_of, write_summary
from dexman_pose.batch.workers import run_jobs
from dexman_pose.data.files import hold, make_folder, unwritable_is_bad_input
from dexman_pose.errors import InputError
from dexman_pose.threads import cores


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is run.

    Attributes:
        workers: clips at once; None for half as many as there are cores, for a clip keeps two busy.
        attempts: of a clip that fails; bad input is not tried again.
        seconds: that a clip may take; None for no limit.
        address: of Ray: ``local``, ``auto`` or a cluster's; None to do without.
    """

    workers: int | None = None
    attempts: int = 2
    seconds: float | None = None
    address: str | None = None


def run_batch(
    clips: Mapping[str, Path],
    out: str | Path,
    command: Sequence[str],
    *,
    arguments: Sequence[str] = (),
    files: Sequence[Path] = (),
    options: BatchOptions | None = None,
    said: Callable[[str], object] = lambda line: None,
) -> list[Row]:
    """Reconstruct many clips, each in a process of its own, and go on where an earlier batch was.

    Args:
        clips: paths by name, see :func:`~dexman_pose.batch.clips.list_clips`.
        out: folder; the clip NAME gets the run folder ``out/NAME``.
        command: to which a clip's path, ``--out`` with its folder, and the arguments are added.
        arguments: the same for all clips.
        files: that they name: a clip is done again when one of them changes.
        options: how.
        said: called with a line after every clip.

    Returns:
        A row per clip, as in ``summary.csv``, which is written together with ``summary.html``.

    Raises:
        InputError: ``out`` takes no files, or another batch is writing into it.
        MissingExtraError: Ray is asked for and not installed.
    """
    o, root = options or BatchOptions(), Path(out).expanduser()
    at_once = o.workers or max(cores() // 2, 1)
    if FOLDER in clips:
        raise InputError(f"a clip must not be called {FOLDER!r}: the batch keeps its own files there")
    make_folder(root / FOLDER)
    with unwritable_is_bad_input(root):
        lock = (root / FOLDER / ".lock").open("w")
    with lock:
        hold(lock, root)
        jobs = [_job(name, path, root, command, arguments, files, o, at_once) for name, path in clips.items()]
        rows: dict[str, Row] = {}
        left = []
        for job in jobs:
            before = kept(root, job)
            if before is None:
                left.append(job)
            else:
                rows[job.name] = row_of(before, Path(job.out))
        if rows:
            said(f"{len(rows)} of {len(jobs)} clips were done before")
        for outcome in run_jobs(left, at_once, o.address):
            keep(root, outcome)
            rows[outcome.name] = row_of(outcome, root / outcome.name)
            said(_line(rows[outcome.name], len(rows), len(jobs)))
            write_summary(root, rows.values())
        write_summary(root, rows.values())
    return list(rows.values())


def _job(
    name: str,
    path: Path,
    root: Path,
    command: Sequence[str],
    arguments: Sequence[str],
    files: Sequence[Path],
    o: BatchOptions,
    at_once: int,
) -> Job:
    video, folder = path.absolute(), (root / name).absolute()
    return Job(
        name,
        str(video),
        str(folder),
        str(log_file(root, name).absolute()),
        (*command, str(video), "--out", str(folder), *arguments),
        folder=str(Path.cwd()),
        cores=max(cores() // at_once, 1),
        seconds=o.seconds,
        attempts=o.attempts,
        key=key_of((str(video), *arguments), (video, *files)),
    )


def _line(row: Row, count: int, total: int) -> str:
    head = f"[{count:>{len(str(total))}}/{total}] {row.name}: {row.state}, {row.seconds:.1f} s"
    if row.state != "done":
        return f"{head}: {row.message}"
    told = (
        f"valid in {100 * max(row.valid, 0.0):.0f} % of {row.frames} frames" if row.objects else "no object"
    )
    return f"{head}, {told}" + (f", {row.notices} to note" if row.notices else "")


def outcomes(rows: Sequence[Row]) -> tuple[int, int]:
    """How many of the clips are done, and how many are not."""
    done = sum(row.state == "done" for row in rows)
    return done, len(rows) - done
