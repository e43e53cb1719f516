"""Writing a video and reading it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Clip
from dexman_pose.data.files import TEMPORARY
from dexman_pose.data.video.writer import write_video
from dexman_pose.errors import InputError


def gradient(height: int, width: int, shift: int) -> np.ndarray:
    v, u = np.mgrid[0:height, 0:width]
    return np.stack([(u * 2 + shift) % 200 + 20, v * 3 % 200 + 20, 120 + 0 * u], -1).astype(np.uint8)


def test_frames_come_back(tmp_path: Path) -> None:
    frames = [gradient(48, 64, 10 * k) for k in range(7)]
    path = write_video(tmp_path / "new" / "clip.mp4", iter(frames), 25.0)
    clip = Clip.open(path)
    assert (clip.num_frames, clip.width, clip.height) == (7, 64, 48)
    np.testing.assert_allclose(np.diff(clip.frame_times), 0.04, atol=1e-6)
    for index, frame in enumerate(frames):
        assert np.abs(clip.frame(index).astype(int) - frame).mean() < 4
    assert [p.name for p in path.parent.iterdir()] == ["clip.mp4"]


def test_odd_sizes_are_padded_and_nothing_moves(tmp_path: Path) -> None:
    frames = [gradient(47, 63, 0)] * 3
    clip = Clip.open(write_video(tmp_path / "odd.mp4", frames))
    assert (clip.width, clip.height) == (64, 48)
    assert np.abs(clip.frame(0)[:47, :63].astype(int) - frames[0]).mean() < 4


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> object:
        yield gradient(48, 64, 0)
        yield gradient(32, 64, 0)

    with pytest.raises(InputError, match=r"\(48, 64, 3\)"):
        write_video(tmp_path / "clip.mp4", broken())  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at least one frame"):
        write_video(tmp_path / "clip.mp4", [])
    with pytest.raises(InputError, match="fps"):
        write_video(tmp_path / "clip.mp4", [gradient(8, 8, 0)], 0.0)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_leaves_has_the_name_of_unfinished_files(tmp_path: Path) -> None:
    """A killed process cannot tidy up: the run folder sweeps files by the beginning of their names."""
    names: list[str] = []

    def frames() -> Iterator[np.ndarray]:
        for k in range(3):
            names.extend(p.name for p in tmp_path.iterdir())
            yield gradient(48, 64, k)

    for name in ("overlay.mp4", TEMPORARY + "overlay.mp4"):
        names.clear()
        write_video(tmp_path / name, frames())
        (tmp_path / name).unlink()
        assert names and all(n.startswith(TEMPORARY + "overlay.") for n in names)


@pytest.mark.parametrize("width", [424, 432])
def test_the_same_frames_give_the_same_file(tmp_path: Path, width: int) -> None:
    """Rows of an odd number of blocks, with memory full of other values every time."""
    noise = np.random.default_rng(0).integers(0, 255, (8, width // 8, 3)).astype(np.uint8)
    base = np.kron(noise, np.ones((8, 8, 1), np.uint8))
    files = set()
    for _ in range(4):
        garbage = [
            np.random.default_rng().integers(0, 256, n, np.uint8) for n in (64 * width, 96 * width) * 8
        ]
        del garbage
        path = write_video(
            tmp_path / "a.mp4", (np.roll(base, 3 * t, 1) for t in range(24)), preset="veryfast"
        )
        files.add(path.read_bytes())
    assert len(files) == 1


def test_settings_of_the_encoder_are_its_own(tmp_path: Path) -> None:
    base = np.random.default_rng(1).integers(0, 256, (96, 128, 3), np.uint8)
    frames = [np.roll(base, 3 * t, 1) for t in range(6)]
    sizes = [
        write_video(tmp_path / "a.mp4", frames, preset="veryfast", x264=own).stat().st_size
        for own in ("", "qpmin=40")
    ]
    assert sizes[1] < 0.5 * sizes[0]
