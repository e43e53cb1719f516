"""Mutated pictures, mask pictures and short videos: each is read or refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inputs import fuzz, seeds_of, told
from PIL import Image

from dexman_pose.data import Clip
from dexman_pose.data.frames.mask_picture import read_mask_picture
from dexman_pose.data.frames.picture import read_picture
from dexman_pose.data.video.writer import write_video

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 255, (12, 16, 4)).astype(np.uint8)
MASK = np.zeros((12, 16), np.uint8)
MASK[3:9, 4:11] = 255

PICTURES: dict[str, tuple[str, Image.Image]] = {
    "png": ("a.png", Image.fromarray(BYTES[..., :3])),
    "png, 16 bits": ("a.png", Image.fromarray(BYTES[..., 0].astype(np.uint16) * 257)),
    "png, alpha": ("a.png", Image.fromarray(BYTES)),
    "png, palette": ("a.png", Image.fromarray(BYTES[..., :3]).quantize(16)),
    "jpeg": ("a.jpg", Image.fromarray(BYTES[..., :3])),
    "jpeg, cmyk": ("a.jpg", Image.fromarray(BYTES[..., :3]).convert("CMYK")),
    "tiff": ("a.tif", Image.fromarray(BYTES[..., :3])),
    "tiff, floats": ("a.tif", Image.fromarray(RNG.random((12, 16)).astype(np.float32))),
    "bmp": ("a.bmp", Image.fromarray(BYTES[..., :3])),
    "webp": ("a.webp", Image.fromarray(BYTES[..., :3])),
    "gif": ("a.gif", Image.fromarray(BYTES[..., :3])),
}
MASKS: dict[str, tuple[str, Image.Image]] = {
    f"mask, {name}": (f"m.{name}", Image.fromarray(MASK))
    for name in ("png", "jpg", "tif", "bmp", "webp", "gif")
}


def _look(path: Path, mask: bool) -> None:
    if mask:
        assert read_mask_picture(path).dtype == np.bool_
        return
    assert read_picture(path).dtype == np.uint8
    if path.suffix == ".gif":  # may be a mask or a texture, but no frame
        return
    clip = Clip.from_images(path.parent)
    assert clip.frame(0).shape == (clip.height, clip.width, 3)


@pytest.mark.parametrize("slow", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("form", PICTURES | MASKS)
def test_mutated_pictures_are_read_or_refused(tmp_path: Path, form: str, slow: bool) -> None:
    name, image = (PICTURES | MASKS)[form]
    image.save(tmp_path / name)
    seeds = seeds_of("picture", slow)
    assert fuzz(form, tmp_path, lambda: _look(tmp_path / name, form in MASKS), seeds) > 0


def _written_video(path: Path) -> None:
    frames = [np.full((48, 64, 3), 40 * t, np.uint8) for t in range(5)]
    write_video(path, iter(frames), 30.0)


def _look_at_video(path: Path) -> None:
    clip = Clip.open(path)
    for t in range(clip.num_frames):
        assert clip.frame(t).shape == (clip.height, clip.width, 3)


@pytest.mark.parametrize("slow", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_mutated_videos_are_read_or_refused(tmp_path: Path, slow: bool) -> None:
    path = tmp_path / "a.mp4"
    _written_video(path)
    assert fuzz("mp4", tmp_path, lambda: _look_at_video(path), seeds_of("video", slow)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("form", ["mp4", *(form for form in PICTURES if form != "gif")])
def test_the_command_line_refuses_them_in_one_line(tmp_path: Path, form: str, capsys: Any) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    if form == "mp4":
        path = folder / "a.mp4"
        _written_video(path)
    else:
        name, image = PICTURES[form]
        path = folder
        image.save(folder / name)

    def read() -> None:
        if form == "mp4":
            _look_at_video(path)
        else:
            _look(folder / PICTURES[form][0], False)

    arguments = ["run", str(path), "--box", "cup=2,2,9,9", "--hands", "none"]
    told(folder, read, [*arguments, "--no-overlay", "--out", str(tmp_path / "out")], capsys, 3, form)
