"""A batch: what fails stops nothing, what is done is done once, a driver that is gone leaves nothing running."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dexman_pose.batch import BatchOptions, run_batch
from dexman_pose.batch.kept import kept, outcome_file
from dexman_pose.batch.run import outcomes
from dexman_pose.batch.summary import PAGE, TABLE, Row
from dexman_pose.errors import InputError

Clips = dict[str, Path]


@pytest.fixture()
def batch(
    tmp_path: Path, clips: Clips, command: tuple[str, ...], example: Path
) -> Callable[..., dict[str, Row]]:
    def run(names: Sequence[str], **options: float) -> dict[str, Row]:
        some = {name: clips[name] for name in names}
        o = BatchOptions(**{"workers": 2, **options})  # type: ignore[arg-type]
        rows = run_batch(
            some, tmp_path / "out", command, arguments=[str(example)], files=[example], options=o
        )
        return {row.name: row for row in rows}

    return run


def _runs(out: Path, name: str) -> int:
    file = out / name / "runs"
    return file.stat().st_size if file.exists() else 0


def test_every_kind_of_end_is_told(batch: Callable[..., dict[str, Row]], tmp_path: Path) -> None:
    rows = batch(["a", "bad", "dies", "second"])
    assert {name: row.state for name, row in rows.items()} == {
        "a": "done",
        "bad": "refused",
        "dies": "failed",
        "second": "done",
    }
    assert rows["bad"].message == "no such thing" and rows["bad"].attempts == 1
    assert "SIGKILL" in rows["dies"].message and rows["dies"].attempts == 2
    assert rows["second"].attempts == 2 and rows["a"].frames == 3 and rows["a"].peak_mib > 1
    assert outcomes(list(rows.values())) == (2, 2)
    with (tmp_path / "out" / TABLE).open(encoding="utf-8") as stream:
        table = list(csv.DictReader(stream))
    assert [row["doubt"] for row in table] == sorted((row["doubt"] for row in table), reverse=True)
    assert {row["name"] for row in table} == set(rows)
    page = (tmp_path / "out" / PAGE).read_text(encoding="utf-8")
    assert "no such thing" in page and "http" not in page and "href" not in page
    (tmp_path / "out" / "a" / "report.html").touch()
    batch(["a"])
    assert 'href="a/report.html"' in (tmp_path / "out" / PAGE).read_text(encoding="utf-8")


def test_what_is_done_is_not_done_again_until_something_changes(
    batch: Callable[..., dict[str, Row]], tmp_path: Path, clips: Clips
) -> None:
    batch(["a", "b"])
    assert batch(["a", "b", "bad"])["a"].state == "done"
    out = tmp_path / "out"
    assert (_runs(out, "a"), _runs(out, "b")) == (1, 1)
    clips["a"].write_bytes(b"another clip")
    batch(["a", "b"])
    assert (_runs(out, "a"), _runs(out, "b")) == (2, 1)
    (out / "b" / "trajectory.npz").unlink()
    batch(["a", "b"])
    assert (_runs(out, "a"), _runs(out, "b")) == (2, 2)
    outcome_file(out, "a").write_text("{", encoding="utf-8")
    batch(["a"])
    assert _runs(out, "a") == 3


def test_a_clip_that_takes_too_long_is_ended(batch: Callable[..., dict[str, Row]]) -> None:
    began = time.monotonic()
    row = batch(["waits", "a"], seconds=1.0, attempts=1)["waits"]
    assert row.state == "failed" and "longer than 1 s" in row.message and time.monotonic() - began < 30


def test_two_batches_in_one_folder_are_refused(batch: Callable[..., dict[str, Row]], tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    batch(["a"])
    with (tmp_path / "out" / "batch" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another run"):
            batch(["a"])


def test_a_killed_driver_leaves_nothing_running_and_the_rest_is_done_once(
    batch: Callable[..., dict[str, Row]], tmp_path: Path, clips: Clips, example: Path
) -> None:
    """The processes of clips read the end of a pipe that the driver holds."""
    child = tmp_path / "child.py"
    child.write_text(
        textwrap.dedent(
            """
            import os, sys, time
            from dexman_pose.cli.batch_child import follow_parent
            follow_parent()
            open(sys.argv[3] + ".pid", "w").write(str(os.getpid()))
            time.sleep(60)
            """
        ),
        encoding="utf-8",
    )
    driver = tmp_path / "driver.py"
    driver.write_text(
        textwrap.dedent(
            f"""
            import sys
            from pathlib import Path
            from dexman_pose.batch import BatchOptions, run_batch
            clips = {{"a": Path({str(clips["a"])!r})}}
            command = (sys.executable, {str(child)!r})
            run_batch(clips, {str(tmp_path / "out")!r}, command, options=BatchOptions(workers=1))
            """
        ),
        encoding="utf-8",
    )
    process = subprocess.Popen([sys.executable, str(driver)], cwd=Path(__file__).parents[2])
    pid_file = tmp_path / "out" / "a.pid"
    _until(lambda: pid_file.exists() and pid_file.read_text() != "", 60)
    pid = int(pid_file.read_text())
    process.send_signal(signal.SIGKILL)
    process.wait()
    _until(lambda: not _runs_still(pid), 20)
    rows = batch(["a", "b"])
    assert all(row.state == "done" for row in rows.values())
    assert (_runs(tmp_path / "out", "a"), _runs(tmp_path / "out", "b")) == (1, 1)


def _until(told: Callable[[], bool], seconds: float) -> None:
    began = time.monotonic()
    while not told():
        assert time.monotonic() - began < seconds
        time.sleep(0.05)


def _runs_still(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def test_an_outcome_of_other_arguments_does_not_count(
    batch: Callable[..., dict[str, Row]], tmp_path: Path
) -> None:
    from dexman_pose.batch.job import Job

    batch(["a"])
    out = tmp_path / "out"
    job = Job("a", "", str(out / "a"), "", (), key="of another")
    assert kept(out, job) is None


def test_a_clip_must_not_take_the_batch_s_own_folder(
    tmp_path: Path, clips: Clips, command: tuple[str, ...]
) -> None:
    with pytest.raises(InputError, match="must not be called"):
        run_batch({"batch": clips["a"]}, tmp_path / "out", command)
