"""Settings of poses by region. Where no source is named, a value was set by hand on rendered scenes and real clips."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from dexman_pose.imaging.options import PointFlowOptions

TEXTURE_FLOW: Final = PointFlowOptions(window=13, levels=3, iterations=12, step=0.03)
"""In a window that is reduced already, from the drawn texture to the picture, contrast evened out."""

WINDOW_FLOW: Final = replace(TEXTURE_FLOW, least_eigenvalue=0.02)
"""The same from one frame to the next.

A plain object has few corners: what passes for one on a crease slides along it and drags the pose with it. With 0.001,
17 of 300 frames of rendered prints are wrong; with 0.01 still 16 of 300; with 0.02 and 0.04 none. A hand-held camera
around a real plain cube needs the weaker ones: with 0.04 one of six starts is lost for some frames, with 0.02 none.
"""


@dataclass(frozen=True)
class LineRound:
    """One round: contours drawn (or kept), lines read, a few steps taken.

    Attributes:
        step: image pixels from one step of a line to the next; a line reaches six steps to either side.
        least_sigma: image pixels that a line is sure of at best.
        reach: image pixels a contour may be off its line before it loses influence (Geman and McClure, 1987).
        steps: steps of the solver before the lines are read again.
        draw: whether the contours are drawn anew where the pose has moved, else those of the round before are kept.
        stride: pixels from one sample to the next within a step.
        outline: lines across the outline at most.
        foreseen: image pixels that followed corners may be off the expected pose, on average, for the rounds before
            this one to be left out.
    """

    step: int
    least_sigma: float
    reach: float = 6.0
    steps: int = 2
    draw: bool = True
    stride: int = 1
    outline: int = 200
    foreseen: float = 0.0


@dataclass(frozen=True)
class LineOptions:
    """How a line is read.

    Attributes:
        inner: lines across creases and steps inside the outline at most, which edges of the picture alone speak for.
        inner_from: rounds with at most so many pixels a step look at inner edges.
        limit: log-odds of a step at most; one step proves little, for neighbours look alike.
        temper: factor on log-odds before that, below 1 because neighbouring pixels err together.
        edge: log-odds of a strong edge of the picture at a place beside those of the colours.
        edge_half: grey levels between two steps at which an edge counts half.
        contrast: change of colour from pixel to pixel, grey levels, from which on it places the contour finely.
        mask: log-odds of a pixel by a mask, where one is given; twice that of a colour twice as likely, no more.
        weight: factor on the lines of the outline, below 1 because neighbours err together.
        inner_weight: the same for inner edges.
        crease: change of a surface's slope against the line of sight, from pixel to pixel, that makes a crease.
    """

    inner: int = 80
    inner_from: int = 4
    limit: float = 2.0
    temper: float = 0.45
    edge: float = 1.0
    edge_half: float = 12.0
    contrast: float = 12.0
    mask: float = 0.3
    weight: float = 0.1
    inner_weight: float = 0.06
    crease: float = 0.3


@dataclass(frozen=True)
class ColorModelOptions:
    """How the colours of object and background are learnt.

    Attributes:
        rate: share of a frame's colours in what is known after it; that of Stoiber et al. (2022).
        local: share of a sector's own colours beside those of the whole outline.
        floor: added to the share of every colour, so that one that was never seen says nothing.
        inwards: image pixels inside the outline that are learnt.
        outwards: outside of it.
        gap: pixels next to the outline that are not, for they mix both sides.
    """

    rate: float = 0.2
    local: float = 0.5
    floor: float = 3e-4
    inwards: int = 12
    outwards: int = 20
    gap: int = 2


@dataclass(frozen=True)
class WindowOptions:
    """The part of a picture in which poses are drawn.

    Attributes:
        side: pixels of the longer side at most.
        margin: around the object, as a share of its longer side ...
        border: ... and in image pixels.
        least: pixels a side has at least.
        largest: image pixels of the longer side at most: an object that near shows nothing to draw.
        kept: share of the margin down to which an object may come to the side of the last window until it gets another.
        shrunk: share of the last window's longer side that the object's own must have, or it gets another.
    """

    side: int = 160
    margin: float = 0.15
    border: float = 8.0
    least: int = 12
    largest: float = 4096.0
    kept: float = 0.5
    shrunk: float = 0.8


MODEL_FLOW: Final = PointFlowOptions(window=13, levels=1, iterations=12, step=0.03)
"""From the drawn texture to the picture, which is brought onto it first."""


@dataclass(frozen=True)
class PointOptions:
    """Corners of the last frame, or of the drawn texture, found in the picture by optical flow both ways.

    Attributes:
        count: of corners of the texture.
        flow_count: of corners of the last frame.
        quality: share of the best corner's strength that each must have (Shi and Tomasi, 1994).
        apart: window pixels between two corners.
        inside: window pixels, side of the square around a corner that must be drawn.
        border: window pixels around the object that are drawn with its texture.
        flow: how a corner of the last frame is looked for ...
        texture_flow: ... and one of the texture ...
        model_flow: ... where the motion was foreseen.
        least: corners of the texture below which they say nothing.
        flow_weight: of a corner of the last frame, which carries that frame's error along.
        late_flow: share of that weight in the late rounds, where the outline speaks more finely.
        texture_weight: of a corner of the texture.
    """

    count: int = 64
    flow_count: int = 48
    quality: float = 0.02
    apart: float = 5.0
    inside: int = 7
    border: int = 8
    flow: PointFlowOptions = WINDOW_FLOW
    texture_flow: PointFlowOptions = TEXTURE_FLOW
    model_flow: PointFlowOptions = MODEL_FLOW
    least: int = 12
    flow_weight: float = 0.5
    late_flow: float = 0.6
    texture_weight: float = 0.3


@dataclass(frozen=True)
class ModelViewOptions:
    """How long a drawing of the mesh's texture is used for other poses, the picture being brought onto it.

    Attributes:
        turn: radians by which the object may have been turned away from it.
        bent: window pixels by which a corner may miss the affine map of all.
        nearer: factor by which the object may have come nearer, or gone.
        least: corners below which no map is fitted.
        thin: share of the largest singular value of the corners' pixels below which they lie on a line.
    """

    turn: float = 0.1
    bent: float = 0.3
    nearer: float = 1.2
    least: int = 8
    thin: float = 1e-3


@dataclass(frozen=True)
class RegionOptions:
    """Settings of poses by region.

    Attributes:
        rounds: coarse to fine.
        late: index of the round from which on the mesh's own texture takes the place of the last frame's corners.
        lines: how a line is read.
        colors: how colours are learnt.
        window: where poses are drawn.
        points: corners beside the lines.
        model_view: how long a drawing of the mesh's texture is used.
        flow: whether corners of the last frame are followed.
        texture_rounds: times it is looked for, each time nearer, and the late rounds are made.
        texture: whether the texture of a mesh that has one is looked for.
        redraw: image pixels a pose may move until its contours are drawn anew; until then they move with it.
        still: image pixels a pose may move until lines are read again with the same step.
        prior_shift: standard deviation of the motion prior, in radii of the object.
        prior_turn: the same in radians.
    """

    rounds: tuple[LineRound, ...] = (
        LineRound(8, 8.0, 30.0, stride=2, outline=120),
        LineRound(6, 5.0, 20.0, draw=False, stride=2),
        LineRound(4, 3.0, 12.0, stride=2, foreseen=5.0),
        LineRound(2, 1.5, 6.0, draw=False),
        LineRound(1, 1.0, 3.0),
        LineRound(1, 1.0, 2.0, steps=1, draw=False),
    )
    late: int = 3
    lines: LineOptions = field(default_factory=LineOptions)
    colors: ColorModelOptions = field(default_factory=ColorModelOptions)
    window: WindowOptions = field(default_factory=WindowOptions)
    points: PointOptions = field(default_factory=PointOptions)
    model_view: ModelViewOptions = field(default_factory=ModelViewOptions)
    flow: bool = True
    texture_rounds: int = 1
    texture: bool = True
    redraw: float = 0.8
    still: float = 0.15
    prior_shift: float = 0.25
    prior_turn: float = 0.3
