"""One run of the pipeline of one checkout, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.errors import DexmanError, InputError

CHILD = Path(__file__).with_name("child.py")
"""The script that runs in the process."""


@dataclass(frozen=True)
class Job:
    """What both checkouts are given.

    Attributes:
        video: a video file or a folder of images.
        prompts: a prompt file.
        meshes: mesh files by object.
        camera: a camera file, or None to estimate it.
        hands: hand detector by name, or None.
        mesh_unit: unit of the mesh files.
        max_frames: use only the first frames; None for all.
    """

    video: Path
    prompts: Path
    meshes: Mapping[str, Path] = field(default_factory=dict)
    camera: Path | None = None
    hands: str | None = "mediapipe"
    mesh_unit: str = "auto"
    max_frames: int | None = None


@dataclass(frozen=True)
class Cost:
    """What one stage took.

    Attributes:
        name: of the stage.
        wall: seconds by the clock.
        processor: seconds of all cores together.
        peak_mb: largest resident memory in MiB while it ran.
    """

    name: str
    wall: float
    processor: float
    peak_mb: float


@dataclass(frozen=True)
class Run:
    """What one run took and found.

    Attributes:
        costs: of the import, every stage in order, and the whole run, by name.
        poses: (T, 4, 4) by object.
        valid: (T,) by object.
        masks: (T, bytes) bits of the masks by object; empty where a checkout keeps them in another way.
    """

    costs: dict[str, Cost]
    poses: dict[str, Array]
    valid: dict[str, Bools]
    masks: dict[str, np.ndarray[Any, np.dtype[np.uint8]]]


def checked_checkout(path: str | os.PathLike[str]) -> Path:
    """The folder of a checkout.

    Raises:
        InputError: there is no package in it.
    """
    folder = Path(path).expanduser().resolve()
    if not (folder / "dexman_pose" / "__init__.py").is_file():
        raise InputError(
            f"{path} is not a checkout of this project: it must be a folder with dexman_pose/__init__.py in it; "
            "make one with 'git worktree add FOLDER COMMIT'"
        )
    return folder


def run_once(checkout: Path, job: Job, folder: Path, *, child: Path = CHILD) -> Run:
    """Run the pipeline of a checkout by this interpreter.

    Args:
        checkout: its folder.
        job: what to run.
        folder: an empty folder for the run and its report.
        child: the script that does it.

    Raises:
        DexmanError: the run failed; the message ends with the last line the process wrote.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / "report.json"
    asked = {
        "package": str(checkout),
        "video": str(job.video.resolve()),
        "prompts": str(job.prompts.resolve()),
        "meshes": {name: str(path.resolve()) for name, path in job.meshes.items()},
        "camera": None if job.camera is None else str(job.camera.resolve()),
        "hands": job.hands,
        "mesh_unit": job.mesh_unit,
        "max_frames": job.max_frames,
        "out": str(folder / "run"),
        "report": str(report),
    }
    (folder / "job.json").write_text(json.dumps(asked))
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(
        [sys.executable, str(child), str(folder / "job.json")],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not report.is_file():
        said = (done.stderr.strip() or "it wrote nothing").splitlines()[-1]
        raise DexmanError(f"the run of {checkout} failed with status {done.returncode}: {said}")
    return _read(report)


def _read(report: Path) -> Run:
    found = json.loads(report.read_text())
    costs: dict[str, Cost] = {}
    for part in [found["import"], *found["stages"], found["whole"]]:
        costs[part["name"]] = Cost(part["name"], part["wall"], part["processor"], part["peak_mb"])
    with np.load(report.with_suffix(".poses.npz")) as file:
        arrays = {name: file[name] for name in file.files}
    names = [name.removesuffix("/poses") for name in arrays if name.endswith("/poses")]
    with np.load(report.with_suffix(".masks.npz")) as file:
        masks = {name: file[name] for name in file.files}
    return Run(
        costs,
        {name: arrays[f"{name}/poses"] for name in names},
        {name: arrays[f"{name}/valid"] for name in names},
        masks,
    )
