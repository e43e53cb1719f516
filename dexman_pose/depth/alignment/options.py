"""Thresholds of the alignment. Chosen by reason on made-up chunks; none was tuned on a clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class AlignmentOptions:
    """How chunks are compared, and how rich a map may be.

    Attributes:
        samples: pixels that are compared of one frame, at most.
        frames: of a chunk that the background is compared in, at most, spread over it.
        eroded: pixels from the edge of a mask, and around it, whose depth is a mixture or another thing's.
        independent: neighbouring pixels err alike: so many samples count as one in the choice of the map.
        outlier: deviations of a residual from which on it counts less, and three of them nothing.
        iterations: of the reweighted fit, at most.
        settled: relative change of the coefficients that ends it.
        least: samples of a fit; with fewer a scale alone is fitted, with none the map of the chunk before is kept.
        object_weight: weight of all samples of objects together over all of the background.
        least_noise: share of the depth; residuals below it say nothing about which map is better.
    """

    samples: int = 1500
    frames: int = 4
    eroded: int = 3
    independent: float = 20.0
    outlier: float = 2.5
    iterations: int = 30
    settled: float = 1e-7
    least: int = 30
    object_weight: float = 1.0
    least_noise: float = 1e-4


DEFAULTS: Final = AlignmentOptions()
"""What :func:`~dexman_pose.depth.alignment.chunks.align_chunks` uses."""
