"""What the host packs and the kernels read: every number of a kernel's argument, by one name for both sides.

A class of offsets names the numbers of one row of a flat array; its ``SIZE`` is the length of the row. A struct is
handed to a kernel by value. Host code and kernels index with these names alone.
"""

from __future__ import annotations

from dexman_pose._warp import wp

POSE = 6
"""Unknowns of a pose: a twist (v, w) about the object's centre in camera axes."""

UNKNOWNS = 10
"""Most unknowns: those of the pose, then log-scales (none, one, or one per axis), then the log of the focal length."""

TRIANGLE = UNKNOWNS * (UNKNOWNS + 1) // 2
"""Numbers of the packed lower triangle of a normal matrix, row by row."""

STEP_LIMIT = 24
"""Pixels of the crop along the normal of a mask's edge within which the rendered outline is looked for, set by hand."""

DEPTH_MARGIN = 1.5
"""Pixels of the crop inside the mask's edge from which on depth counts: that of the edge mixes object and background.
:attr:`~dexman_pose.pose.observation.crop.CropObservation.depth_count` counts by the same."""


class CodeBit:
    """Bits of a crop's code image."""

    MASK = 1
    UNKNOWN = 2
    NEAR_UNKNOWN = 4


class View:
    """A view: intrinsics of the crop in its pixels, and crop pixels per image pixel."""

    FX = 0
    FY = 1
    CX = 2
    CY = 3
    FACTOR_X = 4
    FACTOR_Y = 5
    SIZE = 6


class EdgePoint:
    """A point of a mask's edge: crop pixel, and unit direction into the mask."""

    X = 0
    Y = 1
    NORMAL_X = 2
    NORMAL_Y = 3
    SIZE = 4


class Target:
    """What a surface point should meet: a pixel of the crop, there a line with a unit normal, or a grey value."""

    GRAY = 0
    PIXEL_X = 0
    PIXEL_Y = 1
    NORMAL_X = 2
    NORMAL_Y = 3
    WEIGHT = 4
    SIZE = 5


class PointSet:
    """A set of surface points: its first item and the one after its last."""

    FIRST = 0
    END = 1
    SIZE = 2


class State:
    """A hypothesis: rotation row by row, centre in the camera frame in metres, log-scales, log focal factor."""

    ROTATION = 0
    CENTER = 9
    LOG_SCALE = 12
    LOG_FOCAL = 15
    SIZE = 16


class Prior:
    """A prior: pose it is centred at, as in a state, and information (1 / sigma^2) of what it holds.

    Log-scales and the log of the focal length are held at zero, the mesh and the lens as given.
    """

    ROTATION = 0
    CENTER = 9
    TRANSLATION_INFORMATION = 12
    ROTATION_INFORMATION = 13
    SCALE_INFORMATION = 14
    FOCAL_INFORMATION = 15
    SIZE = 16


class Projection:
    """A projection: the 3x4 matrix K [R S | c - R S middle], row by row."""

    ROW = 4
    SIZE = 12


class Term:
    """Residual terms, in the order of their slots."""

    SILHOUETTE = 0
    DEPTH = 1
    POINTS = 2
    EDGES = 3
    COLOR = 4
    SIZE = 5


class System:
    """Packed normal equations: lower triangle of the matrix, right-hand side."""

    RIGHT = TRIANGLE
    SIZE = TRIANGLE + UNKNOWNS


class Slot:
    """One thread's sums of one term: normal equations, cost, residuals, their squares, and what was counted.

    Outline: ``HITS`` known pixels drawn on the mask, ``AREA`` known pixels drawn. Depth: ``AREA`` pixels drawn. Points
    and colours: ``HITS`` residuals that agree.
    """

    RIGHT = TRIANGLE
    COST = System.SIZE
    COUNT = System.SIZE + 1
    SQUARES = System.SIZE + 2
    HITS = System.SIZE + 3
    AREA = System.SIZE + 4
    SIZE = System.SIZE + 5


class Report:
    """What is known of a hypothesis.

    Cost, damping, steps taken, whether at rest; ``FIRST_HITS`` and ``FIRST_DRAWN`` where it began; then, from ``SEEN``
    on, what the evaluation of the best state counted: known pixels drawn on the mask, known pixels drawn, pixels drawn,
    squares and number of outline residuals, share of points that agree.
    """

    COST = 0
    DAMPING = 1
    STEPS = 2
    AT_REST = 3
    FIRST_HITS = 4
    FIRST_DRAWN = 5
    SEEN = 6
    HITS = 6
    DRAWN = 7
    AREA = 8
    SQUARES = 9
    OUTLINE = 10
    AGREEING = 11
    SIZE = 12


@wp.struct
class Lens:
    """Intrinsics of a crop in its pixels, with a hypothesis' factor on the focal length."""

    fx: wp.float64
    fy: wp.float64
    cx: wp.float64
    cy: wp.float64


@wp.struct
class Hypothesis:
    """One thread's part of a hypothesis.

    First numbers of its ``state`` and of the thread's ``slot``, index of its ``view``, its lens, and the object's
    ``center`` in the camera frame.
    """

    state: int
    slot: int
    view: int
    lens: Lens
    center: wp.vec3d


@wp.struct
class Residual:
    """One residual and what it depends on.

    ``value`` itself, ``slope`` its gradient by the surface point in camera axes, ``arm`` that point from the object's
    centre in the same axes, ``by_focal`` its derivative by the log of the focal length.
    """

    value: wp.float64
    slope: wp.vec3d
    arm: wp.vec3d
    by_focal: wp.float64


@wp.struct
class SeenPoint:
    """A surface point before the camera.

    ``place`` in the camera frame, ``arm`` from the object's centre, (``u``, ``v``) its pixel of the crop, ``factor``
    crop pixels per image pixel along both axes.
    """

    place: wp.vec3d
    arm: wp.vec3d
    u: wp.float64
    v: wp.float64
    factor_x: wp.float64
    factor_y: wp.float64


@wp.struct
class TermWeights:
    """Weights of all terms, made of :class:`~dexman_pose.pose.solver.options.RefineOptions`.

    Per term: information (1 / sigma^2), reach in sigmas, weight, and the number of residuals from which on more weigh
    no more. ``point_inlier`` and ``color_inlier`` are squares of sigmas, ``use_silhouette`` is 0 or 1.
    All are of one type, for the host fills a row as one array.
    """

    use_silhouette: wp.float64
    silhouette_information: wp.float64
    silhouette_reach: wp.float64
    silhouette_weight: wp.float64
    silhouette_most: wp.float64
    depth_information: wp.float64
    depth_reach: wp.float64
    depth_weight: wp.float64
    depth_most: wp.float64
    depth_facing: wp.float64
    depth_scale: wp.float64
    depth_shift: wp.float64
    point_information: wp.float64
    point_reach: wp.float64
    point_inlier: wp.float64
    edge_information: wp.float64
    edge_reach: wp.float64
    color_information: wp.float64
    color_reach: wp.float64
    color_inlier: wp.float64
    small_gain: wp.float64


@wp.struct
class StepLimits:
    """Limits of a step: the fields of :class:`~dexman_pose.pose.solver.options.SolverOptions`."""

    first_damping: wp.float64
    least_damping: wp.float64
    damping_fall: wp.float64
    damping_rise: wp.float64
    most_damping: wp.float64
    least_gain: wp.float64
    most_turn: wp.float64
    most_stretch: wp.float64
    most_approach: wp.float64
    rest_shift: wp.float64
    rest_turn: wp.float64
