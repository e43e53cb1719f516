"""Dense optical flow between frames, both ways, in a region of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.imaging.masks import Float, Window
from dexman_pose.imaging.options import FlowOptions
from dexman_pose.imaging.resize import resize_picture

_DENSE = FlowOptions()


@dataclass(frozen=True)
class Flow:
    """Dense flow of a region between a previous and a current frame, at a reduced scale.

    Attributes:
        forward: (h, w, 2) float32, full pixels from previous to current, on the previous frame's grid.
        backward: (h, w, 2) float32, from current to previous, on the current frame's grid.
        region: rows and columns of both frames that the grids cover.
    """

    forward: Float
    backward: Float
    region: Window

    @property
    def scale(self) -> tuple[float, float]:
        """Reduced over full size, across and down."""
        (h, w), (rows, cols) = self.forward.shape[:2], self.region
        return w / (cols.stop - cols.start), h / (rows.stop - rows.start)

    def backward_in(self, window: Window, out: Float | None = None) -> Float:
        """Backward flow of a window of the current frame, (H, W, 2); beyond the region that of its border."""
        rows, cols = window
        sx, sy = self.scale
        matrix = np.array(
            [
                [1 / sx, 0, 0.5 / sx - 0.5 + self.region[1].start - cols.start],
                [0, 1 / sy, 0.5 / sy - 0.5 + self.region[0].start - rows.start],
            ]
        )
        size = (cols.stop - cols.start, rows.stop - rows.start)
        found: Float = cv2.warpAffine(
            self.backward, matrix, size, dst=out, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return found

    def points(self, x: NDArray[np.integer], y: NDArray[np.integer]) -> NDArray[np.float64]:
        """Pixels (N, 2) of the full frame under columns and rows (N,) of the grid."""
        sx, sy = self.scale
        at = np.stack([(x + 0.5) / sx - 0.5, (y + 0.5) / sy - 0.5], 1)
        return np.asarray(at + [self.region[1].start, self.region[0].start], np.float64)

    def inconsistency(self, x: NDArray[np.integer], y: NDArray[np.integer]) -> Float:
        """(N,) pixels by which forward then backward flow misses its start, at columns and rows (N,) of the grid."""
        if len(x) == 0:
            return np.zeros(0, np.float32)
        vectors = self.forward[y, x]
        there = vectors * np.array(self.scale, np.float32)
        there += np.stack([x, y], 1).astype(np.float32)
        back = cv2.remap(
            self.backward, there[:, None], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        miss: Float = vectors + back.reshape(-1, 2)
        return np.hypot(miss[:, 0], miss[:, 1])


@dataclass(frozen=True)
class CoarseFlow:
    """Dense flow of whole frames, small: what finer flow begins at, so that fast things are found again.

    Attributes:
        forward: (h, w, 2) float32, full pixels from previous to current, on the previous frame's grid.
        backward: (h, w, 2) float32, from current to previous, on the current frame's grid.
        shape: height and width of the frames.
    """

    forward: Float
    backward: Float
    shape: tuple[int, int]

    def typical(self, window: Window, where: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(2,) the median of the forward flow of pixels ``where`` (H, W) of a window of the previous frame."""
        ys, xs = np.nonzero(where[::_SPARSE, ::_SPARSE])
        if len(ys) == 0:
            return np.zeros(2)
        h, w = self.forward.shape[:2]
        rows = (window[0].start + _SPARSE * ys) * h // self.shape[0]
        cols = (window[1].start + _SPARSE * xs) * w // self.shape[1]
        return np.asarray(np.median(self.forward[rows, cols], axis=0), np.float64)

    def start(self, flow: Float, region: Window, size: tuple[int, int]) -> Float:
        """One of the fields at a size (width, height) of a region, in pixels of that size."""
        rows, cols = region
        height, width = rows.stop - rows.start, cols.stop - cols.start
        h, w = flow.shape[:2]
        sx, sy = width / size[0] * w / self.shape[1], height / size[1] * h / self.shape[0]
        matrix = np.array(
            [
                [sx, 0, (cols.start + 0.5 * width / size[0]) * w / self.shape[1] - 0.5],
                [0, sy, (rows.start + 0.5 * height / size[1]) * h / self.shape[0] - 0.5],
            ]
        )
        out: Float = cv2.warpAffine(
            flow, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
        out *= np.array([size[0] / width, size[1] / height], np.float32)
        return out


_SPARSE = 4
"""Every such row and column is enough for a median."""


class FlowEstimator:
    """Computes dense inverse-search flow (Kroeger et al., 2016) between regions of consecutive frames.

    Args:
        options: the size it works at, and how fine it is.
    """

    def __init__(self, options: FlowOptions = _DENSE) -> None:
        self._options = options
        self._searches: dict[tuple[str, int, int], Any] = {}

    def _search(self, kind: str, size: tuple[int, int]) -> Any:
        """The search of a kind for pictures of a size: OpenCV's fails now and then when sizes change under it."""
        key, o = (kind, *size), self._options
        if key not in self._searches:
            quick = kind == "whole"
            preset = cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST if quick else cv2.DISOPTICAL_FLOW_PRESET_FAST
            search: Any = cv2.DISOpticalFlow.create(preset)
            if quick:
                search.setFinestScale(o.coarse_finest_scale)
            if kind == "forward":
                search.setFinestScale(o.finest_scale)
                search.setVariationalRefinementIterations(o.variational_iterations)
            self._searches[key] = search
        return self._searches[key]

    def small(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The small grey picture that :meth:`coarse` takes."""
        height, width = rgb.shape[:2]
        every = max(1, max(height, width) // (2 * self._options.coarse_side))
        return self._reduced(rgb[::every, ::every], self._options.coarse_side)

    def coarse(
        self, previous: NDArray[np.uint8], current: NDArray[np.uint8], shape: tuple[int, int]
    ) -> CoarseFlow:
        """Flow between two small frames that stand for frames of a shape (H, W)."""
        per_pixel = np.array([shape[1] / previous.shape[1], shape[0] / previous.shape[0]], np.float32)
        search = self._search("whole", (previous.shape[1], previous.shape[0]))
        forward = search.calc(previous, current, None) * per_pixel
        backward = search.calc(current, previous, None) * per_pixel
        return CoarseFlow(forward, backward, shape)

    def between(
        self,
        previous: NDArray[np.uint8],
        current: NDArray[np.uint8],
        region: Window,
        begin: CoarseFlow | None = None,
    ) -> Flow:
        """Flow of a region between two RGB frames; the forward one, which objects are moved by, is the finer.

        Args:
            previous: (H, W, 3) uint8.
            current: the same size.
            region: of both.
            begin: where the search begins, for things that moved far; None at rest.
        """
        side, (rows, cols) = self._options.side, region
        before, now = self._reduced(previous[region], side), self._reduced(current[region], side)
        size = (before.shape[1], before.shape[0])
        per_pixel = np.array(
            [(cols.stop - cols.start) / size[0], (rows.stop - rows.start) / size[1]], np.float32
        )
        there, back = (
            (None, None)
            if begin is None
            else (begin.start(flow, region, size) for flow in (begin.forward, begin.backward))
        )
        forward = self._search("forward", size).calc(before, now, there)
        backward = self._search("backward", size).calc(now, before, back)
        return Flow(forward * per_pixel, backward * per_pixel, region)

    def _reduced(self, rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
        height, width = rgb.shape[:2]
        scale, step = min(1.0, side / max(width, height)), self._options.side_step
        least = self._options.least_side
        size = (
            max(least, step * round(width * scale / step)),
            max(least, step * round(height * scale / step)),
        )
        grey: NDArray[np.uint8] = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
        return resize_picture(grey, size)
