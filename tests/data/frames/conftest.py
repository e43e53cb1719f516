"""Videos of pictures whose stored samples are known exactly, coded without loss."""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))  # tests are imported one by one: their helper is found here

av = pytest.importorskip("av")

Array = NDArray[np.float64]
PlaneWriter = Callable[..., Path]


@pytest.fixture
def write_planes(tmp_path: Path) -> PlaneWriter:
    """Write a lossless video of one picture, given as planes, with tags (numbers of ITU-T H.273; None: not tagged)."""

    def write(
        name: str,
        planes: list[Array],
        pixels: str,
        *,
        codec: str = "libx264",
        matrix: int | None = None,
        full: bool = False,
        transfer: int | None = None,
        count: int = 2,
    ) -> Path:
        path = tmp_path / name
        height, width = planes[0].shape
        with av.open(str(path), "w") as out:
            stream: Any = out.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = width, height, pixels
            stream.options = {"qp": "0", "preset": "ultrafast"} if codec == "libx264" else {}
            context = stream.codec_context
            tags = {"colorspace": matrix, "color_range": 2 if full else None, "color_trc": transfer}
            for tag, value in tags.items():
                if value is not None:
                    setattr(context, tag, value)
            for i in range(count):
                picture = _picture(planes, pixels)
                picture.pts, picture.time_base = i, Fraction(1, 25)
                for tag, value in tags.items():
                    if value is not None:
                        setattr(picture, tag, value)
                out.mux(stream.encode(picture))
            out.mux(stream.encode())
        return path

    return write


def _picture(planes: list[Array], pixels: str) -> Any:
    height, width = planes[0].shape
    picture = av.VideoFrame(width, height, pixels)
    kind = np.uint16 if pixels.endswith("10le") else np.uint8
    for plane, values in zip(picture.planes, planes, strict=True):
        rows, columns = values.shape
        padded = np.zeros((rows, plane.line_size // np.dtype(kind).itemsize), kind)
        padded[:, :columns] = np.rint(values)
        plane.update(padded.tobytes())
    return picture
