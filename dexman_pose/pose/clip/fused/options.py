"""Settings of the way from a clip with depth to a mesh."""

from __future__ import annotations

from dataclasses import dataclass, field

from dexman_pose.meshing.fusion.options import BoxOptions, FusionOptions


@dataclass(frozen=True)
class RegistrationOptions:
    """How one frame's points are laid onto what is known of the object.

    Attributes:
        points: of a frame that are used.
        spacing: share of the object's size at which the model's points are kept apart.
        reach: shares of the object's size within which points are matched, coarse to fine.
        steps: Gauss-Newton steps at each of them.
        same_side: cosine within which normals of matched points must agree.
        place_sigma: metres, how far measured points scatter about the surface.
        color_sigma: share of white by which colours of a matched point differ.
        robust: sigmas from which a residual counts less (Huber).
        neighbors: points from which a colour gradient is made.
        least_points: a frame with fewer is left out.
        least_overlap: share of a frame's points that must find a match.
        worst: metres, the median distance at which a registration is taken for failed.
        still: metres and radians of a step below which the iteration has come to rest.
        damping: of the normal equations, in units of their diagonal.
    """

    points: int = 2500
    spacing: float = 0.018
    reach: tuple[float, ...] = (0.25, 0.1, 0.04)
    steps: int = 10
    same_side: float = 0.6
    place_sigma: float = 0.002
    color_sigma: float = 0.06
    robust: float = 1.5
    neighbors: int = 12
    least_points: int = 150
    least_overlap: float = 0.5
    worst: float = 0.004
    still: float = 2e-5
    damping: float = 1e-6


@dataclass(frozen=True)
class FusedOptions:
    """How a mesh is made of a clip with depth.

    Attributes:
        registration: of frames onto what is known of the object.
        fusion: of depth images to a surface.
        box: when it is taken for a box.
        views: frames that are fused at most, spread over the valid ones.
        colored: frames that give colours at most.
        coarser: how many times larger the faces of the fused mesh are than the cells of its grid.
        least_views: frames that must be placed.
        rest_turn: radians, an object that turned less towards its table has not moved.
        rest_shift: metres, the same for its place.
        table_frames: frames in which a table is looked for.
        least_tables: of these must show the same one.
        lowest: share of measured points below which none is believed.
        foot: metres within which the lowest seen point must lie on the table for it to end there.
    """

    registration: RegistrationOptions = field(default_factory=RegistrationOptions)
    fusion: FusionOptions = field(default_factory=FusionOptions)
    box: BoxOptions = field(default_factory=BoxOptions)
    views: int = 60
    colored: int = 24
    coarser: float = 2.0
    least_views: int = 3
    rest_turn: float = 0.05
    rest_shift: float = 0.006
    table_frames: int = 8
    least_tables: int = 3
    lowest: float = 0.01
    foot: float = 0.012
