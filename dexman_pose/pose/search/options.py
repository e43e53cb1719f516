"""Options of the search for a pose from nothing. Chosen on rendered scenes, unless a field says otherwise.

Lengths are in pixels of the crop, angles in radians.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import radians
from typing import Final


@dataclass(frozen=True)
class ViewpointOptions:
    """Rotations that are tried, and the places they are put at.

    Attributes:
        directions: viewing directions, spread evenly: 15 degrees apart.
        colored_directions: where colours are compared as well, which need a finer grid.
        turns: about the line of sight, of each direction.
        part_step: of every so many rotations the poses are tried that the mask shows a part of: what is lost is made
            up for by there being four places for each.
        extremes: outermost points of the mesh that bounding boxes are made of.
        passes: refinements of distance and position on a box.
        least_depth: metres, lower limit of depths that are divided by.
        least_size: image pixels, lower limit of the sides of a box.
        least_change: factor on the distance in one pass, at least ...
        most_change: ... and at most.
    """

    directions: int = 130
    colored_directions: int = 140
    turns: int = 16
    part_step: int = 3
    extremes: int = 200
    passes: int = 3
    least_depth: float = 1e-3
    least_size: float = 2.0
    least_change: float = 0.5
    most_change: float = 2.0


VIEWPOINTS: Final = ViewpointOptions()


@dataclass(frozen=True)
class StandInOptions:
    """The simplified mesh that is scored coarsely.

    Attributes:
        enough: faces that are not worth simplifying.
        cells: grids tried, in cells along the mesh's longest side, the coarsest first.
        at_any_rate: whether the last of them is taken though it does not look alike.
        alike: mean overlap of outlines at which two meshes look alike. On scans of household things 0.96 leaves about
            700 faces where cells of a 24th leave 2,000 with vertices at their mean, whose overlap is 0.85 to 0.99.
        views: directions looked from.
        side: pixels of the pictures, those of the coarse scoring.
        distance: radii from which is looked.
        near: metres, least depth drawn; less for small meshes.
    """

    enough: int = 200
    cells: tuple[int, ...] = (8, 10, 12, 16, 24)
    at_any_rate: bool = True
    alike: float = 0.96
    views: int = 12
    side: int = 48
    distance: float = 8.0
    near: float = 0.01


STAND_IN: Final = StandInOptions()

ROUGH_STAND_IN: Final = StandInOptions(cells=(8, 16, 32), alike=0.98, side=96)
"""The one that the best of them are refined with before the full size."""

FINE_STAND_IN: Final = StandInOptions(cells=(8, 24, 64), alike=0.997, side=176, at_any_rate=False)
"""The one that shapes without colours are refined with in full size: a difference of 0.003 is a tenth of a pixel all
along the outline, less than a mask's own pixels. Planes are exact whatever the grid."""


@dataclass(frozen=True)
class RegionJudgeOptions:
    """How hypotheses of meshes without colours are judged by region. Chosen on rendered prints under leaking masks and
    on a real plain cube: there all 44 right poses reached an ``agree`` of 0.81 or more; of 126 wrong ones 12 reached
    0.75 and 7 reached 0.80, of the 50 that were turned by more than 60 degrees 3 did.

    Attributes:
        again: times colours are learnt again where a pose has led.
        weight: factor on the sum of what speaks for a pose by region, beside the score by outline, mask and edges.
        share: of the way from the pose by mask to that by region; both err, and on their own ...
        differs: ... unless one is turned against the other by more than so many radians: then the mask misled.
        agree: share of the outline's lines that must agree for a pose to be moved.
        sure: share below which of all hypotheses more poses are looked at ...
        explained: ... or overlap with the mask below which of the best one ...
        missed: ... or share of a side of the box that somebody drew by which the best one misses it.
        boxed: what a pose loses whose outline misses the box that somebody drew by a whole side of it.
        looked_at: of these, so many of those that did best on the mask; with 0, none at all ...
        looked_longer: ... so many of them once more, and once more ...
        second_chances: ... and so many brought through all stages.
    """

    again: int = 1
    weight: float = 0.6
    share: float = 0.5
    differs: float = radians(5.0)
    agree: float = 0.75
    sure: float = 0.83
    explained: float = 0.6
    missed: float = 0.1
    boxed: float = 3.0
    looked_at: int = 128
    looked_longer: tuple[int, ...] = (16, 6)
    second_chances: int = 3


BY_REGION: Final = RegionJudgeOptions()


@dataclass(frozen=True)
class SearchOptions:
    """Stages of the search, each with fewer poses in a larger picture.

    Attributes:
        coarse_side: longest side of the crop in which thousands of poses are scored.
        coarse_margin: share of the mask's box that the crop reaches beyond it.
        cut_margin: the same where the mask shows a part of the object.
        coarse_apart: by which hypotheses differ after it.
        least_ratio: measured over rendered depth, lower limit by which a hypothesis is moved or stretched.
        most_ratio: upper limit.
        depth_tolerance: radii of depth error at which a pixel half agrees.
        rough_side: longest side of the crop of the second stage.
        rough_iterations: of its refinement.
        rough_sigma: standard deviation of an outline point there.
        full_size: hypotheses refined in full size.
        full_apart: by which these differ.
        full_iterations: of their refinement.
        with_equivalents: of these, so many have their symmetric equivalents by shape looked at by colour.
        equivalents_step: between the turns about an axis of revolution that are tried.
        equivalents_most: turns tried of each.
        equivalents_kept: hypotheses kept of all.
        equivalents_apart: by which these differ.
        near: best hypotheses brought onto texture and edges, against a bad start of one ...
        near_apart: ... by which they differ.
        distinct: hypotheses, far from each other, that are brought onto texture and edges, so that there is something
            to compare.
        distinct_apart: by which these differ.
        perturbed_iterations: of small turns about the best of a coloured mesh.
        perturbed_silhouette: factor on the mask's outline there: colours decide.
        perturbed_rounds: of texture after it.
        returned_apart: by which the poses handed out differ.
        region: how poses of a mesh without colours are judged by region.
    """

    coarse_side: int = 48
    coarse_margin: float = 0.1
    cut_margin: float = 0.6
    coarse_apart: float = radians(12.0)
    least_ratio: float = 0.05
    most_ratio: float = 20.0
    depth_tolerance: float = 0.05
    rough_side: int = 96
    rough_iterations: int = 10
    rough_sigma: float = 2.0
    full_size: int = 8
    full_apart: float = radians(8.0)
    full_iterations: int = 15
    with_equivalents: int = 5
    equivalents_step: float = radians(8.0)
    equivalents_most: int = 240
    equivalents_kept: int = 16
    equivalents_apart: float = radians(7.0)
    near: int = 2
    near_apart: float = radians(4.0)
    distinct: int = 4
    distinct_apart: float = radians(25.0)
    perturbed_iterations: int = 4
    perturbed_silhouette: float = 0.05
    perturbed_rounds: int = 1
    returned_apart: float = radians(8.0)
    region: RegionJudgeOptions = BY_REGION


SEARCH: Final = SearchOptions()

IN_RECUT: Final = SearchOptions(region=RegionJudgeOptions(share=1.0, looked_at=0))
"""In a mask that was cut again about a pose: all chances were taken before. It is cut by the picture's colours, and a
little too small, so that it says nothing beside them."""


@dataclass(frozen=True)
class LeakOptions:
    """Masks that leak on one side. Chosen on rendered scenes and real pictures with masks that were propagated.

    Attributes:
        overlap: with depth, weight of the overlap with a mask that may leak.
        gain: with depth, by which score a pose without a side must be better.
        least_area: without depth, share of the overlap that leaving a side out must cost ...
        most_area: ... and may cost: more is no leak.
        edges: without depth, by which the edge score must be better.
        half_angle: half of what a side of the mask spans.
        half_width: pixels, half the width of the band along it that is not trusted.
        iterations: of the refinement without a side.
    """

    overlap: float = 0.3
    gain: float = 0.008
    least_area: float = 0.01
    most_area: float = 0.03
    edges: float = 0.001
    half_angle: float = 0.8
    half_width: float = 8.0
    iterations: int = 15


LEAKS: Final = LeakOptions()


@dataclass(frozen=True)
class BoxOutlineOptions:
    """How poses that fill a box are ranked by their outlines. Chosen on 85 rendered prints of one colour on cluttered
    tables, of which 60 % were found in the first place, 93 % among the first 8, all among the first 128; by colours
    alone 88 %.

    Attributes:
        side: longest side of the crop.
        margin: share of the box's longer side by which the crop is wider on each side.
        colors: kinds of colours that are told apart.
        rounds: of their search.
        lightness: of a colour, weight beside its hue: it depends on the light.
        edges: weight of the edges, beside nats of colour.
        blur: pixels over which the picture is smoothed before its edges are looked for.
        faint: units of Lab per pixel at which an edge counts for one half.
        looked_at: of the poses, the best so many are looked at by region ...
        astray: ... and they alone, where the mask misses the box by such a share of one of its sides ...
        beside: ... or such a share of the poses that did best on the mask, where somebody drew a box.
    """

    side: int = 56
    margin: float = 0.25
    colors: int = 24
    rounds: int = 10
    lightness: float = 0.5
    edges: float = 2.0
    blur: float = 0.7
    faint: float = 4.0
    looked_at: int = 48
    astray: float = 0.3
    beside: float = 0.5


BOX_OUTLINES: Final = BoxOutlineOptions()


@dataclass(frozen=True)
class RecutOptions:
    """How a mask is cut again about the outline of a pose. Set by hand.

    Attributes:
        band: half the width of the band along the outline in which the picture decides, in square roots of the area ...
        least_band: ... and at least so many pixels.
        margin: share of the box's longer side by which the crop is wider on each side.
        rounds: of GrabCut.
        least_pixels: of an outline that is cut along.
        explained: overlap of outline and mask from which on the mask stays as it is: one that is cut again is a little
            too small, which made a can of 0.91 6 mm farther at one metre.
        less: by how much less the picture may show of the outline that is found in the mask cut again.
    """

    band: float = 0.06
    least_band: float = 3.0
    margin: float = 0.25
    rounds: int = 3
    least_pixels: int = 64
    explained: float = 0.9
    less: float = 0.1


RECUT: Final = RecutOptions()
