"""What the host packs and the region kernels read, by one name for both sides."""

from __future__ import annotations

from dexman_pose._warp import wp

BINS = 16
"""Levels of each colour channel that a colour model tells apart: those of Prisacariu and Reid (2012), halved."""

COLORS = BINS * BINS * BINS
"""Colours of a model."""

SECTORS = 8
"""Parts of the outline, by its direction in the picture, that have a colour model of their own."""

LINE_ROOM = 320
"""Lines of one hypothesis at most, outline and inner edges together."""

STEPS = 12
"""Steps a contour may be off by on its line, half of them inwards."""

FAR = 48
"""Pixels of a drawing beyond which it does not matter how far an object, or the background beside it, goes on."""

SPAN = 4
"""Steps looked at beyond those, on both sides."""


class Line:
    """A line across a contour: image pixel on the contour, unit direction out of the object, and its kind.

    ``KIND`` is 1 for a line across the outline, 0 for one across an inner edge, -1 for none. ``INSIDE`` and ``OUTSIDE``
    are pixels of the drawing that the object goes on inwards and the background outwards; 0 or less where that is far.
    """

    X = 0
    Y = 1
    NORMAL_X = 2
    NORMAL_Y = 3
    KIND = 4
    INSIDE = 5
    OUTSIDE = 6
    SIZE = 7


class LineReport:
    """What the lines of a hypothesis say together.

    Lines of the outline that were read, that something hides, and lines of inner edges. Then sums over those of the
    outline that were read: whether the contour is found within two pixels, how many pixels it is off, the log-odds of
    a step on the right side of it, the strength in [0, 1] of the picture's edge at the contour.
    """

    OUTLINE = 0
    HIDDEN = 1
    INNER = 2
    AGREE = 3
    OFFSET = 4
    ODDS = 5
    EDGE = 6
    SIZE = 7


@wp.struct
class Picture:
    """A picture with what is hidden in it, and the window of it in which hypotheses are drawn.

    ``rgb`` (height * width * 3); ``hidden`` (height * width, or empty) not 0 where something else may be before the
    object; ``mask`` (height * width, or empty) not 0 where a mask shows it; the window's first pixel (``x0``, ``y0``)
    and ``scale`` window pixels per image pixel.
    """

    rgb: wp.array(dtype=wp.uint8)  # type: ignore[valid-type]
    hidden: wp.array(dtype=wp.uint8)  # type: ignore[valid-type]
    mask: wp.array(dtype=wp.uint8)  # type: ignore[valid-type]
    height: int
    width: int
    x0: wp.float32
    y0: wp.float32
    scale: wp.float32


@wp.struct
class LineSettings:
    """How lines are laid and read in one round.

    A ``step`` of image pixels is sampled every ``stride`` pixels, each sample a ``share`` of it. Then what
    :class:`~dexman_pose.pose.region.options.LineRound` and :class:`~dexman_pose.pose.region.options.LineOptions` say by
    the same names; ``kind`` is the residual term that lines become.
    """

    step: int
    stride: int
    share: wp.float32
    outline: int
    inner: int
    limit: wp.float32
    temper: wp.float32
    edge: wp.float32
    edge_half: wp.float32
    mask: wp.float32
    contrast: wp.float32
    least_sigma: wp.float32
    weight: wp.float32
    inner_weight: wp.float32
    crease: wp.float32
    kind: int
