"""Settings of shapes that are guessed from outlines. Lengths are shares of the object's own size."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OutlineOptions:
    """How an outline is sampled.

    Attributes:
        side: longest side in cells of the working copy of a mask.
        pad: pixels of the picture around it.
        least: pixels of a mask that has a shape.
        agree: share of the views that must see a point within their outline.
        slack: cells by which a point may lie outside an outline: masks and poses err.
        thin: of the largest circle within an outline: what an opening by this share of it removes is thin.
        appendage: share of an outline from which on a thin part is one, not a corner.
    """

    side: int = 128
    pad: int = 4
    least: int = 30
    agree: float = 0.7
    slack: float = 0.5
    thin: float = 0.62
    appendage: float = 0.025


@dataclass(frozen=True)
class RevolvedOptions:
    """How a body of revolution is fitted.

    Attributes:
        heights: places along the axis.
        radii: steps of the radius.
        angles: points of a ring.
        reach: of the grid along the axis and across it, in the outline's longest side.
        useless: share of the outline that the ends of a body may add together before they are cut off: the ends of the
            hull of one view are cones within the discs that a can ends with.
        flattest: of its diameter, height that a body has at least where the outline does not tell: of a bowl seen from
            above the rim hides what is below ...
        foot: ... down to where it is this much narrower than its rim.
        sections: corners of a ring of the mesh.
        rows: rings of the mesh along the outside.
        wall: of the largest diameter, thickness of the wall of a hollow body.
        least_radius: of the largest radius; less is no ring.
        smooth: standard deviation in steps of the smoothing of a profile.
    """

    heights: int = 44
    radii: int = 28
    angles: int = 22
    reach: float = 1.1
    useless: float = 0.012
    flattest: float = 0.32
    foot: float = 0.4
    sections: int = 48
    rows: int = 26
    wall: float = 0.03
    least_radius: float = 0.08
    smooth: float = 0.8


@dataclass(frozen=True)
class ExtrudedOptions:
    """How an outline is extruded.

    Attributes:
        coarse: cells of the plane among which the outline is looked for ...
        around: ... with so many cells around it ...
        cells: ... and those of the outline itself, along its longest side.
        levels: of the thickness at which a column must lie within the outline.
        layers: cells of the mesh across the thickness.
        resolution: cells of the mesh along the longest side.
        reach: of the grid, in the outline's longest side over the sine of the plane's tilt.
        box: share of its smallest rectangle that an outline fills which may be that of a box.
    """

    coarse: int = 40
    around: int = 2
    cells: int = 60
    levels: int = 5
    layers: int = 7
    resolution: int = 44
    reach: float = 1.25
    box: float = 0.7


@dataclass(frozen=True)
class SwollenOptions:
    """How an outline is swollen.

    Attributes:
        resolution: cells along the longest side.
        reach: of the grid beyond the outline, in the outline's longest side over the sine of the plane's tilt.
    """

    resolution: int = 44
    reach: float = 1.2
