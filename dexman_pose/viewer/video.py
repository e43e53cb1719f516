"""Writing an mp4 one frame at a time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose._optional import require
from dexman_pose.errors import InputError

Image = NDArray[np.uint8]

_TICKS = 90000  # per second; every usual frame rate is a whole or near-whole number of them


def write_video(
    path: str | Path, frames: Iterable[Image], frame_times: ArrayLike, *, quality: int = 21
) -> Path:
    """Write frames as an mp4 (H.264) that plays in browsers, holding one frame at a time.

    The file appears under its name only when complete. Pictures with an odd width or height get their last
    column or row repeated, as the format stores even sizes only.

    Args:
        path: the file; its folder is made.
        frames: (H, W, 3) uint8 RGB, all of one size.
        frame_times: (T,) seconds, increasing, at least as many as there are frames; kept to 1/90000 s.
        quality: x264's constant rate factor: 18 visually lossless, 28 small.

    Returns:
        ``path``.

    Raises:
        InputError: no frame, frames of different sizes, or more frames than times.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=".mp4", dir=target.parent)
    os.close(handle)
    try:
        _encode(name, frames, np.asarray(frame_times, dtype=np.float64), quality)
        Path(name).chmod(0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return target


def _encode(name: str, frames: Iterable[Image], times: NDArray[np.float64], quality: int) -> None:
    av = require("av", "video", "writing videos")
    stream: Any = None
    shape: tuple[int, ...] = ()
    last = -1
    with av.open(name, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        for index, image in enumerate(frames):
            if stream is None:
                shape = image.shape
                stream = _stream(container, shape, _rate(times), quality)
            if image.shape != shape:
                raise InputError(f"frame {index} has shape {image.shape}, but the first one had {shape}")
            if index >= len(times):
                raise InputError(f"there are more frames than the {len(times)} frame times given")
            picture = av.VideoFrame.from_ndarray(_even(image), format="rgb24")
            last = max(last + 1, round(float(times[index] - times[0]) * _TICKS))
            picture.pts, picture.time_base = last, Fraction(1, _TICKS)
            container.mux(stream.encode(picture))
        if stream is None:
            raise InputError("a video needs at least one frame, but none was given")
        container.mux(stream.encode(None))


def _stream(container: Any, shape: tuple[int, ...], rate: Fraction, quality: int) -> Any:
    stream = container.add_stream("libx264", rate=rate)
    stream.height, stream.width = shape[0] + shape[0] % 2, shape[1] + shape[1] % 2
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = Fraction(1, _TICKS)
    stream.options = {"crf": str(quality), "preset": "veryfast"}
    return stream


def _rate(times: NDArray[np.float64]) -> Fraction:
    """Nominal frames per second, from the median step."""
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return Fraction(1.0 / step).limit_denominator(1001) if step > 1e-4 else Fraction(30)


def _even(image: Image) -> Image:
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return np.ascontiguousarray(image)
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
