"""Decoded pictures as RGB: chroma interpolated where it was sampled, the matrix and range that the file names.

What a file does not say is taken as players take it: BT.709 from 720 rows or 1280 columns on, BT.601 below, limited
range. Pictures coded as HLG or PQ are mapped to display colours (:mod:`dexman_pose.data.frames.hdr`).
"""

from __future__ import annotations

from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.data.frames.hdr import TRANSFERS, HighRange
from dexman_pose.errors import VideoError

log = getLogger(__name__)

# Values of libswscale: bilinear, full chroma interpolation, exact rounding. Without the second chroma is repeated,
# without the third the first two are ignored and everything is up to 1.5 levels too dark.
_EXACT = 0x2 | 0x2000 | 0x40000

BT709, BT601, BT2020 = 1, 5, 9
_MATRICES = {
    1: BT709,
    4: 4,
    5: BT601,
    6: BT601,
    7: 7,
    9: BT2020,
    10: BT2020,
}  # of ITU-T H.273; 4 FCC, 7 SMPTE 240M
_UNKNOWN_MATRICES = {8: "YCgCo", 11: "YDzDx", 14: "ICtCp", 15: "IPT-C2 (Dolby Vision)"}
_HD_ROWS, _HD_COLUMNS = 720, 1280
_FULL_RANGE = 2


class ColorConverter:
    """Turns decoded pictures of one file into RGB; keeps libswscale's tables from one picture to the next.

    Args:
        path: the file, for messages.
    """

    def __init__(self, path: Path) -> None:
        require("av", "video", "reading videos")
        from av.video.reformatter import VideoReformatter

        self._path = path
        self._reformatter: Any = VideoReformatter()
        self._high_range: HighRange | None = None

    def rgb(self, picture: Any) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 display colours of a PyAV frame, as stored: neither turned nor mirrored.

        Raises:
            VideoError: the colours are coded in a way that cannot be converted.
        """
        transfer = int(picture.color_trc)
        if transfer not in TRANSFERS:
            converted = self._converted(picture, "rgb24")
            out: NDArray[np.uint8] = converted.to_ndarray()
            return out.copy() if converted is picture else out  # else it may be the decoder's own memory
        white = _white_code(picture)
        if self._high_range is None or (self._high_range.transfer, self._high_range.white) != (
            transfer,
            white,
        ):
            self._high_range = HighRange(transfer, white)
        planes = self._converted(picture, "gbrp16le")
        return self._high_range.display_colors(planes.to_ndarray())

    def _converted(self, picture: Any, wanted: str) -> Any:
        return self._reformatter.reformat(
            picture,
            format=wanted,
            interpolation=_EXACT,
            src_colorspace=matrix_of(picture, self._path),
            src_color_range=int(picture.color_range) or None,
        )


def matrix_of(picture: Any, path: Path) -> int | None:
    """The matrix of a picture's YCbCr in libswscale's numbers, None for pictures that are stored as RGB or grey.

    Raises:
        VideoError: a matrix that is not known to libswscale.
    """
    if picture.format.is_rgb or len(picture.format.components) < 3:
        return None
    tagged = int(picture.colorspace)
    if tagged in _UNKNOWN_MATRICES:
        raise VideoError(
            f"{path} stores its colours as {_UNKNOWN_MATRICES[tagged]}, which is not read; convert it first, for "
            "example: ffmpeg -i IN -c:v libx264 -crf 12 -pix_fmt yuv420p OUT.mp4"
        )
    hd = picture.height >= _HD_ROWS or picture.width >= _HD_COLUMNS
    return _MATRICES.get(tagged, BT709 if hd else BT601)


def _white_code(picture: Any) -> int:
    """The 16-bit code that libswscale makes of white: it shifts bits and fills no more in."""
    if int(picture.color_range) != _FULL_RANGE and not picture.format.is_rgb:
        return 255 << 8
    bits = int(picture.format.components[0].bits)
    return ((1 << bits) - 1) << (16 - bits)


def note_colors(picture: Any, path: Path) -> None:
    """Warn once per file where its colours have to be mapped to those of a display."""
    transfer = int(picture.color_trc)
    if transfer in TRANSFERS:
        log.warning(
            "%s is %s video: its colours are mapped to display colours (diffuse white at 203 cd/m2, highlights "
            "compressed)",
            path,
            TRANSFERS[transfer],
        )
