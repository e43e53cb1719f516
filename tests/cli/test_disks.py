"""Disks that fill up, that cannot be written, folders that two runs want: one line each, and nothing is lost.

Small file systems in memory are mounted for it, which only the administrator may do.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dexman_pose.cli.main import main
from dexman_pose.data import Trajectory
from dexman_pose.data.files import write_bytes, write_npz
from dexman_pose.data.video.writer import write_video
from dexman_pose.errors import InputError

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
Disk = Callable[[str], Path]


class Disks:
    """A small file system in memory, of a size that can change."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def mount(self, options: str) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.root)], capture_output=True, check=False
        )
        if done.returncode != 0:
            pytest.skip("needs the right to mount a file system")
        return self.root

    def again(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.root)], check=True, capture_output=True)


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[Disks]:
    if sys.platform != "linux":
        pytest.skip("needs Linux's file system in memory")
    root = tmp_path / "disk"
    root.mkdir()
    yield Disks(root)
    subprocess.run(["umount", str(root)], check=False, capture_output=True)


@pytest.fixture
def arguments(tiny_scene: Any, tmp_path: Path) -> Callable[[Path], list[str]]:
    """A run of the tiny scene into a folder."""
    (tmp_path / "frames").mkdir()
    for i, frame in enumerate(tiny_scene.frames):
        Image.fromarray(frame).save(tmp_path / "frames" / f"{i}.png")
    (tmp_path / "p.json").write_text(json.dumps({"objects": {"box": tiny_scene.box}}))
    flags = ["--hands", "none", "--K", "150,150,63.5,47.5"]

    def made(out: Path) -> list[str]:
        return [
            "run",
            str(tmp_path / "frames"),
            "--prompts",
            str(tmp_path / "p.json"),
            "--out",
            str(out),
            *flags,
        ]

    return made


def size_of(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """The line that a command is refused with."""
    capsys.readouterr()
    status = main(arguments)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dexman-pose")]
    assert status == 2 and len(lines) == 1, (status, lines)
    return lines[0]


def check_whole(out: Path) -> int:
    """See that every stage told of is there as it was written, and no half of a file; how many there are."""
    manifests = list((out / "stages").glob("*.json"))
    for path in manifests:
        told = json.loads(path.read_text())
        assert hashlib.sha256((out / told["artefact"]).read_bytes()).hexdigest() == told["sha256"]
    assert not [p for p in out.rglob("*") if p.name.startswith(".tmp-") or p.name.endswith(".part")]
    return len(manifests)


def test_a_disk_that_fills_up_loses_nothing_and_the_run_goes_on(
    disks: Disks, arguments: Callable[[Path], list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("av")
    assert main(arguments(tmp_path / "whole")) == 0
    whole, total = Trajectory.load(tmp_path / "whole"), size_of(tmp_path / "whole")
    stages = check_whole(tmp_path / "whole")
    out = disks.mount("size=16k") / "out"
    before = -1
    for share in (0.0, 0.02, 0.1, 0.5, 0.9):
        disks.again(f"size={16384 + int(share * total)}")
        line = refused(capsys, arguments(out))
        assert "space" in line and str(disks.root) in line, line
        left = check_whole(out) if (out / "stages").is_dir() else 0
        assert before <= left < stages, "what was done before the disk was full is kept"
        before = left
    assert before > 0
    disks.again("size=64m")
    assert main(arguments(out)) == 0
    assert capsys.readouterr().out.count("unchanged") >= before
    assert check_whole(out) == stages
    found = Trajectory.load(out)
    np.testing.assert_array_equal(
        found.objects["box"].camera_from_object, whole.objects["box"].camera_from_object
    )


def test_a_finished_run_on_a_disk_that_cannot_be_written(
    disks: Disks, arguments: Callable[[Path], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    out = disks.mount("size=64m") / "out"
    assert main([*arguments(out), "--no-overlay"]) == 0
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    disks.again("ro")
    try:
        assert main(["view", str(out)]) == 0, "to read is enough for it"
        for command in (
            [*arguments(out), "--no-overlay"],
            ["view", str(out), "--export-overlay"],
            ["view", str(out), "--png", str(out / "x.png")],
            ["export", str(out), "--format", "gltf", "--out", str(out / "x.glb")],
            ["batch", str(disks.root.parent / "frames"), "--out", str(disks.root / "many")],
        ):
            line = refused(capsys, command)
            assert "Read-only" in line and str(disks.root) in line, line
    finally:
        disks.again("rw")
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("room", [16, 64, 200, 500, 510])
def test_files_on_a_full_disk_are_refused_and_the_old_one_stays(disks: Disks, room: int) -> None:
    """Where the film has all its pictures and lacks its end too: it takes about 520 KB."""
    root = disks.mount("size=1m")
    values = np.random.default_rng(0)
    frames = [values.integers(0, 255, (120, 160, 3)).astype(np.uint8) for _ in range(40)]
    writers: dict[str, Callable[[Path], object]] = {
        "a.npz": lambda path: write_npz(path, {"a": values.random(100_000)}),
        "a.bin": lambda path: write_bytes(path, bytes(600_000)),
        "a.mp4": lambda path: write_video(path, frames),
    }
    for name in writers:
        (root / name).write_bytes(b"old")
    disks.again(f"size={room}k")
    for name, write in writers.items():
        with pytest.raises(InputError, match="No space left"):
            write(root / name)
        assert (root / name).read_bytes() == b"old"
    assert sorted(p.name for p in root.iterdir()) == sorted(writers)


def test_of_two_runs_into_one_folder_one_is_refused(
    arguments: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "dexman_pose.cli.main", *arguments(tmp_path / "out"), "--no-overlay"]
    both = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ends = [(run.communicate(timeout=600)[1], run.returncode) for run in both]
    statuses = sorted(status for _, status in ends)
    if statuses == [0, 0]:  # one began when the other was done
        check_whole(tmp_path / "out")
        return
    assert statuses == [0, 2], ends
    (line,) = (text.strip().splitlines()[-1] for text, status in ends if status == 2)
    assert "another run is writing into" in line
    check_whole(tmp_path / "out")
    assert Trajectory.load(tmp_path / "out").num_frames == 4
