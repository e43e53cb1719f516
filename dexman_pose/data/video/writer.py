"""Writing a video one frame at a time: H.264, complete or not at all."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose._optional import require
from dexman_pose.data.files import TEMPORARY
from dexman_pose.errors import InputError, VideoError

Frame = NDArray[np.uint8]

_TICKS = 90000  # per second; every usual frame rate is a whole or near-whole number of them


def write_video(
    path: str | Path,
    frames: Iterable[Frame],
    fps: float = 30.0,
    *,
    frame_times: ArrayLike | None = None,
    crf: int = 16,
    preset: str = "medium",
    x264: str = "",
) -> Path:
    """Write frames as H.264, yuv420p, readable everywhere, holding one frame at a time; returns the path.

    The file appears when the last frame is written, and not at all when something fails. Odd sizes are padded to even
    ones by repeating the last column or row, as the format demands; every pixel keeps its place.

    Args:
        path: where to; the suffix names the container (``.mp4``, ``.mkv``, ``.mov``).
        frames: RGB uint8 (H, W, 3), all of one size; consumed one by one.
        fps: frames per second, where no times are given.
        frame_times: (T,) seconds, increasing, at least one per frame; kept to 1/90000 s.
        crf: quality of libx264, 0 (lossless) to 51; 16 shows no artefacts.
        preset: libx264's trade of time against size.
        x264: libx264's own settings that differ from the preset's, as ``"subme=1:trellis=0"``.

    Raises:
        InputError: no frames, wrong shape or type, changing size, more frames than times, fps not positive, a place
            that cannot be written.
        VideoError: the container or the encoder refuses.
    """
    path = Path(path)
    if not (np.isfinite(fps) and fps > 0):
        raise InputError(f"fps must be positive, but got {fps}")
    av = require("av", "video", "writing videos")
    times = None if frame_times is None else np.asarray(frame_times, dtype=np.float64)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Named as other unfinished files are, so that the next run in the folder removes what a killed one left.
        prefix = f"{TEMPORARY}{path.stem.removeprefix(TEMPORARY)}."
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    os.close(handle)
    try:
        _encode(
            av,
            name,
            frames,
            Fraction(fps).limit_denominator(1001),
            times,
            {"crf": str(crf), "preset": preset, "x264-params": x264},
        )
        Path(name).chmod(0o644)
        os.replace(name, path)
    except InputError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        raise VideoError(f"cannot encode {path}: {error}") from error
    finally:
        Path(name).unlink(missing_ok=True)
    return path


def _encode(
    av: Any,
    name: str,
    frames: Iterable[Frame],
    rate: Fraction,
    times: NDArray[np.float64] | None,
    options: dict[str, str],
) -> None:
    pictures = iter(frames)
    first = next(pictures, None)
    if first is None:
        raise InputError("a video needs at least one frame, but got none")
    size, last = first.shape, -1
    with av.open(name, "w") as container:
        stream = _stream(container, size, rate if times is None else _rate(times), options)
        for index, frame in enumerate(itertools.chain([first], pictures)):
            picture = av.VideoFrame.from_ndarray(_even(frame, size), format="rgb24")
            last = max(last + 1, _tick(index, rate, times))
            picture.pts, picture.time_base = last, Fraction(1, _TICKS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _tick(index: int, rate: Fraction, times: NDArray[np.float64] | None) -> int:
    """When frame ``index`` is shown, in ticks from the first."""
    if times is None:
        return round(index * _TICKS / rate)
    if index >= len(times):
        raise InputError(f"there are more frames than the {len(times)} frame times given")
    return round(float(times[index] - times[0]) * _TICKS)


def _stream(container: Any, size: tuple[int, ...], rate: Fraction, options: dict[str, str]) -> Any:
    if len(size) != 3 or size[2] != 3:
        raise InputError(f"a frame must be RGB of shape (H, W, 3), but got {size}")
    stream = container.add_stream("libx264", rate=rate)
    stream.width, stream.height = size[1] + size[1] % 2, size[0] + size[0] % 2
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = Fraction(1, _TICKS)
    # Two threads: the result must not depend on the number of cores, and one is slow.
    own = ":".join(filter(None, (options.get("x264-params"), _repeatable())))
    stream.options = {**options, "threads": "2", "x264-params": own}
    return stream


@cache
def _repeatable() -> str:
    """Settings that keep libx264 off its AVX-512 code, whose results differ from run to run by a few grey levels where
    the number of blocks in a row is odd (widths of 424, 432, 848); that for AVX2 repeats.

    Named instruction sets are believed, not checked, so they are only named to a processor that has more.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "asm=AVX2" if {"avx512f", "avx2"} <= set(flags.split()) else ""


def _rate(times: NDArray[np.float64]) -> Fraction:
    """Nominal frames per second, from the median step."""
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return Fraction(1.0 / step).limit_denominator(1001) if step > 1e-4 else Fraction(30)


def _even(frame: Frame, size: tuple[int, ...]) -> Frame:
    if frame.shape != size or frame.dtype != np.uint8:
        raise InputError(f"every frame must be uint8 of shape {size}, but got {frame.dtype} {frame.shape}")
    height, width = size[:2]
    if height % 2 or width % 2:
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(frame)
