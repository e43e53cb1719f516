"""Dense optical flow between frames, both ways, in a region of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.imaging.masks import Float, Window
from dexman_pose.imaging.options import FlowOptions
from dexman_pose.imaging.resize import Way, resize_picture

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
        vectors = self.forward[y, x]
        there = vectors * np.float32(self.scale)
        there += np.stack([x, y], 1).astype(np.float32)
        back = cv2.remap(
            self.backward, there[:, None], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        miss: Float = vectors + back.reshape(-1, 2)
        return np.hypot(miss[:, 0], miss[:, 1])


class FlowEstimator:
    """Computes dense inverse-search flow (Kroeger et al., 2016) between regions of consecutive frames.

    Args:
        options: the size it works at, and how fine it is.
    """

    def __init__(self, options: FlowOptions = _DENSE) -> None:
        self._options = options
        self._coarse: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._fine: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._fine.setFinestScale(options.finest_scale)
        self._fine.setVariationalRefinementIterations(options.variational_iterations)

    def between(self, previous: NDArray[np.uint8], current: NDArray[np.uint8], region: Window) -> Flow:
        """Flow of a region between two RGB frames; the forward one, which objects are moved by, is the finer."""
        before, now = self._reduced(previous[region]), self._reduced(current[region])
        rows, cols = region
        per_pixel = np.array([cols.stop - cols.start, rows.stop - rows.start]) / before.shape[1::-1]
        forward = self._fine.calc(before, now, None) * np.float32(per_pixel)
        backward = self._coarse.calc(now, before, None) * np.float32(per_pixel)
        return Flow(forward, backward, region)

    def _reduced(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = rgb.shape[:2]
        scale, least = min(1.0, self._options.side / max(width, height)), self._options.least_side
        grey: NDArray[np.uint8] = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
        return resize_picture(
            grey, (max(least, round(width * scale)), max(least, round(height * scale))), Way.AREA
        )
