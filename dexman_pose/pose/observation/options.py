"""Options of what is taken from a frame. Lengths in pixels of the crop unless a field says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class CropOptions:
    """Cutting the evidence about one object out of a frame. Chosen on rendered scenes.

    Attributes:
        max_side: larger crops are reduced: contour residuals average over hundreds of points anyway.
        unknown_margin: distance from an occluder or the image border within which a mask's edge is no evidence.
        unknown_share: of a reduced pixel from which it counts as unknown.
        smoothing: side of the Gaussian that takes the steps of pixels out of the distance field.
        least_pixels: of the mask, with fewer it says nothing.
        depth_inside: distance from the mask's edge from which measured depth is the object's.
        detail_blur: standard deviation of the blur before a picture is reduced, in pixels of the reduced picture.
        detail_below: reduction above which a picture is not blurred first.
    """

    max_side: int = 176
    unknown_margin: float = 2.5
    unknown_share: float = 0.25
    smoothing: int = 5
    least_pixels: int = 12
    depth_inside: float = 1.5
    detail_blur: float = 0.35
    detail_below: float = 0.7


CROP: Final = CropOptions()


@dataclass(frozen=True)
class OcclusionOptions:
    """What may hide a part of the object. Chosen on rendered scenes and real depth images.

    Attributes:
        nearer: metres by which a neighbour must be nearer than the object to be in its way.
        core: image pixels, side of the square that a mask is eroded by: the rim's own depth flickers.
        reach: image pixels, side of the square within which something beside a mask's edge cuts it.
        cut_share: of a mask's edge that must lie against something that may hide more.
    """

    nearer: float = 0.015
    core: int = 5
    reach: int = 5
    cut_share: float = 0.08


OCCLUSION: Final = OcclusionOptions()


@dataclass(frozen=True)
class ViewOptions:
    """The crops of one object in one picture.

    Attributes:
        margin: share of the mask's box that a crop for refinement reaches beyond it, on each side; chosen so that
            poses a tenth of the object's size off stay inside.
    """

    margin: float = 0.25


VIEW: Final = ViewOptions()


@dataclass(frozen=True)
class PromptOptions:
    """What a caller points at in a single picture.

    Attributes:
        agreeing: share of a mask that must lie in the box given with it; masks leak, boxes are drawn by hand. Set by
            hand.
    """

    agreeing: float = 0.75


PROMPT: Final = PromptOptions()
