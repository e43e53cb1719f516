"""The script that runs a checkout, by a small package that stands for one: what it meters, and how it fails."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.benchmarks.pipeline.process import Job, checked_checkout, run_once
from dexman_pose.errors import DexmanError, InputError

PIPELINE = """
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
import numpy as np
FRAMES = {frames}

@dataclass(frozen=True)
class Prompt:
    box: tuple
    mesh: object = None

def load_prompts(path):
    return {{"cup": Prompt((0, 0, 1, 1))}}

def reconstruct(video, prompts, *, camera, hands, mesh_unit, max_frames, out, on_stage):
    assert prompts["cup"].mesh == Path("/cup.obj").resolve() and hands is None and mesh_unit == "mm"
    {extra}
    for name, work in (("masks", quick), ("objects", busy), ("sleep", asleep)):
        on_stage(SimpleNamespace(name=name, state="started"))
        work(Path(out))
        on_stage(SimpleNamespace(name=name, state="done"))
    track = SimpleNamespace(camera_from_object=np.stack([np.eye(4)] * FRAMES), valid=np.ones(FRAMES, bool))
    return SimpleNamespace(objects={{"cup": SimpleNamespace(track=track)}})

def quick(out):
    (out / "stages").mkdir(parents=True)
    np.savez(out / "stages/masks.npz", all=np.eye(FRAMES, 16, dtype=bool))

def busy(out):
    room = np.ones({megabytes} * 131072)
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass

def asleep(out):
    time.sleep(0.3)
"""

DATA = """
class MaskSequence:
    names = ("cup",)
    def __init__(self, arrays): self.all = arrays["all"]; self.num_frames = len(self.all)
    @classmethod
    def from_arrays(cls, arrays): return cls(arrays)
    def mask(self, i, name): return self.all[i]
"""


def checkout(folder: Path, *, frames: int = 5, extra: str = "pass", megabytes: int = 1) -> Path:
    for name, text in (
        ("__init__", ""),
        ("pipeline", PIPELINE.format(frames=frames, extra=extra, megabytes=megabytes)),
        ("data", DATA),
    ):
        path = folder / "dexman_pose" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


JOB = Job(Path("video.mp4"), Path("prompts.json"), {"cup": Path("/cup.obj")}, None, None, "mm")


def test_a_run_is_metered_stage_by_stage(tmp_path: Path) -> None:
    run = run_once(checkout(tmp_path / "there", megabytes=200), JOB, tmp_path / "run")
    assert list(run.costs) == ["import", "masks", "objects", "sleep", "whole run"]
    busy, asleep, whole = (run.costs[name] for name in ("objects", "sleep", "whole run"))
    assert busy.processor > 0.15 and busy.wall >= busy.processor * 0.9
    assert asleep.wall >= 0.3 and asleep.processor < 0.1
    assert whole.wall >= busy.wall + asleep.wall and whole.processor >= busy.processor
    # 200 MiB are held in one stage alone, and given back.
    assert busy.peak_mb > run.costs["masks"].peak_mb + 150
    assert asleep.peak_mb < busy.peak_mb - 100
    assert whole.peak_mb == busy.peak_mb
    assert run.poses["cup"].shape == (5, 4, 4) and run.valid["cup"].all()
    assert np.array_equal(np.unpackbits(run.masks["cup"], axis=1), np.eye(5, 16))


def test_the_package_of_the_checkout_is_the_one_that_runs(tmp_path: Path) -> None:
    runs = [run_once(checkout(tmp_path / str(n), frames=n), JOB, tmp_path / f"run{n}") for n in (3, 4)]
    assert [len(run.poses["cup"]) for run in runs] == [3, 4]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DexmanError, match="failed"):
        run_once(empty, JOB, tmp_path / "none")


def test_masks_kept_in_another_way_are_left_out(tmp_path: Path) -> None:
    there = checkout(tmp_path / "there")
    (there / "dexman_pose/data.py").write_text("class MaskSequence: pass")
    assert run_once(there, JOB, tmp_path / "run").masks == {}


def test_a_run_that_fails_says_which_and_why(tmp_path: Path) -> None:
    there = checkout(tmp_path / "there", extra="raise ValueError('no such box')")
    with pytest.raises(DexmanError, match=r"there failed with status 1: ValueError: no such box"):
        run_once(there, JOB, tmp_path / "run")


def test_a_folder_without_the_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a checkout"):
        checked_checkout(tmp_path)
    assert checked_checkout(checkout(tmp_path)) == tmp_path.resolve()


def test_a_child_that_writes_no_report_has_failed(tmp_path: Path) -> None:
    silent = tmp_path / "silent.py"
    silent.write_text("import sys; job = open(sys.argv[1]).read()")
    with pytest.raises(DexmanError, match="it wrote nothing"):
        run_once(checkout(tmp_path / "there"), JOB, tmp_path / "run", child=silent)
    asked = json.loads((tmp_path / "run/job.json").read_text())
    assert asked["max_frames"] is None and asked["camera"] is None
