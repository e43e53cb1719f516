"""Which way up a stored picture is shown: quarter turns and mirrors of the display matrix of MP4, MOV and H.264."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

log = getLogger(__name__)

_SLACK = 0.02  # entries of a matrix of length 1; quarter turns are written with whole numbers


@dataclass(frozen=True)
class Orientation:
    """How a stored picture is made upright: mirrored left to right first, then turned.

    Attributes:
        quarter_turns: counter-clockwise quarter turns, 0 to 3.
        mirrored: whether left and right are exchanged before turning.
    """

    quarter_turns: int = 0
    mirrored: bool = False

    def upright(self, image: NDArray[Any]) -> NDArray[Any]:
        """The picture (H, W, ...) as it is shown, contiguous."""
        seen = image[:, ::-1] if self.mirrored else image
        return np.ascontiguousarray(np.rot90(seen, self.quarter_turns))

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height as shown of a picture stored as ``width`` x ``height``."""
        return (height, width) if self.quarter_turns % 2 else (width, height)


def orientation_of(picture: Any, path: Path) -> Orientation:
    """Read the orientation of a decoded picture.

    A matrix that is no quarter turn and no mirror is followed to the nearest one, with a warning.

    Args:
        picture: PyAV frame.
        path: the file, for the warning.
    """
    matrix = _display_matrix(picture)
    if matrix is None:
        return Orientation()
    found = max(_EIGHT, key=lambda known: float((_EIGHT[known] * matrix).sum()))
    if np.abs(_EIGHT[found] - matrix).max() > _SLACK:
        log.warning(
            "%s asks for its picture to be turned by no quarter turn (display matrix %s); the nearest "
            "quarter turn or mirror is used",
            path,
            " ".join(f"{v:.3g}" for v in matrix.ravel()),
        )
    return found


def _display_matrix(picture: Any) -> NDArray[np.float64] | None:
    """(2, 2) shown pixel offset from stored pixel offset, x and y, scaled to length 1; None for none or a void one."""
    data = next((d for d in picture.side_data if _kind(d) == "DISPLAYMATRIX"), None)
    if data is None:
        return None
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data)[:36])
    matrix = np.array([[a, c], [b, d]], np.float64)
    length = np.sqrt((matrix**2).sum() / 2.0)
    return matrix / length if length > 0 else None


def _kind(data: Any) -> str:
    return str(getattr(data.type, "name", data.type))


def _matrix(orientation: Orientation) -> NDArray[np.float64]:
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])  # x right, y down: counter-clockwise, right becomes up
    flip = np.diag([-1.0 if orientation.mirrored else 1.0, 1.0])
    out: NDArray[np.float64] = np.linalg.matrix_power(turn, orientation.quarter_turns) @ flip
    return out


_EIGHT = {known: _matrix(known) for known in (Orientation(t, m) for m in (False, True) for t in range(4))}
