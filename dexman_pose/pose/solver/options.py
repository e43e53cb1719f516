"""Settings of the refinement, and which scales are unknown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.tracks import ScaleSource
from dexman_pose.errors import InputError
from dexman_pose.pose.solver.residuals import PointMatches

SCALE_COUNTS = {"known": 0, "unknown": 1, "axes": 3}

ScaleMode = Literal["known", "unknown", "axes"]

SCALE_MODES: tuple[str, ...] = ("known", "unknown", "axes")


def scale_unknowns(scale: str, depth: NDArray[np.float32] | None) -> tuple[int, ScaleSource]:
    """Number of unknown scales, and what fixes them."""
    if scale not in SCALE_MODES:
        raise InputError(f"scale must be one of {', '.join(SCALE_MODES)}, but got {scale!r}")
    if scale == "known":
        return 0, "given"
    if depth is None or not (depth > 0).any():
        return (0 if scale == "unknown" else 3), "unknown"
    return (1 if scale == "unknown" else 3), "depth"


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
