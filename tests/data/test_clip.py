"""Reading videos: every container, order and kind of damage, on clips whose frames carry their own number."""

from __future__ import annotations

import logging
import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.data import Clip
from dexman_pose.data.clip import numbers_of
from dexman_pose.data.video import reader as video_reader
from dexman_pose.errors import InputError, VideoError

av = pytest.importorskip("av")
VideoMaker = Callable[..., Path]


def number_of(image: NDArray[np.uint8]) -> int:
    """The number that the fixture's video shows in the blocks along its top."""
    height, width = image.shape[:2]
    cell = width // 8
    cells = [image[1 : height // 4 - 1, b * cell + 1 : (b + 1) * cell - 1].mean() > 145 for b in range(8)]
    return sum(int(on) << bit for bit, on in enumerate(cells))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {}),
        ("long_gop.mp4", {"gop": 100}),
        ("a.mkv", {}),
        ("a.ts", {}),
        ("a.flv", {}),
        ("raw.h264", {}),
        ("a.avi", {"codec": "mpeg4"}),
        ("motion.avi", {"codec": "mjpeg", "pixels": "yuvj420p"}),
        ("a.webm", {"codec": "libvpx-vp9"}),
        ("odd.mkv", {"codec": "ffv1", "pixels": "yuv444p", "size": (97, 63)}),
        ("ten_bit.mp4", {"pixels": "yuv420p10le"}),
        ("gray.mkv", {"codec": "ffv1", "pixels": "gray"}),
        ("alpha.mkv", {"codec": "ffv1", "pixels": "bgra"}),
        ("a.gif", {"codec": "gif", "pixels": "rgb8"}),
    ],
)
def test_every_order_of_reading_gives_the_same_frames(
    make_video: VideoMaker, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, Any]
) -> None:
    size = options.get("size", (96, 64))
    monkeypatch.setattr(video_reader, "REVERSE_BYTES", 3 * size[0] * size[1] * 4)  # pieces of four frames
    monkeypatch.setattr(video_reader, "CACHE_BYTES", 3 * size[0] * size[1] * 2)
    clip = Clip.open(make_video(name, **options))
    assert (clip.num_frames, clip.width, clip.height) == (40, *size)
    assert clip.fps == pytest.approx(25.0, rel=1e-3)
    forward = dict(clip.frames())
    assert [number_of(frame) for frame in forward.values()] == list(range(40))
    assert all(f.dtype == np.uint8 and f.shape == (size[1], size[0], 3) for f in forward.values())
    backward = list(clip.frames(reverse=True))
    assert [i for i, _ in backward] == list(range(39, -1, -1))
    assert all((frame == forward[i]).all() for i, frame in backward)
    for i in [0, 39, 17, 18, 19, 5, 5, 31, 30]:
        np.testing.assert_array_equal(clip.frame(i), forward[i])


def test_a_part_of_the_clip_in_both_directions(make_video: VideoMaker) -> None:
    clip = Clip.open(make_video())
    assert [(i, number_of(f)) for i, f in clip.frames(7, 23)] == [(i, i) for i in range(7, 23)]
    assert [(i, number_of(f)) for i, f in clip.frames(7, 23, reverse=True)] == [
        (i, i) for i in range(22, 6, -1)
    ]
    assert list(clip.frames(5, 5)) == []


def test_two_readings_at_once_do_not_disturb_each_other(make_video: VideoMaker) -> None:
    clip = Clip.open(make_video())
    for (i, a), (j, b) in zip(clip.frames(), clip.frames(10, reverse=True)):
        assert (number_of(a), number_of(b)) == (i, j)
        assert number_of(clip.frame((3 * i) % 40)) == (3 * i) % 40


@pytest.mark.parametrize(("rotation", "corner"), [(0, (1, 0)), (90, (1, 1)), (180, (0, 1)), (-90, (0, 0))])
def test_rotation_flags_make_the_picture_upright(
    make_video: VideoMaker, rotation: int, corner: tuple[int, int]
) -> None:
    """The red quarter, stored at the bottom left, goes counter-clockwise by the flag's angle."""
    clip = Clip.open(make_video(rotation=rotation))
    assert (clip.width, clip.height) == ((96, 64) if rotation % 180 == 0 else (64, 96))
    frame = clip.frame(0).astype(int)
    assert frame.shape == (clip.height, clip.width, 3)
    red = frame[..., 0] - frame[..., 1] > 80
    h, w = clip.height // 2, clip.width // 2
    share = np.array([[red[:h, :w].mean(), red[:h, w:].mean()], [red[h:, :w].mean(), red[h:, w:].mean()]])
    assert np.unravel_index(share.argmax(), (2, 2)) == corner
    assert share[corner] > 0.9 and share.sum() < 1.1


def test_variable_frame_rate_keeps_the_real_times(make_video: VideoMaker) -> None:
    stamps = np.cumsum([0, 40, 40, 200, 10, 33, 40, 500, 40, 40]).tolist()
    clip = Clip.open(make_video("vfr.mkv", 10, milliseconds=[s + 120 for s in stamps]))
    np.testing.assert_allclose(clip.frame_times, np.array(stamps) / 1000.0, atol=1e-9)
    assert clip.fps == pytest.approx(25.0, rel=0.05)
    assert number_of(clip.frame(7)) == 7


def test_raw_streams_without_times_get_even_ones(make_video: VideoMaker) -> None:
    times = Clip.open(make_video("raw.h264")).frame_times
    np.testing.assert_allclose(times, np.arange(40) / 25.0)


def test_max_frames(make_video: VideoMaker) -> None:
    path = make_video()
    clip = Clip.open(path, max_frames=13)
    assert clip.num_frames == 13 and [i for i, _ in clip.frames(reverse=True)] == list(range(12, -1, -1))
    assert Clip.open(path, max_frames=1000).num_frames == 40
    with pytest.raises(VideoError, match="1 or more, but got 0"):
        Clip.open(path, max_frames=0)


def _cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    cut = path.with_name(f"cut_{path.name}")
    cut.write_bytes(data[: int(len(data) * share)])
    return cut


@pytest.mark.parametrize(("name", "container"), [("a.mp4", {"movflags": "faststart"}), ("a.mkv", {})])
def test_a_cut_off_video_says_how_many_frames_are_good(
    make_video: VideoMaker, name: str, container: dict[str, str]
) -> None:
    cut = _cut(make_video(name, container=container, size=(192, 128), gop=5), 0.6)
    with pytest.raises(VideoError, match=r"of 40 frames decode.*max_frames=\d+ \(--max-frames") as caught:
        Clip.open(cut)
    assert "\n" not in str(caught.value) and str(cut) in str(caught.value)
    good = int(str(caught.value).split("max_frames=")[1].split()[0])
    assert 3 < good < 40
    clip = Clip.open(cut, max_frames=good)
    assert [number_of(f) for _, f in clip.frames()] == list(range(good))
    with pytest.raises(VideoError, match="cut off"):
        Clip.open(cut, max_frames=39)


def test_a_cut_off_video_without_its_index_is_refused(make_video: VideoMaker) -> None:
    with pytest.raises(VideoError, match="cannot be opened as a video"):
        Clip.open(_cut(make_video(), 0.5))


def test_damage_inside_is_noticed(make_video: VideoMaker) -> None:
    path = make_video("a.avi", codec="mjpeg", pixels="yuvj420p")
    data = bytearray(path.read_bytes())
    start = data.index(b"\xff\xd8", len(data) // 2)
    data[start : start + 700] = bytes(700)
    path.write_bytes(data)
    with pytest.raises(VideoError, match="damaged"):
        Clip.open(path)


def _patched(path: Path, box: bytes, offset: int, value: bytes) -> Path:
    """A copy of an MP4 file with bytes of a box of its index replaced, ``offset`` bytes from the box's name."""
    data = bytearray(path.read_bytes())
    at = data.rindex(box) + offset
    data[at : at + len(value)] = value
    patched = path.with_name(f"patched_{path.name}")
    patched.write_bytes(data)
    return patched


@pytest.mark.parametrize("entry", [12, 31, 38])
def test_an_index_that_points_beyond_the_file_is_refused(make_video: VideoMaker, entry: int) -> None:
    """The size of one picture is damaged, so it and those after it are lost: even the last two count."""
    cut = _patched(make_video(), b"stsz", 16 + 4 * entry, b"\xff")
    with pytest.raises(VideoError, match=r"cut off or damaged: \d+ of 40 frames decode") as caught:
        Clip.open(cut)
    good = int(str(caught.value).split("max_frames=")[1].split()[0])
    assert 0 < good <= entry
    assert [number_of(f) for _, f in Clip.open(cut, max_frames=good).frames()] == list(range(good))


def test_frames_hidden_by_the_index_are_told(
    make_video: VideoMaker, caplog: pytest.LogCaptureFixture
) -> None:
    """A time before the edit list's beginning, which is what trimming looks like and damage may."""
    path = make_video()
    with caplog.at_level(logging.WARNING):
        assert Clip.open(path).num_frames == 40
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        clip = Clip.open(
            _patched(path, b"elst", 12, (400).to_bytes(4, "big"))
        )  # shows 0.4 s, in units of 1 ms
    assert 8 <= clip.num_frames <= 12
    assert f"shows {clip.num_frames} of its 40 frames" in caplog.text


def test_tags_in_any_encoding_do_not_matter(make_video: VideoMaker) -> None:
    path = make_video()
    data = path.read_bytes()
    path.write_bytes(data.replace(b"Lavf", b"\xff\xfeL\xe9"))
    assert Clip.open(path).num_frames == 40


def test_sound_without_pictures_is_no_clip(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        for _ in range(8):
            frame.pts = None
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    with pytest.raises(VideoError, match="holds no video, only audio"):
        Clip.open(path)


def test_what_is_no_video_file_is_named(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.mp4", tmp_path / "text.mp4"
    empty.touch()
    text.write_text("not a video " * 100)
    for path, message in [
        (tmp_path / "none.mp4", "no video file at"),
        (tmp_path, "is a folder"),
        (empty, "is empty"),
        (text, "cannot be opened as a video"),
    ]:
        with pytest.raises(VideoError, match=message) as caught:
            Clip.open(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_damage_leaves_no_chatter(make_video: VideoMaker, capfd: pytest.CaptureFixture[str]) -> None:
    cut = _cut(make_video("a.mkv", size=(192, 128)), 0.6)
    capfd.readouterr()
    with pytest.raises(VideoError):
        Clip.open(cut)
    assert capfd.readouterr() == ("", "")


def test_reading_keeps_few_frames_in_memory(make_video: VideoMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred frames of 230 kB, backwards in pieces of six; only arrays are traced, not decoder pictures."""
    clip = Clip.open(make_video(count=100, size=(320, 240), gop=100))
    frame_bytes = 3 * 320 * 240
    monkeypatch.setattr(video_reader, "REVERSE_BYTES", 6 * frame_bytes)
    for reverse in (False, True):
        tracemalloc.start()
        for _ in clip.frames(reverse=reverse):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 6 * frame_bytes


def test_frames_belong_to_the_caller(make_video: VideoMaker) -> None:
    for clip in (Clip.open(make_video()), Clip.from_frames(np.zeros((2, 8, 8, 3), np.uint8))):
        before = clip.frame(1).copy()
        clip.frame(1)[:] = 7
        next(f for i, f in clip.frames() if i == 1)[:] = 7
        np.testing.assert_array_equal(clip.frame(1), before)


def test_frames_that_do_not_exist(make_video: VideoMaker) -> None:
    clip = Clip.open(make_video(count=5))
    for index in (-1, 5):
        with pytest.raises(InputError, match="frames are 0 to 4"):
            clip.frame(index)
    with pytest.raises(InputError, match="frames 3 to 6"):
        clip.frames(3, 6)


def test_a_clip_travels_to_another_process(make_video: VideoMaker) -> None:
    clip = Clip.open(make_video())
    clip.frame(3)
    assert number_of(pickle.loads(pickle.dumps(clip)).frame(4)) == 4


def test_sha256_is_that_of_the_content(make_video: VideoMaker) -> None:
    import hashlib

    path = make_video()
    assert Clip.open(path).sha256() == hashlib.sha256(path.read_bytes()).hexdigest()
    frames = np.zeros((3, 4, 5, 3), np.uint8)
    first = Clip.from_frames(frames).sha256()
    assert first == Clip.from_frames(frames.copy()).sha256()
    assert first != Clip.from_frames(frames, fps=10).sha256()
    frames[1, 2, 3, 0] = 1
    assert first != Clip.from_frames(frames).sha256()


def test_clips_from_memory() -> None:
    frames = [np.full((4, 6, 3), i, np.uint8) for i in range(5)]
    clip = Clip.from_frames(frames, fps=10)
    assert (clip.num_frames, clip.width, clip.height, clip.path) == (5, 6, 4, None)
    np.testing.assert_allclose(clip.frame_times, [0, 0.1, 0.2, 0.3, 0.4])
    assert [(i, int(f[0, 0, 0])) for i, f in clip.frames(1, 4, reverse=True)] == [(3, 3), (2, 2), (1, 1)]
    for wrong, message in [
        ([], "at least one frame"),
        ([frames[0], np.zeros((4, 5, 3), np.uint8)], r"frame 1 has shape \(4, 5, 3\)"),
        ([frames[0].astype(float)], "frame 0 must be RGB uint8"),
        (np.zeros((2, 4, 4), np.uint8), "frame 0 must be RGB uint8"),
    ]:
        with pytest.raises(VideoError, match=message):
            Clip.from_frames(wrong)
    with pytest.raises(VideoError, match="fps must be positive"):
        Clip.from_frames(frames, fps=0)


def test_clips_from_images_are_in_natural_order(tmp_path: Path) -> None:
    for i in (10, 2, 1):
        Image.fromarray(np.full((4, 6, 3), i, np.uint8)).save(tmp_path / f"image_{i}.png")
    clip = Clip.from_images(tmp_path, fps=5)
    assert [int(f[0, 0, 0]) for _, f in clip.frames()] == [1, 2, 10]
    assert clip.path == tmp_path and clip.fps == pytest.approx(5)
    Image.fromarray(np.zeros((5, 6, 3), np.uint8)).save(tmp_path / "image_11.png")
    with pytest.raises(VideoError, match=r"image_11.png has shape \(5, 6, 3\)"):
        list(Clip.from_images(tmp_path).frames())
    (tmp_path / "image_1.png").write_bytes(b"no image")
    with pytest.raises(VideoError, match=r"image_1.png cannot be read"):
        Clip.from_images(tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(VideoError, match="holds no images"):
        Clip.from_images(tmp_path / "none")


def test_frames_keep_the_names_and_numbers_of_their_files(tmp_path: Path) -> None:
    for name in ("color_000013", "color_000007", "color_000112"):
        Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / f"{name}.png")
    clip = Clip.from_images(tmp_path)
    assert clip.frame_names == ("color_000007", "color_000013", "color_000112")
    assert clip.frame_numbers is not None and clip.frame_numbers.tolist() == [7, 13, 112]
    assert Clip.from_images(tmp_path, max_frames=2).frame_names == ("color_000007", "color_000013")
    memory = Clip.from_frames(np.zeros((2, 4, 6, 3), np.uint8))
    assert memory.frame_names == () and memory.frame_numbers is None


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["frame-000001.color", "frame-000004.color"], [1, 4]),
        (["cam2_9", "cam2_10"], [9, 10]),
        (["a", "b"], None),
        (["1", "one"], None),
        (["2", "1"], None),
        (["left_3", "right_3"], None),
        (["1" * 30, "2" * 30], None),
        ([], None),
    ],
)
def test_numbers_in_names(names: list[str], numbers: list[int] | None) -> None:
    found = numbers_of(names)
    assert (None if found is None else found.tolist()) == numbers


@pytest.mark.data
def test_real_clips_read_the_same_both_ways(data_dir: Path) -> None:
    for path in sorted((data_dir / "clips").glob("*/*.mp4")):
        clip = Clip.open(path)
        part = dict(clip.frames(40, 100))
        assert all((frame == part[i]).all() for i, frame in clip.frames(40, 100, reverse=True))
        np.testing.assert_array_equal(clip.frame(77), part[77])


@pytest.mark.parametrize("reverse", [False, True])
def test_shared_frames_are_the_same_and_cannot_be_changed(reverse: bool) -> None:
    clip = Clip.from_frames(np.arange(3 * 4 * 5 * 3, dtype=np.uint8).reshape(3, 4, 5, 3))
    shared = list(clip.frames(1, reverse=reverse, shared=True))
    own = list(clip.frames(1, reverse=reverse))
    assert [i for i, _ in shared] == [i for i, _ in own] == ([2, 1] if reverse else [1, 2])
    for (_, a), (_, b) in zip(shared, own, strict=True):
        np.testing.assert_array_equal(a, b)
        with pytest.raises(ValueError, match="read-only"):
            a[0, 0] = 0
        b[0, 0] = 0  # the caller's own
    np.testing.assert_array_equal(clip.frame(1), shared[-1 if reverse else 0][1])


def test_shared_frames_of_a_video_are_its_frames(make_video: VideoMaker) -> None:
    clip = Clip.open(make_video())
    for (i, a), (j, b) in zip(clip.frames(shared=True), clip.frames(), strict=True):
        assert i == j
        np.testing.assert_array_equal(a, b)
