"""A run folder belongs to one clip."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import dexman_pose as dp
from dexman_pose.data.files import read_json_or_none
from dexman_pose.pipeline.hashing import hash_file


def run(scene: Any, video: Any, out: Path, **options: Any) -> list[str]:
    """Run; the stages that were computed."""
    computed: list[str] = []

    def listen(event: Any) -> None:
        if event.state == "done":
            computed.append(event.name)

    prompt = dp.ObjectPrompt(box=scene.box, mesh=scene.mesh)
    dp.reconstruct(
        video,
        {"box": prompt},
        camera=scene.camera,
        hands=None,
        overlay=False,
        out=out,
        on_stage=listen,
        **options,
    )
    return computed


def write_frames(folder: Path, frames: list[Any]) -> Path:
    folder.mkdir(parents=True)
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{i}.png")
    return folder


@pytest.fixture
def clips(tiny_scene: Any, tmp_path: Path) -> tuple[Path, Path]:
    """Two different clips of one size and length."""
    return (
        write_frames(tmp_path / "first", tiny_scene.frames),
        write_frames(tmp_path / "second", [f ^ 1 for f in tiny_scene.frames]),
    )


def test_another_clips_folder_is_refused_and_stays_as_it_is(
    tiny_scene: Any, clips: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(tiny_scene, clips[0], out)
    before = {p: hash_file(p) for p in out.rglob("*") if p.is_file()}
    with pytest.raises(dp.InputError, match=r"holds the run of another clip .*first.*--overwrite"):
        run(tiny_scene, clips[1], out)
    assert {p: hash_file(p) for p in out.rglob("*") if p.is_file()} == before
    assert run(tiny_scene, clips[0], out) == []


def test_overwriting_leaves_nothing_of_the_old_clip(
    tiny_scene: Any, clips: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(tiny_scene, clips[0], out)
    for name in (
        "overlay.mp4",
        "report.html",
        "error.log",
        "notes.txt",
        "stages/old.json",
        "stages/old/x.npz",
    ):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("of the first clip")
    computed = run(tiny_scene, clips[1], out, overwrite=True)
    assert "masks" in computed and "trajectory" in computed
    left = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    alone = tmp_path / "alone"
    run(tiny_scene, clips[1], alone)
    made = {str(p.relative_to(alone)) for p in alone.rglob("*") if p.is_file()}
    assert left == made | {"notes.txt"}
    assert hash_file(out / "trajectory.npz") == hash_file(alone / "trajectory.npz")


def test_overwrite_does_not_keep_a_run_of_the_same_clip_from_going_on(
    tiny_scene: Any, clips: tuple[Path, Path], tmp_path: Path
) -> None:
    run(tiny_scene, clips[0], tmp_path / "out", overwrite=True)
    assert run(tiny_scene, clips[0], tmp_path / "out", overwrite=True) == []


def test_a_moved_clip_and_fewer_frames_are_the_same_clip(
    tiny_scene: Any, clips: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(tiny_scene, clips[0], out)
    assert "masks" in run(tiny_scene, clips[0], out, max_frames=3)
    run(tiny_scene, clips[0], out)
    moved = tmp_path / "moved"
    shutil.copytree(clips[0], moved)
    assert run(tiny_scene, moved, out) == []


def test_frames_in_memory_are_told_by_the_first(tiny_scene: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(tiny_scene, tiny_scene.frames, out)
    assert run(tiny_scene, np.stack(tiny_scene.frames), out) == []
    with pytest.raises(dp.InputError, match=r"another clip \(frames in memory\)"):
        run(tiny_scene, tiny_scene.frames[::-1], out)


def test_a_folder_without_a_run_may_hold_anything(
    tiny_scene: Any, clips: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    run(tiny_scene, clips[0], out)
    assert (out / "notes.txt").read_text() == "mine"
    assert isinstance(read_json_or_none(out / "run.json"), dict)
