"""The pictures of the page: single JPEGs while they are few and small, a film where they are not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Clip
from dexman_pose.data.video.writer import write_video
from dexman_pose.imaging.resize import resize_picture
from dexman_pose.viewer.replay.shown import ReplayOptions

Image = NDArray[np.uint8]
_BITS = 8
_KILO = 1000


@dataclass(frozen=True)
class Pictures:
    """Coded pictures.

    Attributes:
        data: JPEG files one after the other, or an mp4.
        about: what the script needs to take them apart.
        kept: frames of the clip that were asked for as they are, by index.
    """

    data: bytes
    about: dict[str, Any]
    kept: dict[int, Image]


def jpeg(picture: Image, quality: int) -> bytes:
    """A picture (H, W, 3) as the bytes of a JPEG file."""
    done, coded = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    assert done
    return bytes(coded.data)


def pictures(
    clip: Clip,
    frames: NDArray[np.int64],
    times: Array,
    size: tuple[int, int],
    options: ReplayOptions,
    also: Callable[[int], None],
    keep: Collection[int] = (),
) -> Pictures:
    """Code the pictures of frames, going through the clip once.

    Args:
        clip: whose pictures they are.
        frames: (S,) indices, increasing.
        times: (S,) seconds.
        size: width and height of the pictures.
        options: how large they may be.
        also: called with every index of ``frames`` as the clip goes by.
        keep: frames that are handed back in their full size.
    """
    kept: dict[int, Image] = {}
    wanted = {int(frame): index for index, frame in enumerate(frames)}
    probes = np.unique(np.linspace(0, len(frames) - 1, options.probes).astype(int))
    sizes = [len(jpeg(resize_picture(clip.frame(int(frames[i])), size), options.quality)) for i in probes]
    whole = int(np.mean(sizes) * len(frames))
    film = whole > options.jpeg_bytes and find_spec("av") is not None
    every = 1 if film else max(1, -(-whole // options.jpeg_bytes))

    def passing() -> Iterator[Image]:
        for frame, picture in clip.frames(0, max(int(frames[-1]), *keep, 0) + 1):
            if frame in keep:
                kept[frame] = picture
            index = wanted.get(frame)
            if index is not None:
                also(index)
                if index % every == 0:
                    yield resize_picture(picture, size)

    if film:
        return Pictures(_film(passing(), times, options), {"kind": "mp4"}, kept)
    parts = [jpeg(picture, options.quality) for picture in passing()]
    ends = np.cumsum([len(part) for part in parts]).tolist()
    return Pictures(b"".join(parts), {"kind": "jpeg", "every": every, "ends": ends}, kept)


def _film(passing: Iterator[Image], times: Array, options: ReplayOptions) -> bytes:
    long = max(float(times[-1] - times[0]), 1.0)
    most = max(1, int(_BITS * options.film_bytes / long / _KILO))
    limits = (
        f"subme=1:trellis=0:ref=1:keyint={options.group}:bframes=0:vbv-maxrate={most}:vbv-bufsize={2 * most}"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = write_video(
            Path(folder) / "film.mp4",
            passing,
            frame_times=times,
            crf=options.rate,
            preset="veryfast",
            x264=limits,
        )
        return path.read_bytes()
