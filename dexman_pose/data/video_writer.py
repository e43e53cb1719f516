"""Writing frames to an H.264 video file, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.errors import InputError, VideoError

Frame = NDArray[np.uint8]


def write_video(path: str | Path, frames: Iterable[Frame], fps: float = 30.0, *, crf: int = 16) -> Path:
    """Write ``frames`` to ``path`` as H.264, yuv420p, readable everywhere; returns the path.

    The file appears when the last frame is written, and not at all when something fails. Odd sizes are padded to
    even ones by repeating the last column or row, as the format demands; every pixel keeps its place.

    Args:
        path: where to; the suffix names the container (``.mp4``, ``.mkv``, ``.mov``).
        frames: RGB uint8 (H, W, 3), all of one size; consumed one by one.
        fps: frames per second.
        crf: quality of libx264, 0 (lossless) to 51; 16 shows no artefacts.

    Raises:
        InputError: no frames, wrong shape or type, changing size, fps not positive, a place that cannot be written.
        VideoError: the container or the encoder refuses.
    """
    path = Path(path)
    if not (np.isfinite(fps) and fps > 0):
        raise InputError(f"fps must be positive, but got {fps}")
    av = require("av", "video", "writing videos")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    os.close(handle)
    try:
        _encode(av, name, frames, Fraction(fps).limit_denominator(1001), crf)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except (av.error.FFmpegError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise VideoError(f"cannot encode {path}: {error}") from error
    finally:
        with suppress(OSError):
            os.unlink(name)
    return path


def _encode(av: Any, name: str, frames: Iterable[Frame], rate: Fraction, crf: int) -> None:
    stream, size = None, None
    with av.open(name, "w") as container:
        for frame in frames:
            if size is None:
                size = frame.shape
                stream = _stream(container, size, rate, crf)
            assert stream is not None
            picture = av.VideoFrame.from_ndarray(_even(frame, size), format="rgb24")
            container.mux(stream.encode(picture))
        if stream is None:
            raise InputError("a video needs at least one frame, but got none")
        container.mux(stream.encode())


def _stream(container: Any, size: tuple[int, ...], rate: Fraction, crf: int) -> Any:
    if len(size) != 3 or size[2] != 3:
        raise InputError(f"a frame must be RGB of shape (H, W, 3), but got {size}")
    stream = container.add_stream("libx264", rate=rate)
    stream.width, stream.height = size[1] + size[1] % 2, size[0] + size[0] % 2
    stream.pix_fmt = "yuv420p"
    # Two threads: the result must not depend on the number of cores, and one is slow.
    stream.options = {"crf": str(crf), "preset": "medium", "threads": "2"}
    return stream


def _even(frame: Frame, size: tuple[int, ...]) -> Frame:
    if frame.shape != size or frame.dtype != np.uint8:
        raise InputError(f"every frame must be uint8 of shape {size}, but got {frame.dtype} {frame.shape}")
    height, width = size[:2]
    if height % 2 or width % 2:
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(frame)
