"""A line finds the edge that colours, edges and masks show, and no line reads what is hidden or beyond the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.pose.region._layout import LineReport
from dexman_pose.pose.region.options import LineOptions, LineRound, RegionOptions

SIZE = 260
MIDDLE = 129.5
"""Between two pixels: the picture's middle, through which straight edges run."""

ROUNDS = RegionOptions().rounds
RIGHT = np.array([1.0, 0.0])

# Directions, and how far from the middle the edge runs: between two rows of pixel centres, so that it is where it is.
EDGES = {
    "right": ((1.0, 0.0), 0.0),
    "left": ((-1.0, 0.0), 0.0),
    "down": ((0.0, 1.0), 0.0),
    "up": ((0.0, -1.0), 0.0),
    "diagonal": ((np.sqrt(0.5), np.sqrt(0.5)), 0.5 * np.sqrt(0.5)),
    "slanted": ((0.28, -0.96), 0.0),
}


def half_plane(shapes: Any, normal: Any, at: float = 0.0) -> NDArray[np.uint8]:
    """The object's colour up to a straight edge, ``at`` pixels along ``normal`` from the picture's middle."""
    y, x = np.mgrid[:SIZE, :SIZE]
    behind = (x - MIDDLE) * normal[0] + (y - MIDDLE) * normal[1] > at
    return np.where(behind[..., None], np.uint8(shapes.ground_color), np.uint8(shapes.object_color))


def column(x: float, count: int = 60) -> NDArray[np.float64]:
    """(count, 2) places one below the other."""
    return np.column_stack([np.full(count, x), np.arange(100.0, 100.0 + count)])


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("round_", ROUNDS, ids=lambda r: f"step {r.step}")
def test_a_step_edge_is_found_where_it_is(shapes: Any, round_: LineRound, edge: str) -> None:
    normal, at = np.array(EDGES[edge][0]), EDGES[edge][1]
    image = half_plane(shapes, normal, at)
    rng = np.random.default_rng(0)
    side = np.array([-normal[1], normal[0]])
    errors, offsets = [], []
    for _ in range(4):
        true = rng.uniform(-5.0, 5.0, 300)  # pixels from the line's middle to the edge
        places = MIDDLE + rng.uniform(-20, 20, 300)[:, None] * side + (at - true)[:, None] * normal
        rows = np.tile(normal, (300, 1))
        found = shapes.read(image, places, rows, table=shapes.table_of(), round_=round_)
        assert np.isfinite(found.off).all()
        offsets.append(true)
        errors.append(found.off - true)
    error, offset = np.concatenate(errors), np.concatenate(offsets)
    assert abs(error.mean()) < 0.02 + 0.005 * round_.step
    assert error.std() < 0.15 * round_.step + 0.3
    # The line tells near edges from far ones, to both sides.
    slope = np.polyfit(offset, offset + error, 1)[0]
    assert abs(slope - 1.0) < (0.02 if round_.step == 1 else 0.3)


def test_an_edge_alone_is_found_without_colours(shapes: Any) -> None:
    rows = np.tile(RIGHT, (60, 1))
    image = half_plane(shapes, RIGHT)
    for off in (-1.5, -0.5, 0.5, 1.5):
        found = shapes.read(image, column(MIDDLE - off), rows, outline=False)
        assert abs(found.off.mean() - off) < 0.51
    blind = RegionOptions(lines=LineOptions(edge=0.0, contrast=0.0))
    none = shapes.read(image, column(MIDDLE - 1.0), rows, outline=False, options=blind)
    assert np.abs(none.off).max() < 1e-5


def test_an_empty_picture_moves_nothing(shapes: Any) -> None:
    image = np.full((SIZE, SIZE, 3), 128, np.uint8)
    rows = np.tile([0.6, 0.8], (60, 1))
    for round_ in ROUNDS:
        found = shapes.read(image, column(MIDDLE), rows, round_=round_)
        np.testing.assert_allclose(found.off, 0.0, atol=1e-4)
        assert found.report[LineReport.ODDS] == 0.0
        assert found.report[LineReport.EDGE] == 0.0
    sure = shapes.read(
        half_plane(shapes, RIGHT), column(MIDDLE), np.tile(RIGHT, (60, 1)), table=shapes.table_of()
    )
    assert sure.weight.min() > 3 * found.weight.max()  # what was found weighs more than what was not


def test_lines_into_hidden_pixels_are_not_read(shapes: Any) -> None:
    image, at = half_plane(shapes, RIGHT), column(MIDDLE)
    hidden = np.zeros((SIZE, SIZE), bool)
    hidden[120:140, 132:135] = True
    found = shapes.read(image, at, np.tile(RIGHT, (60, 1)), table=shapes.table_of(), hidden=hidden)
    behind = (at[:, 1] >= 120) & (at[:, 1] < 140)
    assert np.isnan(found.off[behind]).all()
    assert np.isfinite(found.off[~behind]).all()
    assert found.report[LineReport.HIDDEN] == behind.sum()
    assert found.report[LineReport.OUTLINE] == (~behind).sum()


def test_lines_that_leave_the_picture_are_not_read(shapes: Any) -> None:
    image = half_plane(shapes, RIGHT)
    round_ = LineRound(1, 1.0)
    x = np.arange(0.0, SIZE)
    at = np.column_stack([x, np.full(SIZE, 50.0)])
    found = shapes.read(image, at, np.tile([1.0, 0.0], (SIZE, 1)), table=shapes.table_of(), round_=round_)
    read = np.isfinite(found.off)
    assert read[20:-20].all()
    assert not read[:10].any()
    assert not read[-10:].any()
    outside = np.array([[-5.0, 50.0], [SIZE + 4.0, 50.0], [50.0, -3.0], [1e6, 1e6], [-1e6, 40.0]])
    none = shapes.read(image, outside, np.tile([0.0, 1.0], (5, 1)), table=shapes.table_of(), round_=round_)
    assert np.isnan(none.off).all()


def test_the_report_says_whether_lines_agree(shapes: Any) -> None:
    image, rows = half_plane(shapes, RIGHT), np.tile(RIGHT, (60, 1))

    def said(x: float, odds: float = 2.0) -> NDArray[np.float32]:
        report: NDArray[np.float32] = shapes.read(image, column(x), rows, table=shapes.table_of(odds)).report
        return report / report[LineReport.OUTLINE]

    right, wrong, inside_out = said(MIDDLE), said(MIDDLE - 5.0), said(MIDDLE, -2.0)
    assert right[LineReport.AGREE] == 1.0
    assert wrong[LineReport.AGREE] == 0.0
    assert abs(wrong[LineReport.OFFSET] - 5.0) < 0.6
    assert right[LineReport.ODDS] > 0.5 > wrong[LineReport.ODDS] + 0.2
    assert inside_out[LineReport.ODDS] == pytest.approx(-right[LineReport.ODDS], abs=1e-5)
    assert right[LineReport.EDGE] > 0.85
    assert wrong[LineReport.EDGE] < 0.1


def mask_edge(at: float) -> NDArray[np.bool_]:
    """A mask up to a column."""
    return np.tile(np.arange(SIZE) < MIDDLE + at, (SIZE, 1))


def test_a_mask_speaks_where_colours_say_nothing_and_does_not_outvote_them(shapes: Any) -> None:
    normal, at = np.tile(RIGHT, (60, 1)), column(MIDDLE)
    empty = np.full((SIZE, SIZE, 3), 128, np.uint8)
    for shift in (-3.0, 3.0):
        alone = shapes.read(empty, at, normal, mask=mask_edge(shift))
        assert np.sign(alone.off.mean()) == np.sign(shift)
        assert 0.8 < abs(alone.off.mean()) < 3.5
        image = half_plane(shapes, RIGHT)
        against = shapes.read(image, at, normal, table=shapes.table_of(), mask=mask_edge(shift))
        assert abs(against.off.mean()) < 1.0
    nothing = shapes.read(empty, at, normal, mask=mask_edge(3.0), options=_without_mask())
    np.testing.assert_allclose(nothing.off, 0.0, atol=1e-5)


def _without_mask() -> RegionOptions:
    return RegionOptions(lines=LineOptions(mask=0.0))


def test_lines_look_up_the_colours_of_their_own_sector(shapes: Any) -> None:
    image = half_plane(shapes, RIGHT)
    at = column(MIDDLE + 3.0)
    options = RegionOptions(lines=LineOptions(edge=0.0, contrast=0.0))
    table = shapes.table_of()
    table[1:] = 0.0  # what was learnt to the right of the object, and nothing else
    right = shapes.read(image, at, np.tile([1.0, 0.0], (60, 1)), table=table, options=options)
    left = shapes.read(image, at, np.tile([-1.0, 0.0], (60, 1)), table=table, options=options)
    assert right.off.mean() < -2.0
    np.testing.assert_allclose(left.off, 0.0, atol=1e-5)


def test_what_lies_beyond_a_thin_object_says_nothing_of_its_contour(shapes: Any) -> None:
    """A bar of 14 pixels: a line in steps of 4 reaches far beyond its other side."""
    _y, x = np.mgrid[:SIZE, :SIZE]
    image = half_plane(shapes, RIGHT)
    image[x < MIDDLE - 14] = shapes.ground_color
    coarse = LineRound(4, 3.0)
    true = np.linspace(-6.0, 6.0, 60)
    places = column(MIDDLE) - np.column_stack([true, np.zeros(60)])
    rows = np.tile(RIGHT, (60, 1))
    blind = shapes.read(image, places, rows, table=shapes.table_of(), round_=coarse)
    found = shapes.read(image, places, rows, table=shapes.table_of(), round_=coarse, inside=14.0)
    assert np.abs(found.off - true).mean() < 1.5
    assert np.abs(blind.off - true).mean() > 1.5 * np.abs(found.off - true).mean()


def test_what_lies_beyond_a_gap_says_nothing_either(shapes: Any) -> None:
    x = np.mgrid[:SIZE, :SIZE][1]
    image = half_plane(shapes, RIGHT)
    image[x > MIDDLE + 10] = shapes.object_color
    coarse = LineRound(4, 3.0)
    places, rows = column(MIDDLE), np.tile(RIGHT, (60, 1))
    blind = shapes.read(image, places, rows, table=shapes.table_of(), round_=coarse)
    found = shapes.read(image, places, rows, table=shapes.table_of(), round_=coarse, outside=10.0)
    assert np.abs(found.off).max() < 2.0
    assert np.abs(blind.off).min() > 5.0
