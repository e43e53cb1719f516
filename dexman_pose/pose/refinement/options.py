"""Options of the refinement of a pose that is roughly right. Chosen on rendered scenes, unless a field says otherwise.

Lengths are in pixels of the crop, angles in radians, radii those of the object.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import radians
from typing import Final

from dexman_pose.pose.solver.options import RefineOptions


@dataclass(frozen=True)
class ConvergenceOptions:
    """Steps that would show in no picture.

    Attributes:
        shift: of the distance: a smaller step of the place is none.
        turn: change of an element of the rotation; a smaller one is none.
    """

    shift: float = 2e-3
    turn: float = 1e-2


CONVERGENCE: Final = ConvergenceOptions()


@dataclass(frozen=True)
class ColorOptions:
    """Whether the colours of a mesh say more than its shading.

    Attributes:
        plain_spread: grey levels of spread up to which colours are one colour with its shading baked in; what
            scans of plain objects show.
        texture_step: every so many pixels of a texture are looked at.
        plain_contrast: grey levels of local contrast, as the mesh is drawn without light, up to which light says more
            than colours. Of 22 scans of household things a banana, a blue pitcher, a bowl, a wooden block and two
            clamps reach 11.0 at most: where a picture shows them, correlation with their colours is 0 or less at right
            poses and up to 0.5 at poses turned by 170 degrees. The others reach 13.5 and more.
        view_side: pixels of the views it is measured in.
        view_distance: radii of the object from which it is looked at.
    """

    plain_spread: float = 16.0
    texture_step: int = 8
    plain_contrast: float = 12.0
    view_side: int = 96
    view_distance: float = 7.0


COLORS: Final = ColorOptions()


@dataclass(frozen=True)
class PerturbationOptions:
    """Small turns about a pose, each refined, the cheapest taken.

    Attributes:
        angle: of each turn; about what the cost's kinks reach, where a face seen at a grazing angle comes and goes.
        iterations: of each refinement.
        prior_translation: radii, standard deviation of the prior around the unturned pose; where the picture leaves a
            direction open, mostly the distance, that pose is what is known of it.
        prior_rotation: the same of the rotation.
    """

    angle: float = radians(5.0)
    iterations: int = 30
    prior_translation: float = 0.05
    prior_rotation: float = 0.1


AROUND_HYPOTHESIS: Final = PerturbationOptions()
"""About the best hypothesis of a search."""

AROUND_START: Final = PerturbationOptions(angle=radians(4.0))
"""About a pose that the user says is roughly right."""


_BY_EDGES = RefineOptions(iterations=8, silhouette_reach=3.0, edge_weight=0.6)


@dataclass(frozen=True)
class EdgeAlignmentOptions:
    """Outline and creases pulled onto edges of the picture.

    Attributes:
        rounds: of matching and refining.
        least_reach: pixels looked at across an edge in the last rounds; one less in every round down to it.
        refinement: weights and limits; the mask keeps its say.
    """

    rounds: int = 2
    least_reach: int = 3
    refinement: RefineOptions = _BY_EDGES


TO_EDGES: Final = EdgeAlignmentOptions()

TO_EDGES_GENTLY: Final = replace(TO_EDGES, refinement=replace(TO_EDGES.refinement, edge_weight=0.25))
"""From a pose that the user says is roughly right, by a mask that is taken to be good."""

LEAKING_MASK: Final = replace(TO_EDGES, rounds=4)
"""Where a side of the mask may leak."""

LEAKING_MASK_IN_DEPTH: Final = replace(
    LEAKING_MASK,
    refinement=replace(LEAKING_MASK.refinement, silhouette_weight=0.1, silhouette_reach=2.0, edge_weight=1.0),
)
"""The same with depth, which holds the distance that edges alone leave loose: the mask can step back."""


@dataclass(frozen=True)
class GrayAlignmentOptions:
    """Alignment by grey values, coarse to fine, of meshes whose colours have no corners.

    Attributes:
        rounds: of rendering and refining; the coarse level is asked in the first alone.
        coarse_sigma: grey levels, standard deviation of a grey value on the coarse level.
        fine_sigma: on the fine level.
        small_gain: share of the cost below which a gain ends the iterations.
        point_worth: what a grey value that agrees counts beside a corner that does: neighbours err together.
    """

    rounds: int = 3
    coarse_sigma: float = 24.0
    fine_sigma: float = 16.0
    small_gain: float = 1e-3
    point_worth: float = 0.1


BY_GRAY: Final = GrayAlignmentOptions()


@dataclass(frozen=True)
class ScoreOptions:
    """How a pose is scored.

    Attributes:
        edge_share: weight of edges, against overlap and correlation.
        depth_tolerance: radii of depth error at which a pixel half agrees.
    """

    edge_share: float = 0.25
    depth_tolerance: float = 0.05


SCORES: Final = ScoreOptions()


@dataclass(frozen=True)
class AdamOptions:
    """First-order refinement.

    Attributes:
        last_rate: share of the first learning rate that it falls to along a cosine.
        moments: memories of Adam; shorter than its own: there are a hundred steps, not thousands.
        depth_corner: radii; depth differences below count squared, above by their size.
        color_weight: of one minus the colour correlation, against mask difference and depth.
        margin: share of the box around mask and mesh that the crop reaches beyond it.
        last_part: one part in so many of the iterations, the last, must bring little for the loss to be at rest.
        rest_gain: share of the loss that is little.
        least_iterations: fewer say nothing of rest.
    """

    last_rate: float = 0.02
    moments: tuple[float, float] = (0.85, 0.97)
    depth_corner: float = 0.02
    color_weight: float = 0.5
    margin: float = 0.1
    last_part: int = 5
    rest_gain: float = 0.01
    least_iterations: int = 10


ADAM: Final = AdamOptions()
