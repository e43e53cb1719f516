"""Anti-aliased drawing on an RGB image: lines with a dark rim, dashes, discs, a panel of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.viewer._text import text_coverage
from dexman_pose.viewer.palette import HALO, RGB

Image = NDArray[np.uint8]
Points = NDArray[np.float64]

_SHIFT = 4  # drawing coordinates carry four fractional bits
_FAR = 30000.0  # keeps them within 32 bits


@dataclass(frozen=True)
class TextLine:
    """One line of the panel: text, an optional colour mark before it, dimmed or not."""

    text: str
    mark: RGB | None = None
    dim: bool = False


class Canvas:
    """Draws on ``image`` (H, W, 3) uint8 RGB in place; ``unit`` scales widths, 1 at 540 rows."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.unit = float(np.clip(image.shape[0] / 540.0, 0.8, 3.0))

    def lines(
        self, curves: Sequence[Points], color: RGB, width: float, *, closed: bool = False, rim: bool = True
    ) -> None:
        """Draw curves, each (N, 2) pixels, ``width`` units wide, with a dark rim that keeps them visible."""
        fixed = [_fixed(self._thinned(curve, closed)).reshape(-1, 1, 2) for curve in curves if len(curve)]
        thick = max(1, round(width * self.unit))
        layers = [(HALO, thick + 2)] if rim else []
        for shade, pixels in [*layers, (color, thick)]:
            cv2.polylines(self.image, fixed, closed, shade, pixels, cv2.LINE_AA, _SHIFT)

    def _thinned(self, curve: Points, closed: bool) -> Points:
        """The curve without points that lie on the line between their neighbours: quicker, and looks the same."""
        if len(curve) < 16:
            return curve
        kept = cv2.approxPolyDP(curve.astype(np.float32), 0.15, closed)
        return np.asarray(kept[:, 0], dtype=np.float64)

    def dashes(self, curve: Points, color: RGB, width: float) -> None:
        """Draw a closed curve (N, 2) as dashes of equal length."""
        self.lines(_dashed(curve, 9.0 * self.unit, 9.0 * self.unit), color, width)

    def disc(self, at: Points, color: RGB, radius: float, *, rim: RGB = HALO, hollow: bool = False) -> None:
        """A disc at pixel ``at`` (2,), ``radius`` units, with a rim; hollow: a ring, dark inside."""
        # Two numbers: Python is quicker at that than numpy.
        x, y = (round(min(max(float(v), -_FAR), _FAR) * 2**_SHIFT) for v in at)
        center = (x, y)
        r = round(radius * self.unit * 2**_SHIFT)
        thin = max(1, round(1.5 * self.unit))
        around, inside = (color, rim) if hollow else (rim, color)
        cv2.circle(self.image, center, r + (thin << _SHIFT), around, -1, cv2.LINE_AA, _SHIFT)
        cv2.circle(self.image, center, r, inside, -1, cv2.LINE_AA, _SHIFT)

    def tint(self, labels: NDArray[np.uint8], colors: NDArray[np.uint8], share: float) -> None:
        """Mix the colour of each non-zero label, ``colors`` (256, 3), into the pixels that carry it."""
        x, y, width, height = cv2.boundingRect(labels)
        if width == 0:
            return
        box = np.s_[y : y + height, x : x + width]
        patch, inside = self.image[box], labels[box]
        colored = cv2.LUT(cv2.cvtColor(inside, cv2.COLOR_GRAY2RGB), colors[None])
        blended = cv2.addWeighted(patch, 1.0 - share, colored, share, 0.0)
        cv2.copyTo(blended, inside, patch)

    def panel(
        self, lines: Sequence[TextLine], *, size: float = 14.0, right: bool = False, bottom: bool = False
    ) -> None:
        """Lines of text on a dark, half transparent ground in a corner, the top left one unless said otherwise."""
        pixels = max(11, round(size * self.unit))
        covers = [text_coverage(line.text, pixels) for line in lines]
        row, pad = covers[0].shape[0], pixels // 2
        left = [pixels if line.mark else 0 for line in lines]
        width, height = self.panel_size(lines, size=size)
        x0 = max(self.image.shape[1] - width, 0) if right else 0
        y0 = max(self.image.shape[0] - height, 0) if bottom else 0
        ground = self.image[y0 : y0 + height, x0 : x0 + width]
        cv2.convertScaleAbs(ground, ground, 0.35, 5.0)
        for i, (line, cover, indent) in enumerate(zip(lines, covers, left)):
            x, y = x0 + pad, y0 + pad + i * row
            if line.mark:
                middle = np.array([x + 0.3 * pixels, y + 0.55 * row])
                self.disc(middle, line.mark, 0.28 * pixels / self.unit)
            self._blend(cover, y, x + indent, 170 if line.dim else 245)

    def panel_size(self, lines: Sequence[TextLine], *, size: float = 14.0) -> tuple[int, int]:
        """Width and height in pixels of the panel of these lines."""
        pixels = max(11, round(size * self.unit))
        covers = [text_coverage(line.text, pixels) for line in lines]
        width = max((pixels if line.mark else 0) + cover.shape[1] for line, cover in zip(lines, covers))
        width = -(-width // (4 * pixels)) * 4 * pixels  # in steps: the panel does not twitch with every digit
        pad = pixels // 2
        return width + 2 * pad, covers[0].shape[0] * len(lines) + 2 * pad

    def _blend(self, cover: NDArray[np.float32], y: int, x: int, grey: int) -> None:
        patch = self.image[y : y + cover.shape[0], x : x + cover.shape[1]]
        share = cover[: patch.shape[0], : patch.shape[1], None]
        patch[:] = (patch + share * (grey - patch.astype(np.float32))).astype(np.uint8)


def _fixed(points: Points) -> NDArray[np.int32]:
    """Pixels as the whole numbers that the drawing functions take."""
    return np.asarray(np.rint(np.clip(points, -_FAR, _FAR) * 2**_SHIFT), dtype=np.int32)


def _dashed(curve: Points, on: float, off: float) -> list[Points]:
    """Cut a closed curve into dashes ``on`` long, ``off`` apart, by its arc length."""
    loop = np.concatenate([curve, curve[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(loop, axis=0), axis=1))])
    count = max(1, int(along[-1] / (on + off)))
    step = along[-1] / count
    marks = np.arange(count)[:, None] * step + np.linspace(0.0, on / (on + off) * step, 6)
    dashes = np.stack([np.interp(marks, along, loop[:, k]) for k in range(2)], -1)
    return list(dashes)
