"""Inputs of a refinement: matches between surface and picture, weights and limits of residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array


@dataclass(frozen=True)
class PointMatches:
    """Surface points seen at known pixels.

    Attributes:
        points: (N, 3) object frame, metres.
        pixels: (N, 2) image pixels.
        weight: (N,) 1 for a full-strength match.
    """

    points: Array
    pixels: Array
    weight: Array

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True)
class EdgeMatches:
    """Points of the rendered outline and the line of the picture each should lie on.

    Attributes:
        points: (N, 3) object frame, metres.
        pixels: (N, 2) a pixel of the picture's edge.
        normal: (N, 2) unit direction across that edge.
    """

    points: Array
    pixels: Array
    normal: Array

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True)
class ShadedPoints:
    """Surface points and how bright the coloured mesh makes them, to be found in a picture shaded alike.

    Attributes:
        points: (N, 3) object frame, metres.
        gray: (N,) grey value in the scale of
            :attr:`~dexman_pose.pose.observation.crop.CropObservation.gray`.
        weight: (N,) 1 for a full-strength point.
    """

    points: Array
    gray: Array
    weight: Array

    def __len__(self) -> int:
        return len(self.points)


def join_matches(parts: list[PointMatches]) -> PointMatches | None:
    """All matches in one, or None when there are none."""
    parts = [p for p in parts if len(p)]
    if not parts:
        return None
    return PointMatches(
        np.concatenate([p.points for p in parts]),
        np.concatenate([p.pixels for p in parts]),
        np.concatenate([p.weight for p in parts]),
    )
