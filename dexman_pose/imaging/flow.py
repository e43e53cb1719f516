"""Optical flow: dense between frames, and sparse for points, checked both ways."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Gray
from dexman_pose.imaging.masks import Float, Window
from dexman_pose.imaging.options import FRAMES, RENDERED, FlowOptions, PointFlowOptions
from dexman_pose.imaging.resize import Way, resize_picture

_DENSE = FlowOptions()


def follow_both_ways(
    first: Gray,
    second: Gray,
    points: NDArray[np.floating],
    guess: NDArray[np.floating],
    options: PointFlowOptions,
) -> tuple[Array, NDArray[np.bool_]]:
    """Where points of one picture are in another, and which of them lead back to where they came from.

    Args:
        first: (h, w) uint8.
        second: the same size.
        points: (N, 2) pixels of ``first``, N at least 1.
        guess: (N, 2) pixels of ``second`` that the search begins at.
        options: of the search.

    Returns:
        Pixels (N, 2) of ``second``, and (N,) whether they were found both ways.
    """
    start = np.ascontiguousarray(points, np.float32).reshape(-1, 1, 2)
    # OpenCV writes into its last argument.
    begin = np.array(guess, np.float32).reshape(-1, 1, 2)
    there, gone, _ = cv2.calcOpticalFlowPyrLK(
        first, second, start, begin, **_arguments(options, options.levels)
    )
    back, again, _ = cv2.calcOpticalFlowPyrLK(
        second, first, there, start.copy(), **_arguments(options, options.back_levels)
    )
    found: NDArray[np.bool_] = (gone[:, 0] == 1) & (again[:, 0] == 1)
    found &= np.linalg.norm((back - start)[:, 0], axis=1) < options.returns
    return np.nan_to_num(there[:, 0]).astype(np.float64), found


def _arguments(options: PointFlowOptions, levels: int) -> dict[str, Any]:
    """OpenCV's arguments of a search over so many pyramid levels."""
    return {
        "winSize": (options.window, options.window),
        "maxLevel": levels,
        "criteria": (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, options.iterations, options.step),
        "flags": cv2.OPTFLOW_USE_INITIAL_FLOW,
        "minEigThreshold": options.least_eigenvalue,
    }


def flow_both_ways(
    first: Gray, second: Gray, points: NDArray[np.floating], options: PointFlowOptions = RENDERED
) -> tuple[Array, NDArray[np.bool_]]:
    """Where points of one picture are in another that shows them nearly in the same places.

    Args:
        first: (h, w) uint8.
        second: the same size.
        points: (N, 2) pixels of ``first``, N at least 1.
        options: of the flow.

    Returns:
        Pixels (N, 2) of ``second``, and (N,) whether they were found, and led back to where they came from.
    """
    return follow_both_ways(first, second, points, points, options)


def follow(
    first: Gray, second: Gray, pixels: Array, guess: Array, options: PointFlowOptions = FRAMES
) -> tuple[Array, NDArray[np.bool_]]:
    """Where points (N, 2) of the first frame are in the second: (N, 2) pixels, and (N,) whether found both ways."""
    if len(pixels) == 0:
        return pixels, np.zeros(0, bool)
    height, width = first.shape
    # Pyramids of the neighbourhood only: building them of whole frames would cost more than the search.
    both = np.concatenate([pixels, guess])
    x0, y0 = np.floor(both.min(0) - options.margin).astype(int).clip(0, [width - 2, height - 2])
    x1, y1 = np.ceil(both.max(0) + options.margin + 1).astype(int).clip([x0 + 1, y0 + 1], [width, height])
    a, b = first[y0:y1, x0:x1], second[y0:y1, x0:x1]
    origin = np.array([x0, y0], dtype=np.float64)
    end, good = follow_both_ways(a, b, pixels - origin, guess - origin, options)
    end += origin
    return end, good & is_inside(end, first.shape)


def is_inside(pixels: Array, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(N,) whether pixels (N, 2) lie in a picture of a shape (height, width)."""
    return np.all((pixels >= 0) & (pixels <= np.array(shape[1::-1]) - 1.0), axis=1)


def to_gray(image: NDArray[np.uint8]) -> Gray:
    """(H, W) uint8 brightness of an RGB frame."""
    gray: Gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return gray


@dataclass(frozen=True)
class Flow:
    """Dense flow between a previous and a current frame, at a reduced scale.

    Attributes:
        forward: (h, w, 2) float32, pixels of the full frame from previous to current, on the previous frame's grid.
        backward: (h, w, 2) float32, from current to previous, on the current frame's grid.
        scale: reduced size / full size.
    """

    forward: Float
    backward: Float
    scale: float

    def backward_in(self, window: Window) -> Float:
        """Backward flow of a window of the current frame, (H, W, 2) in full-frame pixels."""
        return self._sampled(self.backward, window)

    def _sampled(self, flow: Float, window: Window) -> Float:
        rows, cols = window
        s = self.scale
        matrix = np.array(
            [[1 / s, 0, (0.5 / s - 0.5) - cols.start], [0, 1 / s, (0.5 / s - 0.5) - rows.start]]
        )
        size = (cols.stop - cols.start, rows.stop - rows.start)
        out: Float = cv2.warpAffine(
            flow, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return out

    @cached_property
    def inconsistency(self) -> Float:
        """(h, w) on the previous frame's grid: pixels by which forward then backward flow misses its start."""
        h, w = self.forward.shape[:2]
        x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
        s = np.float32(self.scale)
        there_x, there_y = x + self.forward[..., 0] * s, y + self.forward[..., 1] * s
        back = cv2.remap(self.backward, there_x, there_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        miss: Float = self.forward + back
        return np.hypot(miss[..., 0], miss[..., 1])


class FlowEstimator:
    """Computes dense inverse-search flow (Kroeger et al., 2016) between consecutive frames.

    Args:
        width: of the frames, pixels.
        height: of the frames, pixels.
        options: the size it works at, and how fine it is.
    """

    def __init__(self, width: int, height: int, options: FlowOptions = _DENSE) -> None:
        self._scale = min(1.0, options.side / max(width, height))
        least = options.least_side
        self._size = (max(least, round(width * self._scale)), max(least, round(height * self._scale)))
        self._coarse: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._fine: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._fine.setFinestScale(options.finest_scale)
        self._fine.setVariationalRefinementIterations(options.variational_iterations)

    def reduced(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The small grey picture that :meth:`between` takes."""
        small = resize_picture(rgb, self._size, Way.AREA)
        grey: NDArray[np.uint8] = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        return grey

    def between(self, previous: NDArray[np.uint8], current: NDArray[np.uint8]) -> Flow:
        """Flow between two reduced frames; the forward one, which objects are moved by, is the finer."""
        forward = self._fine.calc(previous, current, None) / np.float32(self._scale)
        backward = self._coarse.calc(current, previous, None) / np.float32(self._scale)
        return Flow(forward, backward, self._scale)
