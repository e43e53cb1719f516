"""Which files of a folder are frames, in the layouts of recorders and data sets."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dexman_pose.data import Clip
from dexman_pose.data.frames.picture_folder import frames_in, natural_key
from dexman_pose.errors import VideoError

KINDS = {
    "rgb": np.full((6, 8, 3), 90, np.uint8),
    "deep": np.full((6, 8), 700, np.uint16),
    "gray": np.full((6, 8), 90, np.uint8),
}


def _folder(root: Path, *files: tuple[str, str]) -> Path:
    """A folder of small pictures by (name, kind)."""
    for name, kind in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(KINDS[kind]).save(root / name)
    return root


@pytest.mark.parametrize(
    ("color", "other", "kind"),
    [
        ("color_{:06d}.jpg", "aligned_depth_to_color_{:06d}.png", "deep"),
        ("color_{:06d}.jpg", "labels_{:06d}.png", "gray"),
        ("frame-{:06d}.color.jpg", "frame-{:06d}.depth.png", "deep"),
        ("{:05d}-color.png", "{:05d}-depth.png", "gray"),
        ("{:04d}_rgb.png", "{:04d}_mask.png", "gray"),
        ("rgb_{:04d}.png", "rgb_{:04d}_mask.png", "gray"),
        ("colorImage_{}.png", "depthImage_{}.png", "deep"),
        ("colorImage_{}.png", "maskImage_{}.png", "rgb"),
        ("color_aligned_to_depth_{}.png", "depth_{}.png", "deep"),
        ("{:06d}.jpg", "{:06d}.png", "deep"),
        ("img_{}.png", "img_{}_normals.png", "rgb"),
        ("{}_color.png", "{}_left.png", "rgb"),
        ("image{:04d}.png", "IR{:04d}.png", "gray"),
    ],
)
def test_pictures_beside_the_frames_are_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, color: str, other: str, kind: str
) -> None:
    numbers = (1, 2, 10)
    _folder(
        tmp_path, *((color.format(t), "rgb") for t in numbers), *((other.format(t), kind) for t in numbers)
    )
    with caplog.at_level(logging.WARNING):
        clip = Clip.from_images(tmp_path)
    assert clip.frame_names == tuple(Path(color.format(t)).stem for t in numbers)
    assert clip.frame_numbers is not None and clip.frame_numbers.tolist() == [1, 2, 10]
    assert "3 of 6 pictures are taken as frames" in caplog.text and other.format(1) in caplog.text


@pytest.mark.parametrize(
    "names",
    [
        ["mask_test_1.png", "mask_test_2.png"],  # a clip may be called so
        ["left_1.png", "right_2.png"],  # no two pictures of one frame
        ["2023_1.png", "2024_2.png", "2024_3.png"],
        ["a.png", "b.png"],
        ["to_1.png", "to_2.png"],
    ],
)
def test_every_picture_is_a_frame_where_nothing_speaks_against_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, names: list[str]
) -> None:
    _folder(tmp_path, *((name, "rgb") for name in names))
    with caplog.at_level(logging.WARNING):
        assert [p.name for p in frames_in(tmp_path)] == names
    assert not caplog.records


def test_gray_clips_of_sixteen_bits_are_clips(tmp_path: Path) -> None:
    _folder(tmp_path, ("1.png", "deep"), ("2.png", "deep"))
    assert Clip.from_images(tmp_path).frame(0)[0, 0].tolist() == [3, 3, 3]  # 700 / 257


def test_hidden_and_foreign_files_are_no_frames(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _folder(tmp_path, ("1.png", "rgb"), ("2.PNG", "rgb"))
    for name in ("._1.png", ".DS_Store", "Thumbs.db", "poses.txt"):
        (tmp_path / name).write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "3.png").mkdir()
    with caplog.at_level(logging.WARNING):
        assert [p.name for p in frames_in(tmp_path)] == ["1.png", "2.PNG"]
    assert not caplog.records


@pytest.mark.parametrize("name", ["rgb", "color", "images", "Images", "frames", "gray"])
def test_a_subfolder_of_colors_stands_for_its_scene(tmp_path: Path, name: str) -> None:
    _folder(
        tmp_path,
        *((f"{name}/{t:06d}.png", "rgb") for t in (3, 4)),
        *((f"depth/{t:06d}.png", "deep") for t in (3, 4)),
        *((f"mask_visib/{t:06d}_000000.png", "gray") for t in (3, 4)),
    )
    clip = Clip.from_images(tmp_path)
    assert clip.frame_numbers is not None and clip.frame_numbers.tolist() == [3, 4]


def test_several_cameras_are_refused(tmp_path: Path) -> None:
    _folder(tmp_path / "a", *((f"{side}_{t}.png", "rgb") for side in ("left", "right") for t in range(3)))
    with pytest.raises(VideoError, match=r"several pictures for every frame \(left_0.png, right_0.png"):
        Clip.from_images(tmp_path / "a")
    _folder(tmp_path / "b", ("cam0/1.png", "rgb"), ("cam1/1.png", "rgb"))
    with pytest.raises(VideoError, match="give one of its folders: cam0, cam1"):
        Clip.from_images(tmp_path / "b")


def test_depth_alone_is_refused(tmp_path: Path) -> None:
    _folder(tmp_path, ("depth_1.png", "deep"), ("depth_2.png", "deep"))
    with pytest.raises(VideoError, match="holds depth images alone"):
        Clip.from_images(tmp_path)


def test_what_is_no_folder_of_pictures_is_named(tmp_path: Path) -> None:
    _folder(tmp_path, ("a/1.png", "rgb"))
    (tmp_path / "heic").mkdir()
    (tmp_path / "heic" / "IMG_1.HEIC").touch()
    for path, message in [
        (tmp_path / "a" / "1.png", "is a file, not a folder of images"),
        (tmp_path / "none", "no folder of images at"),
        (tmp_path / "heic", "holds no images .*, only .HEIC"),
    ]:
        with pytest.raises(VideoError, match=message) as caught:
            Clip.from_images(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(VideoError, match="it is a folder"):
        Clip.from_images([tmp_path / "a"])


def test_sizes_are_compared_when_opening(tmp_path: Path) -> None:
    _folder(tmp_path, *((f"{t}.png", "rgb") for t in range(4)))
    for t in (2, 3):
        Image.fromarray(np.zeros((5, 9, 3), np.uint8)).save(tmp_path / f"{t}.png")
    with pytest.raises(VideoError, match=r"2.png has shape \(5, 9, 3\).*\(2 images differ"):
        Clip.from_images(tmp_path)


@pytest.mark.parametrize(
    "names",
    [["2.png", "10.png"], ["a2b1", "a2b10", "a10b2"], ["x²", "y"], ["1.png", "a.png"], ["A1", "a2", "A3"]],
)
def test_natural_order(names: list[str]) -> None:
    assert [p.name for p in sorted((Path(n) for n in reversed(names)), key=natural_key)] == names


def test_order_does_not_depend_on_the_folder() -> None:
    assert sorted([Path("01"), Path("1")], key=natural_key) == sorted(
        [Path("1"), Path("01")], key=natural_key
    )
