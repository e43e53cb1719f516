"""Corners spread evenly over a picture, found again in another one, however the light has changed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Gray, Mask
from dexman_pose.imaging.flow import follow_both_ways, is_inside
from dexman_pose.imaging.options import BACKGROUND, PointFlowOptions
from dexman_pose.imaging.resize import Way, resize_picture


@dataclass(frozen=True)
class PointOptions:
    """How corners are chosen and followed; lengths are pixels of the reduced picture.

    Attributes:
        side: longer side of the reduced picture, met as nearly as reducing by a whole number allows: at 320 points of a
            still clip stay within 0.05 px, and everything done to a frame costs 3 ms of one core.
        grid: columns and rows of cells with one corner each, so that one patterned thing has no more votes than its
            area.
        contrast_window: width of the box over which brightness and contrast are evened out; twice the LK window, so
            that a step of light falls out within it.
        contrast_floor: grey levels added to the local contrast; below it a surface counts as plain (sensor noise
            and compression leave 1 to 3).
        contrast_gain: grey levels per unit of evened contrast; three standard deviations fill a byte.
        corner: least smaller eigenvalue of a corner (``cv2.cornerMinEigenVal``); patterned areas of the clips tried
            have 0.002 to 0.05, walls and table cloths below 0.0005.
        block: width of the block the eigenvalue is taken over.
        border: a corner lies this far inside the picture; half the LK window.
        flow: how corners are found again; three pyramid levels follow some 40 px.
    """

    side: int = 320
    grid: tuple[int, int] = (14, 10)
    contrast_window: int = 31
    contrast_floor: float = 6.0
    contrast_gain: float = 42.0
    corner: float = 0.001
    block: int = 5
    border: int = 7
    flow: PointFlowOptions = BACKGROUND


def reduced(image: NDArray[np.uint8], options: PointOptions) -> tuple[Gray, int]:
    """Reduce a picture (H, W, 3) RGB to a small grey one; returns it and how many times smaller it is."""
    factor = max(1, round(max(image.shape[:2]) / options.side))
    if factor > 1:  # by a whole number: ten times as fast as by any other
        rows, columns = (n // factor * factor for n in image.shape[:2])
        size = (columns // factor, rows // factor)
        image = resize_picture(image[:rows, :columns], size, Way.AREA)
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), factor


def evened(gray: Gray, options: PointOptions) -> Gray:
    """Take local brightness and contrast out of a grey picture (h, w), so that light and exposure do not count."""
    window = (options.contrast_window, options.contrast_window)
    values = gray.astype(np.float32)
    mean = cv2.blur(values, window)
    square = cv2.sqrBoxFilter(gray, cv2.CV_32F, window)
    contrast = cv2.sqrt(cv2.max(square - mean * mean, 0.0)) + options.contrast_floor
    even: Gray = cv2.convertScaleAbs(options.contrast_gain * (values - mean) / contrast + 128.0)
    return even


def corners(picture: Gray, background: Mask | None, options: PointOptions) -> Array:
    """The best corner of each cell of the grid, (N, 2) pixels of the reduced picture.

    Args:
        picture: (h, w) of :func:`evened`.
        background: (h, w) where corners may lie, or None for everywhere.
        options: grid and least strength of a corner.
    """
    strength = cv2.cornerMinEigenVal(picture, options.block)
    b = options.border
    allowed = np.zeros(picture.shape, bool)
    allowed[b:-b, b:-b] = True
    if background is not None:
        allowed &= background
    strength = np.where(allowed, strength, 0.0)
    height, width = picture.shape
    columns, rows = options.grid
    cell_h, cell_w = -(-height // rows), -(-width // columns)
    padded = np.zeros((cell_h * rows, cell_w * columns), np.float32)
    padded[:height, :width] = strength
    cells = padded.reshape(rows, cell_h, columns, cell_w).swapaxes(1, 2).reshape(rows * columns, -1)
    best = cells.argmax(1)
    good = cells[np.arange(len(cells)), best] >= options.corner
    row, column = np.divmod(np.flatnonzero(good), columns)
    y, x = np.divmod(best[good], cell_w)
    return np.stack([x + column * cell_w, y + row * cell_h], 1).astype(np.float64)


def follow(
    first: Gray, second: Gray, points: Array, guess: Array, options: PointOptions
) -> tuple[Array, NDArray[np.bool_]]:
    """Where points (N, 2) of one reduced picture are in another, looked for around ``guess`` (N, 2).

    Returns:
        Pixels (N, 2), and (N,) whether they were found and lead back to where they came from.
    """
    if len(points) == 0:
        return points, np.zeros(0, bool)
    end, found = follow_both_ways(first, second, points, guess, options.flow)
    return end, found & is_inside(end, first.shape)
