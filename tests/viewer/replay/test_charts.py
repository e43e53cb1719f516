"""Charts: curves lie where their values are, gaps stay gaps, a long clip keeps its extremes."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dexman_pose.viewer.replay.charts import Bar, Curve, Panel, Rows, panel_chart, rows_chart

TIMES = np.arange(10) / 10.0


def points(chart: str, colour: str) -> list[list[tuple[float, float]]]:
    """Pieces of the curve of a colour, in the drawing's units."""
    path = re.search(rf'stroke="{colour}" d="(M[^"]+ [^"]*L[^"]*)"', chart)
    assert path is not None
    pieces = [piece for piece in path[1].replace("h.1", "").split("M") if piece]
    return [[tuple(map(float, p.split())) for p in piece.split("L")] for piece in pieces]  # type: ignore[misc]


def test_a_curve_lies_where_its_values_are_and_is_cut_where_nothing_is_known() -> None:
    known = np.ones(10, bool)
    known[4:6] = False
    panel = Panel("p", "m", [Curve("x", np.arange(10.0), known, "red")], ~known, (0.0, 10.0))
    chart = panel_chart(panel, TIMES, "k")
    first, second = points(chart, "red")
    assert len(first) == 4 and len(second) == 4
    assert first[0] == (0.0, 100.0) and second[-1] == (900.0, 10.0), "the last frame lasts to the end"
    shade = re.search(r'class="shade" x="([\d.]+)" y="0" width="([\d.]+)"', chart)
    assert shade is not None and (float(shade[1]), float(shade[2])) == (400.0, 200.0)
    assert 'data-curve="k.0"' in chart


def test_a_long_curve_keeps_a_single_spike() -> None:
    values = np.zeros(20_000)
    values[12_345] = 7.0
    times = np.arange(20_000) / 30.0
    chart = panel_chart(
        Panel("p", "m", [Curve("x", values, np.ones(20_000, bool), "red")], None, (0.0, 10.0)), times, "k"
    )
    (line,) = points(chart, "red")
    assert len(line) < 4000
    assert min(y for _, y in line) == pytest.approx(30.0)


def test_bars_lie_in_their_rows() -> None:
    flags = np.zeros(10, bool)
    flags[2:4] = True
    rows = Rows("t", "how", [("a", []), ("b", [Bar(flags, "#123456"), Bar(~flags, "#123456", "pale")])])
    chart = rows_chart(rows, TIMES)
    bars = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', chart)
    assert [float(v) for v in bars[0]] == [200.0, 11.9, 200.0, 6.2]
    assert len(bars) == 3 and chart.count('class="pale"') == 2


@pytest.mark.parametrize("count", [1, 2])
def test_clips_of_one_or_two_frames(count: int) -> None:
    curve = Curve("x", np.zeros(count), np.ones(count, bool), "red")
    assert 'stroke="red"' in panel_chart(Panel("p", "m", [curve]), TIMES[:count], "k")


def test_names_are_escaped() -> None:
    name = '<b>"&'
    chart = rows_chart(Rows(name, name, [(name, [])]), TIMES)
    curve = Curve(name, np.zeros(10), np.ones(10, bool), "red")
    chart += panel_chart(Panel(name, "m", [curve]), TIMES, "k")
    assert "<b>" not in chart
