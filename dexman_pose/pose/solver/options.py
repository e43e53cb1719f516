"""Settings of the refinement, and which scales are unknown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.numbers import word
from dexman_pose.data.tracks import ScaleSource
from dexman_pose.pose.solver.residuals import PointMatches

SCALE_COUNTS = {"known": 0, "unknown": 1, "axes": 3}

ScaleMode = Literal["known", "unknown", "axes"]

SCALE_MODES: tuple[str, ...] = ("known", "unknown", "axes")


def scale_unknowns(
    scale: str, depth: NDArray[np.float32] | None, known: ScaleSource = "given"
) -> tuple[int, ScaleSource]:
    """Number of unknown scales, and what fixes them; ``known`` where none is."""
    word(scale, "scale", SCALE_MODES)
    if scale == "known":
        return 0, known
    if depth is None or not (depth > 0).any():
        return (0 if scale == "unknown" else 3), "unknown"
    return (1 if scale == "unknown" else 3), "depth"


@dataclass(frozen=True)
class RefineOptions:
    """Weights and limits of the refinement. Sigmas in pixels of the crop, metres, radians.

    The robust weights are those of Geman and McClure (1987). Where no source is named, the value was set by hand. The
    weights of outline, edges and colours stand for neighbours that err together: independent ones would have 1.

    Attributes:
        iterations: at most this many Levenberg-Marquardt steps.
        silhouette_sigma: standard deviation of an outline point.
        silhouette_weight: factor on the silhouette, below 1 because neighbouring points err together.
        point_sigma: standard deviation of a point track in image pixels.
        depth_sigma: standard deviation of a depth measurement in metres.
        depth_weight: factor on depth, below 1 because neighbours err together.
        prior_translation: standard deviation of the motion prior in metres, or None for no prior.
        prior_rotation: standard deviation of the motion prior in radians.
        reach: residuals of points and depth beyond this many sigmas lose influence.
        silhouette_reach: the same for the outline; small when points hold the pose and the mask may be wrong.
        use_silhouette: whether the mask's outline counts at all.
        edge_sigma: standard deviation of an edge of the picture across its direction, in image pixels.
        edge_weight: factor on edges, below 1 because neighbours err together.
        color_sigma: standard deviation of a grey value.
        color_reach: the reach of grey values, in sigmas.
        color_weight: factor on grey values, below 1 because neighbours err together.
        depth_scale: factor on the measured depth, before ``depth_shift`` metres are added.
        depth_shift: metres added to the measured depth.
        prior_scale: standard deviation of a log-scale around that of the mesh as given, where scales are unknown.
        prior_focal: standard deviation of the log focal length around the given one, where that is unknown.
        small_gain: share of the cost below which a gain ends the iterations.
        edge_reach: the reach of edges, in sigmas.
        silhouette_most: outline points, of the rendering and of the mask together, from which on more weigh no more.
        depth_most: measured pixels on the grid of depth from which on more weigh no more.
        point_most: sum of the weights of point matches from which on more weigh no more.
        edge_most: edge points from which on more weigh no more.
        color_most: grey values from which on more weigh no more.
        depth_facing: cosine between surface and line of sight (z of the unit normal) from which on depth counts; below
            it a surface is seen at a grazing angle or is a step.
        point_inlier: sigmas within which a point agrees; three of a normal distribution hold 99.7 %.
        color_inlier: sigmas within which a grey value agrees; two hold 95 %.
        trust_from: sum of the weights of point matches from which on points are trusted above the outline.
        trust_span: that sum beyond ``trust_from`` at which the outline would have nothing left to say.
        trust_least: share of its weight that the outline keeps at least.
        trust_reach: reach of the outline in sigmas where points are trusted.
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
    edge_reach: float = 3.0
    silhouette_most: float = 400.0
    depth_most: float = 2000.0
    point_most: float = 150.0
    edge_most: float = 120.0
    color_most: float = 600.0
    depth_facing: float = 0.2
    point_inlier: float = 3.0
    color_inlier: float = 2.0
    trust_from: float = 12.0
    trust_span: float = 40.0
    trust_least: float = 0.3
    trust_reach: float = 2.5


@dataclass(frozen=True)
class SolverOptions:
    """How the solver steps, whatever the residuals are. Where no source is named, the value was set by hand.

    Attributes:
        first_damping: share of the normal matrix' diagonal added to it in the first step (Madsen, Nielsen and
            Tingleff, Methods for Non-Linear Least Squares Problems, 2004, for starts believed to be good).
        least_damping: the damping falls no lower.
        damping_fall: factor on the damping after a step that was accepted; about Nielsen's (1999) 1/3.
        damping_rise: factor after one that was refused (Marquardt 1963).
        most_damping: damping beyond which a hypothesis is at rest: no step helps.
        least_gain: cost below which a gain ends the iterations, whatever the cost is.
        most_turn: radians that one step turns at most; beyond, the linearisation means nothing.
        most_stretch: change of a log-scale or the log focal length in one step at most.
        most_approach: share of its distance that the object comes nearer in one step at most.
        rest_shift: share of the distance below which a shift is none.
        rest_turn: radians below which a turn is none, and change of a log-scale below which a stretch is none.
    """

    first_damping: float = 1e-3
    least_damping: float = 1e-6
    damping_fall: float = 0.3
    damping_rise: float = 10.0
    most_damping: float = 1e3
    least_gain: float = 1e-6
    most_turn: float = 0.35
    most_stretch: float = 0.2
    most_approach: float = 0.5
    rest_shift: float = 1e-4
    rest_turn: float = 2e-4


def trusting_points(matches: PointMatches | None, base: RefineOptions) -> RefineOptions:
    """Options for when points hold the pose anyway: the more there are, the less the outline has to say.

    A mask may miss a whole face of an object and still look like a clean outline; matches with the mesh's own texture
    cannot err that way together.
    """
    count = 0.0 if matches is None else float(matches.weight.sum())
    if count < base.trust_from:
        return base
    share = float(np.clip(1.0 - (count - base.trust_from) / base.trust_span, base.trust_least, 1.0))
    return replace(base, silhouette_reach=base.trust_reach, silhouette_weight=base.silhouette_weight * share)
