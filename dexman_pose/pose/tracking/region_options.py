"""Settings of tracks by region: when a pose is believed, and how a lost object is looked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import radians

from dexman_pose.pose.region.options import RegionOptions
from dexman_pose.pose.search.options import FINE_STAND_IN, StandInOptions
from dexman_pose.pose.tracking.options import MotionOptions, SignalOptions
from dexman_pose.pose.tracking.verdict import TrackVerdictOptions


@dataclass(frozen=True)
class RegionLossOptions:
    """When a frame's pose is not believed at once. Set on rendered scenes and real clips, as shares of good frames.

    Attributes:
        agree: share of the good frames' share of lines that agree, below which the pose is poor ...
        odds: ... and the same of their log-odds.
        edge: the same of the strength of the picture's edges.
        seen: share of the outline in sight below which nothing is believed.
        colors: correlation of a textured mesh below which the pose is poor, unless ...
        texture: ... so many corners of the texture are where the pose has them.
        carrying_edge: strength of the picture's edges from which on they are said to carry a pose.
        kept: share of the good levels kept from frame to frame; what is reached lately counts.
        least_odds: log-odds of the outline of a first pose (see ``RegionPose.odds``) below which the colours do not
            tell the object from what is around it, and the pose is not called valid, unless ...
        colors_confirm: ... the mesh's texture correlates so well with the picture. Right poses of rendered prints
            reach 0.38 in nine of ten frames and a plain real cube 0.42; wrong starts stay below 0.31, noise below 0.1.
    """

    agree: float = 0.5
    odds: float = 0.3
    edge: float = 0.5
    seen: float = 0.15
    colors: float = 0.3
    texture: int = 25
    carrying_edge: float = 0.5
    kept: float = 0.995
    least_odds: float = 0.35
    colors_confirm: float = 0.5


@dataclass(frozen=True)
class RegionRecoveryOptions:
    """How an object is looked for around its last pose.

    Attributes:
        shifts: radii of the object, how far starts lie to the sides.
        turns: radians by which starts are turned about the line of sight and across it.
        every: frames between searches; in the others the last pose alone is tried.
        tries: starts of one search at most; the next one goes on with those that follow.
        guess_turns: radians by which guesses of others, a hand's motion say, are turned where they lead nowhere.
    """

    shifts: tuple[float, ...] = (0.35, 0.8)
    turns: tuple[float, ...] = (0.3,)
    every: int = 1
    tries: int = 6
    guess_turns: tuple[float, ...] = (0.35, 0.8)


@dataclass(frozen=True)
class FarSearchOptions:
    """How an object that a hand may have taken away is looked for from all sides.

    Attributes:
        after: frames since it was lost in which that is done: it costs a good half second.
        directions: viewing directions that are tried ...
        turns: ... and turns about the line of sight of each.
        reach: radii of the object around a guess within which its colours are looked for.
        limit: log-odds of a pixel's colour at most; and their mean ...
        around: ... over a square of so many pixels ...
        likely: ... from which on it is the object's.
        least: square radii that a spot of such colours covers at least.
        places: spots about which it is looked for.
        same_place: radii below which two places are one.
        looked_at: poses that are refined with the mesh's texture.
        apart: radians by which these differ.
        seen: share of the outline that must be in sight.
        lead: by which the best must be better than others, or it is not believed, unless ...
        alike: ... their surfaces are apart by less than so many radii: then that one is taken which is turned least
            against the guesses.
        agree: share of the good frames' share of agreeing lines that it needs, with ``odds`` ...
        odds: ... of their log-odds: what comes from anywhere needs more than what was there a frame ago.
    """

    after: tuple[int, ...] = (3, 6, 10, 15, 21, 28, 40, 60)
    directions: int = 32
    turns: int = 6
    reach: float = 3.0
    limit: float = 2.0
    around: int = 5
    likely: float = 0.3
    least: float = 0.1
    places: int = 1
    same_place: float = 0.4
    looked_at: int = 10
    apart: float = radians(15.0)
    seen: float = 0.25
    lead: float = 0.08
    alike: float = 0.12
    agree: float = 0.8
    odds: float = 0.6


@dataclass(frozen=True)
class RegionTrackOptions:
    """Settings of a track by region.

    Attributes:
        region: evidence and solver.
        outline: the mesh with fewer faces whose outline and creases are drawn, where one looks the same.
        motion: prediction.
        loss: when a pose is not believed.
        recovery: how a lost object is looked for.
        far: how an object is looked for that a hand may have taken away.
        signals: how measured depth is compared with a pose.
        verdict: levels at which poses are doubted afterwards. The overlap is that of lines that agree, which is
            noisier than that of a mask; on rendered prints its good level is 0.82 or more with the right mesh, and with
            another print's below 0.77 in 14 of 15 films.
        start_again: times the colours of a start are learnt again at the pose that was refined from it: of a start
            beside the object they are those of the background in part. Of 240 frames of rendered prints begun 8 mm and
            6 degrees off, 27 were wrong with 0, 16 with 1, 8 with 2.
    """

    region: RegionOptions = field(default_factory=RegionOptions)
    outline: StandInOptions = FINE_STAND_IN
    motion: MotionOptions = field(default_factory=MotionOptions)
    loss: RegionLossOptions = field(default_factory=RegionLossOptions)
    recovery: RegionRecoveryOptions = field(default_factory=RegionRecoveryOptions)
    far: FarSearchOptions = field(default_factory=FarSearchOptions)
    signals: SignalOptions = field(default_factory=SignalOptions)
    verdict: TrackVerdictOptions = field(
        default_factory=lambda: TrackVerdictOptions(
            overlap_wrong=0.45,
            overlap_drop=0.25,
            hidden_drop=0.2,
            fit_least=0.95,
            fit_drop=0.4,
            fit_regained=0.3,
            mesh_overlap=0.77,
        )
    )
    start_again: int = 2
