"""Depth in every form, written here and read back in metres; units that cannot be are refused."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.data import Camera, Clip, DepthSequence
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3
from dexman_pose.given.depth import DepthCamera, read_depth
from dexman_pose.given.exr import read_exr

RAMP = (0.4 + 0.001 * np.arange(24)[:, None] + 0.002 * np.arange(32)[None]).astype(np.float32)


def write_each(folder: Path, write: Callable[[Path, NDArray[np.float32]], None]) -> Path:
    folder.mkdir()
    for t in range(4):
        write(folder / f"{t:04d}", RAMP + 0.1 * t)
    return folder


def check(source: Any, clip: Clip, tolerance: float = 1e-6, **options: Any) -> Any:
    found = read_depth(source, clip, **options)
    for t in range(4):
        np.testing.assert_allclose(found.depth.frame(t), RAMP + 0.1 * t, atol=tolerance)
    return found


@pytest.mark.parametrize(
    ("step", "unit"),
    [(0.001, "auto"), (0.001, "mm"), (1 / 4000, "1/4000"), (0.0001, 0.0001), (1 / 5000, "0.0002")],
)
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_whole_numbers(tmp_path: Path, clip: Clip, step: float, unit: Any, suffix: str) -> None:
    folder = write_each(
        tmp_path / "d",
        lambda p, z: Image.fromarray(np.rint(z / step).astype(np.uint16)).save(p.with_suffix(suffix)),
    )
    found = check(folder, clip, step, unit=unit)
    assert found.unit_m == pytest.approx(step)
    assert found.unit_source == ("guessed" if unit == "auto" else "given")
    assert any("guessed" in note for note in found.notes) == (unit == "auto")


@pytest.mark.parametrize("factor", [1.0, 1000.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_metres_or_millimetres_by_their_values(
    tmp_path: Path, clip: Clip, factor: float, dtype: Any
) -> None:
    folder = write_each(tmp_path / "d", lambda p, z: np.save(p, (z * factor).astype(dtype)))
    assert check(folder, clip).unit_source == "guessed"
    np.save(tmp_path / "all.npy", np.stack([RAMP + 0.1 * t for t in range(4)]) * factor)
    np.savez(tmp_path / "all.npz", depth=np.stack([RAMP + 0.1 * t for t in range(4)]) * factor)
    check(tmp_path / "all.npy", clip)
    check(tmp_path / "all.npz", clip)
    check(np.stack([RAMP + 0.1 * t for t in range(4)]) * factor, clip)


def test_ho3d_coding(tmp_path: Path, clip: Clip) -> None:
    def write(path: Path, z: NDArray[np.float32]) -> None:
        steps = np.rint(z / 0.00012498664727900177).astype(np.uint16)
        Image.fromarray(np.dstack([steps & 255, steps >> 8, steps * 0]).astype(np.uint8)).save(f"{path}.png")

    assert check(write_each(tmp_path / "d", write), clip, 7e-5).unit_source == "coded"


def exr_bytes(z: NDArray[np.float32], packing: int, half: bool, names: tuple[str, ...] = ("Z",)) -> bytes:
    """An OpenEXR picture by its specification; every channel holds ``z`` times its place."""
    dtype, kind = (np.dtype("<f2"), 1) if half else (np.dtype("<f4"), 2)
    height, width = z.shape
    chans = b"".join(n.encode() + b"\0" + struct.pack("<iIii", kind, 0, 1, 1) for n in names) + b"\0"
    box = struct.pack("<4i", 2, 5, width + 1, height + 4)
    attributes = [("channels", "chlist", chans), ("compression", "compression", bytes([packing]))]
    attributes += [("dataWindow", "box2i", box), ("displayWindow", "box2i", box)]
    head = struct.pack("<II", 20000630, 2)
    for name, form, value in attributes:
        head += name.encode() + b"\0" + form.encode() + b"\0" + struct.pack("<I", len(value)) + value
    head += b"\0"
    rows = 16 if packing == 3 else 1
    blocks = []
    for y in range(0, height, rows):
        raw = b"".join(
            (z[row] * (c + 1)).astype(dtype).tobytes()
            for row in range(y, min(y + rows, height))
            for c in range(len(names))
        )
        blocks.append(struct.pack("<iI", y + 5, len(pack := packed(raw, packing))) + pack)
    start = len(head) + 8 * len(blocks)
    places = np.cumsum([0, *(len(b) for b in blocks[:-1])]) + start
    return head + places.astype("<u8").tobytes() + b"".join(blocks)


def packed(raw: bytes, packing: int) -> bytes:
    if packing == 0:
        return raw
    split = raw[0::2] + raw[1::2]
    steps = bytes([split[0], *((b - a + 128) % 256 for a, b in pairwise(split))])
    if packing == 1:
        out = b""
        for i in range(0, len(steps), 100):
            part = steps[i : i + 100]
            same = len(set(part)) == 1
            out += (
                struct.pack("<b", len(part) - 1) + part[:1] if same else struct.pack("<b", -len(part)) + part
            )
    else:
        out = zlib.compress(steps)
    return out if len(out) < len(raw) else raw


@pytest.mark.parametrize("packing", [0, 1, 2, 3])
@pytest.mark.parametrize("half", [False, True])
def test_exr(tmp_path: Path, clip: Clip, packing: int, half: bool) -> None:
    folder = write_each(
        tmp_path / "d", lambda p, z: p.with_suffix(".exr").write_bytes(exr_bytes(z, packing, half)) and None
    )
    check(folder, clip, 1e-3 if half else 1e-6)


def test_exr_of_a_renderer_has_other_channels_and_an_endless_background(tmp_path: Path, clip: Clip) -> None:
    z = RAMP.copy()
    z[:4] = 1e10
    names = ("ViewLayer.Combined.A", "ViewLayer.Depth.Z")
    for t in range(4):
        (tmp_path / f"{t}.exr").write_bytes(exr_bytes(z, 3, False, names))
    image = read_depth(tmp_path, clip).depth.frame(1)
    assert (image[:4] == 0).all()
    np.testing.assert_allclose(image[4:], 2 * RAMP[4:])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b[:200], "cut off or damaged"),
        (lambda b: b"junk" + b[4:], "no OpenEXR"),
        (lambda b: b[:4] + struct.pack("<I", 2 | 0x200) + b[8:], "tiled"),
        (
            lambda b: b.replace(b"compression\0\x01\0\0\0\x03", b"compression\0\x01\0\0\0\x04"),
            "packed by PIZ.*ZIP",
        ),
        (lambda b: b.replace(b"\0Z\0", b"\0Q\0").replace(b"Z\0\x02", b"A\0\x02"), None),
    ],
)
def test_exr_that_is_not_read(tmp_path: Path, change: Callable[[bytes], bytes], message: str | None) -> None:
    (tmp_path / "a.exr").write_bytes(change(exr_bytes(RAMP, 3, False)))
    if message is None:  # the only channel counts, whatever its name
        np.testing.assert_array_equal(read_exr(tmp_path / "a.exr"), RAMP)
        return
    with pytest.raises(InputError, match=message):
        read_exr(tmp_path / "a.exr")


def test_depth_is_matched_by_name_and_missing_frames_have_none(
    tmp_path: Path, pictures: Callable[..., Clip]
) -> None:
    clip = pictures(["0000", "0001", "0003", "0004"])
    for t in (0, 2, 3, 4):
        Image.fromarray(np.full((24, 32), 1000 + t, np.uint16)).save(tmp_path / f"{t:04d}.png")
    Image.fromarray(np.zeros((24, 32, 3), np.uint8)).save(tmp_path / ".hidden.png")
    found = read_depth(tmp_path, clip)
    assert [round(1000 * float(found.depth.frame(t).max())) for t in range(4)] == [1000, 0, 1003, 1004]
    assert found.missing == 1 and any("1 of 4 frames have no depth" in note for note in found.notes)
    assert len(found.depth) == 4


def test_colour_pictures_beside_depth_are_left_out(tmp_path: Path, clip: Clip) -> None:
    for t in range(4):
        Image.fromarray(np.full((24, 32, 3), 9, np.uint8)).save(tmp_path / f"{t:04d}-color.png")
        Image.fromarray(np.full((24, 32), 800, np.uint16)).save(tmp_path / f"{t:04d}-depth.png")
    assert read_depth(tmp_path, clip).depth.frame(2)[0, 0] == np.float32(0.8)


def test_pixels_that_measured_nothing(tmp_path: Path, clip: Clip) -> None:
    raw = np.full((24, 32), 700, np.uint16)
    raw[0, :3] = 0, 65535, 700
    for t in range(4):
        Image.fromarray(raw).save(tmp_path / f"{t}.png")
    np.testing.assert_array_equal(read_depth(tmp_path, clip).depth.frame(0)[0, :3] > 0, [False, False, True])


@pytest.mark.parametrize(
    ("values", "unit", "message"),
    [
        (RAMP, "mm", "unit"),
        (RAMP * 1000, "m", "unit"),
        (RAMP * 100, "auto", "unit"),
        ((RAMP * 1).astype(np.uint16) + 1, "auto", "unit"),  # metres cut to whole numbers
        (RAMP, "inch", "unit of depth must be"),
        (RAMP, "-1", "unit of depth must be"),
        (RAMP, "1/0", "unit of depth must be"),
    ],
)
def test_a_unit_that_cannot_be(clip: Clip, values: Any, unit: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_depth(np.stack([values] * 4), clip, unit=unit)


def test_smaller_depth_of_the_same_shape_keeps_the_surface(clip: Clip) -> None:
    small = RAMP.reshape(12, 2, 16, 2).mean((1, 3))
    found = read_depth(np.stack([small] * 4), clip)
    np.testing.assert_allclose(found.depth.frame(0), RAMP, atol=0.0016)  # half a pixel of the ramp
    assert abs(float((found.depth.frame(0) - RAMP).mean())) < 1e-6  # and no shift
    assert any("resized" in note for note in found.notes)
    with pytest.raises(InputError, match="30x24, but the frames are 32x24"):
        read_depth(np.stack([RAMP[:, :30]] * 4), clip)


def test_depth_of_a_camera_of_its_own(tmp_path: Path, clip: Clip) -> None:
    own, color = Camera.from_focal(40.0, 48, 36), Camera.from_focal(30.0, 32, 24)
    motion = se3(np.eye(3), [0.02, 0.0, 0.01])
    stack = np.full((4, 36, 48), 0.5, np.float32)
    (tmp_path / "d.json").write_text(
        json.dumps({"K": own.K.tolist(), "width": 48, "height": 36, "color_from_depth": motion.tolist()})
    )
    for camera in (DepthCamera(own, motion), tmp_path / "d.json"):
        image = read_depth(stack, clip, depth_camera=camera, color_camera=color).depth.frame(1)
        np.testing.assert_allclose(image[image > 0], 0.51, atol=1e-6)
        assert (image > 0).mean() > 0.8
    with pytest.raises(InputError, match="intrinsics of the colour camera"):
        read_depth(stack, clip, depth_camera=DepthCamera(own, motion))
    far = DepthCamera(own, se3(np.eye(3), [20.0, 0, 10]))
    with pytest.raises(InputError, match="millimetres"):
        read_depth(stack, clip, depth_camera=far, color_camera=color)
    (tmp_path / "e.json").write_text(json.dumps({"K": own.K.tolist(), "width": 48, "height": 36}))
    with pytest.raises(InputError, match="color_from_depth"):
        read_depth(stack, clip, depth_camera=tmp_path / "e.json", color_camera=color)


def test_a_depth_picture_in_colours_has_lost_its_numbers(tmp_path: Path, clip: Clip) -> None:
    for t in range(4):
        Image.fromarray(np.full((24, 32, 3), (90, 20, 130), np.uint8)).save(tmp_path / f"{t}.png")
    with pytest.raises(InputError, match="drawn from depth"):
        read_depth(tmp_path, clip)


def test_a_sequence_of_the_user_is_taken_as_it_is(clip: Clip) -> None:
    depth = DepthSequence.from_arrays(np.stack([RAMP] * 5))
    assert read_depth(depth, clip).depth is depth
    with pytest.raises(InputError, match="unit"):
        read_depth(DepthSequence.from_arrays(np.stack([RAMP] * 4), 0.001), clip)


def test_what_is_masked_out_of_an_array_is_not_measured() -> None:
    clip = Clip.from_frames(np.zeros((2, 6, 8, 3), np.uint8))
    values = np.full((2, 6, 8), 0.5)
    values[:, 2:] = 7.0
    hidden = np.zeros(values.shape, bool)
    hidden[:, 2:] = True
    found = read_depth(np.ma.array(values, mask=hidden), clip).depth.frame(1)
    assert (found[:2] == 0.5).all() and (found[2:] == 0).all()
