"""Curves over time as SVG inside the page: sharp at any width, and a line in them follows the frame that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools, runs
from dexman_pose.viewer.html import escape

INK = "var(--ink)"
"""The colour of text, which is another on a dark page."""


@dataclass(frozen=True)
class ChartOptions:
    """How charts are drawn.

    Attributes:
        width: of the drawing's own units.
        height: of a panel of curves, in them.
        row: of bars.
        bar: share of its row that a bar fills.
        thin: the same of a thin one.
        ticks: at most so many numbers at an axis.
        points: of a curve; of a longer one the least and greatest values of stretches are kept.
    """

    width: float = 1000.0
    height: float = 100.0
    row: float = 10.0
    bar: float = 0.62
    thin: float = 0.14
    ticks: int = 5
    points: int = 1600


_O = ChartOptions()
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Curve:
    """A curve: its name, values (T,), where they mean something (T,), its colour, and how it is drawn."""

    label: str
    values: Array
    known: Bools
    color: str
    dashed: bool = False
    wide: bool = False
    told: bool = True


@dataclass(frozen=True)
class Panel:
    """Curves over one pair of axes.

    Attributes:
        title: what it shows.
        unit: of its values, in words.
        curves: drawn in their order.
        shaded: (T,) frames with a grey ground, or None.
        limits: of the values; from the curves when None.
        digits: after the decimal point, of the value that is told.
    """

    title: str
    unit: str
    curves: Sequence[Curve]
    shaded: Bools | None = None
    limits: tuple[float, float] | None = None
    digits: int = 2


@dataclass(frozen=True)
class Bar:
    """Frames (T,) of a row that are filled: ``full``, ``pale`` or ``thin``."""

    flags: Bools
    color: str
    look: str = "full"


@dataclass(frozen=True)
class Rows:
    """Rows of bars: a title, words on how to read them, and (name, bars) pairs."""

    title: str
    legend: str
    rows: Sequence[tuple[str, Sequence[Bar]]]


def ends(times: Array) -> tuple[float, float]:
    """Seconds at which the time axis begins and ends: the last frame lasts as long as most do."""
    if len(times) == 0:
        return 0.0, 1.0
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    return float(times[0]), float(times[-1]) + step


def panel_chart(panel: Panel, times: Array, key: str) -> str:
    """A panel of curves; ``key`` names its curves to the script: ``KEY.0``, ``KEY.1``, ..."""
    low, high = panel.limits or _limits(panel.curves)
    marks = _nice(low, high, _O.ticks)
    parts = [_shade(times, panel.shaded)] if panel.shaded is not None else []
    parts += [_line(_O.height * (1 - (m - low) / (high - low)), "rule") for m in marks]
    if low < 0 < high:
        parts.append(_line(_O.height * high / (high - low), "zero"))
    for curve in panel.curves:
        path = _path(times, curve, low, high)
        looks = "wide" if curve.wide else "dash" if curve.dashed else ""
        parts.append(f'<path class="{looks}" stroke="{escape(curve.color)}" d="{path}"/>')
    told = [(k, c) for k, c in enumerate(panel.curves) if c.told]
    words = "".join(
        f'<span class="key"><svg viewBox="0 0 24 8" aria-hidden="true"><path class="{"dash" if c.dashed else ""}" '
        f'stroke="{escape(c.color)}" d="M0 4H24"/></svg>{escape(c.label)} '
        f'<output data-curve="{key}.{k}" data-digits="{panel.digits}"></output></span>'
        for k, c in told
    )
    labels = "".join(
        f'<span style="top:{100 * (1 - (m - low) / (high - low)):.2f}%">{escape(_number(m, marks))}</span>'
        for m in marks
    )
    return _chart(f"{panel.title}, {panel.unit}", words, labels, parts, _O.height, times, "curves")


def rows_chart(rows: Rows, times: Array) -> str:
    """Rows of bars."""
    parts, labels, height = [], [], _O.row * max(1, len(rows.rows))
    for k, (name, bars) in enumerate(rows.rows):
        labels.append(f'<span style="top:{100 * (k + 0.5) / len(rows.rows):.2f}%">{escape(name)}</span>')
        parts += [_bar(times, bar, _O.row * (k + 0.5)) for bar in bars]
    words = f'<span class="key">{escape(rows.legend)}</span>'
    return _chart(
        rows.title, words, "".join(labels), parts, height, times, f"rows n{min(len(rows.rows), 12)}"
    )


def _chart(
    title: str, words: str, labels: str, parts: list[str], height: float, times: Array, look: str
) -> str:
    start, end = ends(times)
    marks = [m for m in _nice(start, end, 2 * _O.ticks) if start <= m <= end]
    below = "".join(
        f'<span style="left:{100 * (m - start) / (end - start):.2f}%">{escape(_number(m, marks))}</span>'
        for m in marks
    )
    drawing = (
        f'<svg viewBox="0 0 {_O.width:g} {height:g}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(title)} over time">{"".join(parts)}</svg>'
    )
    return (
        f'<figure class="chart {look}"><figcaption><strong>{escape(title)}</strong>{words}</figcaption>'
        f'<div class="axis">{labels}</div><div class="field">{drawing}<div class="cursor"></div></div>'
        f'<div class="below">{below}</div></figure>'
    )


def _path(times: Array, curve: Curve, low: float, high: float) -> str:
    start, end = ends(times)
    x = _O.width * (times - start) / (end - start)
    y = _O.height * (high - curve.values) / (high - low)
    pieces = []
    for a, b in runs(np.asarray(curve.known, bool) & np.isfinite(curve.values)):
        kept = _kept(curve.values[a:b], len(times)) + a
        points = [f"{x[i]:.1f} {y[i]:.2f}" for i in kept]
        pieces.append("M" + "L".join(points) + ("h.1" if len(points) == 1 else ""))
    return "".join(pieces)


def _kept(values: Array, total: int) -> NDArray[np.intp]:
    """Indices of values that are drawn: all of a short curve, the extremes of stretches of a long one."""
    size = 2 * -(-total // _O.points)
    if total <= _O.points:
        return np.arange(len(values))
    out = {0, len(values) - 1}
    for a in range(0, len(values), size):
        piece = values[a : a + size]
        out |= {a + int(np.argmin(piece)), a + int(np.argmax(piece))}
    return np.array(sorted(out))


def _spans(times: Array, flags: Bools) -> list[tuple[float, float]]:
    """(x, width) of each run of flags in the drawing's units."""
    start, end = ends(times)
    edges = _O.width * (np.append(times, end) - start) / (end - start)
    return [(float(edges[a]), float(edges[b] - edges[a])) for a, b in runs(np.asarray(flags, bool))]


def _shade(times: Array, flags: Bools) -> str:
    return "".join(
        f'<rect class="shade" x="{x:.1f}" y="0" width="{w:.1f}" height="{_O.height:g}"/>'
        for x, w in _spans(times, flags)
    )


def _bar(times: Array, bar: Bar, middle: float) -> str:
    tall = _O.row * (_O.thin if bar.look == "thin" else _O.bar)
    look = ' class="pale"' if bar.look == "pale" else ""
    return "".join(
        f'<rect x="{x:.1f}" y="{middle - tall / 2:.2f}" width="{w:.1f}" height="{tall:.2f}" '
        f'fill="{escape(bar.color)}"{look}/>'
        for x, w in _spans(times, bar.flags)
    )


def _line(y: float, look: str) -> str:
    return f'<path class="{look}" d="M0 {y:.2f}H{_O.width:g}"/>'


def _limits(curves: Sequence[Curve]) -> tuple[float, float]:
    values = [c.values[np.asarray(c.known, bool) & np.isfinite(c.values)] for c in curves]
    joined = np.concatenate(values) if values else np.zeros(0)
    if not joined.size:
        return 0.0, 1.0
    low, high = float(joined.min()), float(joined.max())
    pad = max(0.06 * (high - low), 1e-3)
    return low - pad, high + pad


def _nice(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two, at most so many."""
    rough = (high - low) / max(most, 1)
    if not rough > 0:
        return [low]
    scale = 10.0 ** np.floor(np.log10(rough))
    step = float(next(s * scale for s in _STEPS if s * scale >= rough * (1 - 1e-9)))
    first = int(np.ceil(low / step - 1e-9))
    return [k * step for k in range(first, int(np.floor(high / step + 1e-9)) + 1)]


def _number(value: float, others: Sequence[float]) -> str:
    """A number with as many digits as its neighbours need to differ."""
    step = abs(others[1] - others[0]) if len(others) > 1 else 1.0
    digits = 0
    while digits < 6 and abs(round(step, digits) - step) > 1e-9 * max(step, 1.0):
        digits += 1
    return f"{value + 0.0:.{digits}f}"
