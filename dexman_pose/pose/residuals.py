"""What a refinement is told: matches between surface and picture, weights and limits of its residuals."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


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
        gray: (N,) grey value in the scale of :attr:`Evidence.gray`.
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


@dataclass(frozen=True)
class RefineOptions:
    """Weights and limits of the refinement. Sigmas in pixels of the crop, metres, radians.

    Attributes:
        iterations: at most this many Levenberg-Marquardt steps.
        silhouette_sigma: standard deviation of an outline point.
        silhouette_weight: factor on the silhouette, below 1 because neighbouring points err together.
        point_sigma: standard deviation of a point track in image pixels.
        depth_sigma: standard deviation of a depth measurement in metres.
        prior_translation: standard deviation of the motion prior in metres, or None for no prior.
        prior_rotation: standard deviation of the motion prior in radians.
        reach: residuals of points and depth beyond this many sigmas lose influence (Geman-McClure).
        silhouette_reach: the same for the outline; small when points hold the pose and the mask may be wrong.
        use_silhouette: whether the mask's outline counts at all.
        edge_sigma: standard deviation of an edge of the picture across its direction, in image pixels.
        edge_weight: factor on edges, below 1 because neighbours err together.
        color_sigma: standard deviation of a grey value.
        color_reach: the reach of grey values, in sigmas.
        color_weight: factor on grey values, below 1 because neighbours err together.
        depth_scale: factor on the measured depth, before ``depth_shift`` metres are added.
        prior_scale: standard deviation of a log-scale around its start, where scales are unknown.
        prior_focal: standard deviation of the log focal length around its start, where that is unknown.
        small_gain: share of the cost below which a gain ends the iterations.
    """

    iterations: int = 12
    silhouette_sigma: float = 1.0
    silhouette_weight: float = 0.3
    point_sigma: float = 1.0
    depth_sigma: float = 0.004
    depth_weight: float = 0.05
    prior_translation: float | None = None
    prior_rotation: float = 0.2
    reach: float = 4.0
    silhouette_reach: float = 6.0
    use_silhouette: bool = True
    edge_sigma: float = 1.0
    edge_weight: float = 0.4
    color_sigma: float = 16.0
    color_reach: float = 3.0
    color_weight: float = 0.25
    depth_scale: float = 1.0
    depth_shift: float = 0.0
    prior_scale: float = 2.0
    prior_focal: float = 0.3
    small_gain: float = 3e-3


def trusting_points(matches: PointMatches | None, base: RefineOptions) -> RefineOptions:
    """Options for when points hold the pose anyway: the more there are, the less the outline has to say.

    A mask may miss a whole face of an object and still look like a clean outline; matches with the mesh's own texture
    cannot err that way together.
    """
    count = 0.0 if matches is None else float(matches.weight.sum())
    if count < 12.0:
        return base
    share = float(np.clip(1.0 - (count - 12.0) / 40.0, 0.3, 1.0))
    return replace(base, silhouette_reach=2.5, silhouette_weight=base.silhouette_weight * share)
