"""Options of the search for symmetries. Lengths are shares of the object's diameter, angles radians.

Chosen on bodies whose symmetry is known, in code and scanned.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, radians
from typing import Final


@dataclass(frozen=True)
class SurfaceOptions:
    """Samples of a surface and their alignment with themselves.

    Attributes:
        damping: of the alignment (v, w), as a share of the information; a turn moves points less than a diameter.
        damping_share: of the information.
        aligned_step: every so many probes are aligned.
        aligned_sigma: distance from the surface at which a probe counts half.
        at_rest: change below which the alignment ends.
        color_neighbors: samples around a place, the most similar of which gives its colour.
        beside: spacings that the surface goes on beside a sample.
        frame_directions: along which the support function gives centre and diameter.
        flat_vertices: of a flat body that take part at most, which has no hull.
        hull_vertices: bodies with no more need no hull.
        smoothed: samples over which colours are averaged, about 4 % of the diameter: print, but no grain.
        least_area: share of the squared radius below which there is no surface.
    """

    damping: tuple[float, ...] = (1.0, 1.0, 1.0, 0.25, 0.25, 0.25)
    damping_share: float = 1e-3
    aligned_step: int = 4
    aligned_sigma: float = 0.01
    at_rest: float = 1e-4
    color_neighbors: int = 7
    beside: float = 1.5
    frame_directions: int = 2000
    flat_vertices: int = 2000
    hull_vertices: int = 8
    smoothed: int = 32
    least_area: float = 1e-12


SURFACE: Final = SurfaceOptions()


@dataclass(frozen=True)
class AxisOptions:
    """The coarse search for axes.

    Attributes:
        directions: over the whole sphere, of which half are tried.
        batch: axes or directions worked on at a time, so that tables stay in the processor's cache.
        neighbors: directions among which a candidate must fit best, itself included.
        first_step: of the refinement of an axis.
        last_step: at which it ends.
        shrink: factor on the step from round to round.
        ways: tried around an axis in each.
    """

    directions: int = 1400
    batch: int = 100
    neighbors: int = 7
    first_step: float = radians(2.0)
    last_step: float = radians(0.1)
    shrink: float = 0.6
    ways: int = 6


AXES: Final = AxisOptions()


@dataclass(frozen=True)
class DetectionOptions:
    """Which motions are tested, and how.

    Attributes:
        first_probes: every so many probes are asked first: most motions fail by far.
        first_share: of these that must come near ...
        first_slack: ... to within so many tolerances.
        most: share of the surface that must miss itself by no more than the tolerance.
        most_misfit: of a candidate axis.
        most_tolerance: that may be asked for.
        sphere_rotations: directions of the rotations that all fit a ball.
        colored_sphere_rotations: of those that all fit a ball in one colour.
        round_axes: candidates for an axis of revolution that are looked at.
        alignment_angles: turns about such an axis by which it is aligned.
        flip_step: between the half turns across an axis that are tried.
        color_flip_step: the same where colours decide.
        flips: of these the best that are looked at.
        color_slack: of candidate axes of colours.
        tolerance: usual fraction of the diameter by which most of the surface may miss itself.
        outliers: usual fraction of the surface that may miss itself by more than twice that.
        color_tolerance: usual difference of colours that is no change.
        color_outliers: usual fraction of the surface that may change its colour by more.
    """

    first_probes: int = 7
    first_share: float = 0.8
    first_slack: float = 1.5
    most: float = 0.9
    most_misfit: float = 0.03
    most_tolerance: float = 0.2
    sphere_rotations: int = 9
    colored_sphere_rotations: int = 24
    round_axes: int = 4
    alignment_angles: tuple[float, ...] = (1.9, 2.5, -2.2)
    flip_step: float = pi / 90
    color_flip_step: float = pi / 120
    flips: int = 12
    color_slack: float = 0.1
    tolerance: float = 0.01
    outliers: float = 0.002
    color_tolerance: float = 0.1
    color_outliers: float = 0.01


DETECTION: Final = DetectionOptions()


@dataclass(frozen=True)
class DeclaredOptions:
    """The check of a declared symmetry against its mesh.

    Attributes:
        samples: of the surface.
        probes: of these that are moved.
        step: between the turns about an axis of revolution that are tried.
        turns: tried at most.
        share: of the probes that must come near the surface.
    """

    samples: int = 4000
    probes: int = 500
    step: float = pi / 7
    turns: int = 60
    share: float = 0.9


DECLARED: Final = DeclaredOptions()
