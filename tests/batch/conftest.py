"""A command in place of ``dexman-pose run``: it does what the name of its clip says."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Camera, Trajectory

COMMAND = """
import os, shutil, signal, sys, time
video, _, out, example = sys.argv[1:5]
name = os.path.basename(video)
if name.startswith("bad"):
    print("dexman-pose: no such thing", file=sys.stderr)
    sys.exit(2)
if name.startswith("dies"):
    os.kill(os.getpid(), signal.SIGKILL)
if name.startswith("waits"):
    time.sleep(60)
os.makedirs(out, exist_ok=True)
with open(os.path.join(out, "runs"), "a") as runs:
    runs.write("x")
if name.startswith("second") and os.path.getsize(os.path.join(out, "runs")) < 2:
    raise RuntimeError("not the first time")
print("cores", os.environ["DEXMAN_POSE_CORES"])
shutil.copy(example, os.path.join(out, "trajectory.npz"))
"""


@pytest.fixture()
def command(tmp_path: Path) -> tuple[str, ...]:
    """Of an interpreter."""
    script = tmp_path / "command.py"
    script.write_text(COMMAND, encoding="utf-8")
    return (sys.executable, str(script))


@pytest.fixture()
def example(tmp_path: Path) -> Path:
    """A trajectory of nothing in three frames."""
    camera = Camera(np.array([[100.0, 0.0, 32.0], [0.0, 100.0, 24.0], [0.0, 0.0, 1.0]]), 64, 48)
    path = tmp_path / "example.npz"
    Trajectory(camera=camera, frame_times=np.arange(3) / 30.0, objects={}, hands={}).save(path)
    return path


@pytest.fixture()
def clips(tmp_path: Path) -> dict[str, Path]:
    """Clips by name; a test takes those that it needs."""
    names = ("a", "b", "bad", "dies", "second", "waits")
    for name in names:
        (tmp_path / f"{name}.mp4").write_bytes(b"clip " + name.encode())
    return {name: tmp_path / f"{name}.mp4" for name in names}
