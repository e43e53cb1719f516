"""Sparse optical flow: points followed from picture to picture, checked both ways."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Gray
from dexman_pose.imaging.options import FRAMES, RENDERED, PointFlowOptions


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
    off = (back - start)[:, 0]
    found &= np.einsum("ij,ij->i", off, off) < options.returns**2
    ends = there[:, 0].astype(np.float64)
    return ends if np.isfinite(ends).all() else np.nan_to_num(ends), found


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
