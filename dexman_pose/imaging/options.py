"""Options of the tools on pictures. Lengths in pixels of the picture that a tool is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class FlowOptions:
    """Dense inverse-search flow (Kroeger et al., 2016) between frames. Chosen on rendered clips, for time.

    Attributes:
        side: pixels, longer side of the pictures of a region that flow is computed on.
        coarse_side: pixels, longer side of the pictures of whole frames that it begins with.
        coarse_finest_scale: pyramid level at which flow of whole frames ends; 1 is half of ``coarse_side``.
        least_side: pixels, lower limit of the sides of either; the method's patches must fit on every level.
        side_step: pixels, sides are multiples of it, so that few sizes occur.
        finest_scale: pyramid level at which the forward flow ends; 1 is half of ``side``.
        variational_iterations: of the forward flow's last refinement.
    """

    side: int = 176
    coarse_side: int = 160
    coarse_finest_scale: int = 1
    least_side: int = 48
    side_step: int = 16
    finest_scale: int = 1
    variational_iterations: int = 2


@dataclass(frozen=True)
class PointFlowOptions:
    """Sparse pyramidal flow (Lucas and Kanade; Bouguet, 2001), checked by going back. Chosen on rendered scenes.

    Attributes:
        window: pixels, side of the square that is compared.
        levels: of the pyramid above the full picture, on the way there.
        back_levels: the same on the way back. It begins where it should end: a wrong point leaves from there even
            without a pyramid.
        iterations: at most so many on a level.
        step: pixels, a smaller step ends the iterations.
        least_eigenvalue: of the window's gradients, per pixel; with less the point is not found.
        returns: pixels from where a point left within which the way back must lead.
        margin: pixels around the points that are searched; wide enough for window, pyramid and step.
    """

    window: int = 15
    levels: int = 2
    back_levels: int = 0
    iterations: int = 20
    step: float = 0.01
    least_eigenvalue: float = 1e-3
    returns: float = 0.7
    margin: int = 40


RENDERED: Final = PointFlowOptions()
"""From a rendering to a picture: they differ by a few pixels and in looks."""

FRAMES: Final = PointFlowOptions(levels=3, back_levels=3, step=0.02, least_eigenvalue=5e-4, returns=0.5)
"""From one frame to the next: the same surface, moved by tens of pixels."""


BACKGROUND: Final = PointFlowOptions(levels=3, step=0.02, least_eigenvalue=1e-4, returns=0.3)
"""Corners of the background in reduced pictures of even light. Chosen on still and moving clips."""


@dataclass(frozen=True)
class ContrastOptions:
    """Evening out of light, and what looks alike after it. Chosen on rendered scenes and real pictures.

    Attributes:
        window: pixels over which light is taken to be even.
        middle: grey level that stands for the local mean, and for what is not looked at.
        spread: grey levels that stand for the local standard deviation.
        floor: grey levels added to that deviation, so that noise on plain surfaces is not blown up.
        least_cover: share of a window that must be looked at, as a lower limit of the divisor.
        agreement_window: pixels at half the size, side of the neighbourhood in which looks are compared.
        agreement: square of the local correlation above which two pictures look alike.
        least_pixels: with fewer pixels a correlation says nothing.
    """

    window: int = 21
    middle: float = 128.0
    spread: float = 45.0
    floor: float = 6.0
    least_cover: float = 1e-3
    agreement_window: int = 11
    agreement: float = 0.25
    least_pixels: int = 16


CONTRAST: Final = ContrastOptions()


@dataclass(frozen=True)
class MaskOptions:
    """Edges and boxes of masks.

    Attributes:
        far: pixels, distance to the edge of a mask that has none.
        least_slope: pixels, change of the distance over two pixels below which an edge has no direction.
        crop_border: pixels around a box besides its margin, so that edges of small objects have room.
    """

    far: float = 1e3
    least_slope: float = 1e-3
    crop_border: float = 8.0


MASKS: Final = MaskOptions()
