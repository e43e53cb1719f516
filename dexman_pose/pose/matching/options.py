"""Options of the matches between a posed mesh and a picture.

Unless a field says otherwise, values are chosen on rendered scenes, and lengths are in pixels of the crop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class CreaseOptions:
    """Where the two sides of a fold meet.

    Attributes:
        near: pixels from the fold's pixel from which a side is looked at: nearer may lie beyond the crease.
        far: pixels up to which it is.
        farthest: pixels from the fold's pixel within which its crease must lie.
        tolerance: pixels that the crease may move for what a side is off its line, and that the surface may be off its
            two lines.
        flat: change of slope, as a share of 1 / z, that rounding makes.
    """

    near: int = 3
    far: int = 5
    farthest: float = 3.0
    tolerance: float = 0.3
    flat: float = 2e-6


CREASES: Final = CreaseOptions()


@dataclass(frozen=True)
class EdgeOptions:
    """Edges of shapes and of pictures.

    Attributes:
        bins: orientations that edges of the picture are spread over; half a turn together.
        crease: change of the unit normal across four pixels that makes a crease: about 30 degrees.
        step: depth step, in radii of the object, that makes an inner occlusion.
        rim: twice the distance from the outline within which a round side looks like a fold.
        half: grey levels per pixel at which an edge of the picture counts half; weaker ones are not matched.
        blur: standard deviation of the blur of the picture, against its noise.
        smoothing: side of the Gaussian that takes the steps of pixels out of an outline.
        least_slope: change of the distance to an outline over two pixels below which it has no direction.
        least: edges and matches below which they say nothing.
        most: about so many edges are matched.
        reach: pixels across an edge that are looked at to either side.
        rim_reach: the same along outlines whose inside looks like the object.
        rim_points: about so many points of such an outline are matched.
        rim_inside: distance from the outline at which its inside is compared.
    """

    bins: int = 8
    crease: float = 0.55
    step: float = 0.12
    rim: int = 11
    half: float = 12.0
    blur: float = 0.8
    smoothing: int = 5
    least_slope: float = 1e-3
    least: int = 12
    most: int = 300
    reach: int = 6
    rim_reach: int = 6
    rim_points: int = 140
    rim_inside: float = 5.0


EDGES: Final = EdgeOptions()


@dataclass(frozen=True)
class KeyframeOptions:
    """Earlier views of an object, recognised later. Chosen on rendered clips that turn out and back.

    Attributes:
        side: longest side of the crops.
        margin: share of the mask's box around it.
        least_side: smaller crops show hardly anything.
        points: of a keyframe.
        quality: of a corner, as a share of the best one's.
        spacing: between corners.
        inside: side of the square that the mask is eroded by before corners are taken.
        least: matches below which a keyframe says nothing.
        least_share: of the points looked for that must be found: a few among many are chance.
        plenty: matches above which nothing else is asked, neither a second keyframe nor followed points.
        asked: keyframes looked at in one picture.
        grid: pixels between the nodes at which the way from one view to the other is worked out.
        steepest: cosine between surface normal and line of sight below which points are not looked for.
        apart: degrees between lines of sight; closer views are one ...
        nearer: ... unless their distances differ by this factor.
        same_depth: radii of the object; what lies farther behind is another surface.
        inherited: trust of a keyframe, as a share of that of the one it was made by.
        unrecognised: share of trust left after a frame in which no keyframe was recognised.
        seen: visible share of the outline that a new keyframe needs.
        sure: confidence that it needs.
        least_depth: metres, lower limit of depths that are divided by.
    """

    side: int = 200
    margin: float = 0.04
    least_side: int = 16
    points: int = 60
    quality: float = 0.02
    spacing: int = 5
    inside: int = 7
    least: int = 8
    least_share: float = 0.3
    plenty: int = 25
    asked: int = 2
    grid: int = 4
    steepest: float = 0.3
    apart: float = 30.0
    nearer: float = 1.5
    same_depth: float = 0.12
    inherited: float = 0.75
    unrecognised: float = 0.97
    seen: float = 0.6
    sure: float = 0.6
    least_depth: float = 1e-3


KEYFRAMES: Final = KeyframeOptions()


@dataclass(frozen=True)
class PhotometricOptions:
    """Grey values of surface points.

    Attributes:
        coarse_blur: standard deviation of the blur of the coarse level, which widens the reach.
        fine_blur: of the fine level, which gives the precision.
        points: about so many are compared.
        window: share of the crop over which light is taken to be even.
        least_window: lower limit of that window; odd.
        least_points: with fewer the pose is not fixed.
        least_pixels: that can be compared, with fewer nothing is said.
        doubted: weight of points where rendering and picture do not look alike.
        inside: side of the square that the compared pixels are eroded by.
        contrast: grey levels per pixel, along x and y together, that a point needs.
    """

    coarse_blur: float = 2.5
    fine_blur: float = 0.9
    points: int = 600
    window: float = 0.4
    least_window: int = 21
    least_points: int = 40
    least_pixels: int = 60
    doubted: float = 0.3
    inside: int = 5
    contrast: float = 5.0


PHOTOMETRIC: Final = PhotometricOptions()


@dataclass(frozen=True)
class PointTrackOptions:
    """How surface points are found and followed.

    Attributes:
        count: points followed at a time.
        refill_share: share of ``count`` that must be missing before new ones are looked for.
        border: pixels from the border of what is seen of the object within which no point is taken.
        quality: least strength of a corner, as a share of the strongest (Shi and Tomasi, 1994).
        apart: pixels between points.
        far: pixels, distance of a point that has no projection.
        agrees: pixels from where the pose has it beyond which a point is dropped; three times its noise.
        oldest: frames after which a point is dropped, for it drifts.
    """

    count: int = 80
    refill_share: float = 0.2
    border: int = 2
    quality: float = 0.01
    apart: int = 5
    far: float = 1e3
    agrees: float = 3.0
    oldest: int = 60


@dataclass(frozen=True)
class TextureMatchOptions:
    """The mesh, rendered in its own colours, found in the picture.

    Attributes:
        side: longest side of the crop; larger ones are reduced.
        points: at most so many corners.
        quality: of a corner, as a share of the best one's.
        spacing: between corners.
        inside: side of the square that the rendering is eroded by before corners are taken.
        least_points: corners found again below which there are no matches.
        least_pixels: that can be compared, with fewer nothing is said.
        least_side: image pixels; a smaller rendering is not looked at.
        margin: share of the rendering's box around it.
        lightly: reduction above which neighbours are interpolated and not areas averaged, which costs as much as
            rendering.
        outline_points: about so many points of the outline are looked at.
        reach: pixels on either side of the outline in which the picture's edge is looked for.
        weakest: sum over the channels of the change across two pixels that makes an edge.
        roundness: standard deviation of the blur of the drawn mask whose gradient is the way across its outline.
        least_slope: of that gradient, as a share of its value at a straight outline.
        hidden: side of the square by which what may hide the object is grown.
        outline_inside: distance from the outline at which its inside is compared.
        blur: standard deviation of the blur of the picture, against its noise.
        least_edges: below which there are none.
    """

    side: int = 320
    points: int = 120
    quality: float = 0.02
    spacing: int = 5
    inside: int = 7
    least_points: int = 4
    least_pixels: int = 60
    least_side: float = 8.0
    margin: float = 0.05
    lightly: float = 0.7
    outline_points: int = 140
    reach: int = 4
    weakest: float = 24.0
    roundness: float = 2.0
    least_slope: float = 0.3
    hidden: int = 9
    outline_inside: float = 5.0
    blur: float = 0.8
    least_edges: int = 12


FINE_TEXTURE: Final = TextureMatchOptions()
"""For a single picture, and against drift."""

QUICK_TEXTURE: Final = TextureMatchOptions(side=200)
"""For every frame and every hypothesis: a crop small enough to be quick."""
