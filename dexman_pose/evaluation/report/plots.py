"""Curves of scores: accuracy over threshold, recall of VSD, recordings from the worst on, errors over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dexman_pose._optional import require
from dexman_pose.arrays import Array, Bools
from dexman_pose.evaluation.columns import protocol_number
from dexman_pose.evaluation.pooling import ROLES, SHARES, Pooled, frames_of, vsd_of
from dexman_pose.evaluation.results import ObjectScores, Results
from dexman_pose.metrics.scores import auc, average_recall
from dexman_pose.viewer.palette import OBJECT_COLORS, hex_color
from dexman_pose.viewer.plots import FAINT, INK, gapped, note, shade, styled

MOST_BARS = 40
MOST_TRACKS = 6

_COLORS = tuple(hex_color(c) for c in OBJECT_COLORS)
_ERROR_NAMES = {"add_s": "ADD-S", "add": "ADD"}
_MISSING = "#8c8f96"


@styled
def plot_accuracy(results: Results) -> Any:
    """Share of frames whose ADD-S, and whose ADD, is below a threshold, over the threshold; overall and per role.

    A frame without a prediction is below no threshold. The area under a curve, divided by the width, is the AUC in
    the legend.
    """
    top = protocol_number(results.protocol, "auc_threshold")
    figure, axes = _figure(1, 2, (8.0, 3.4), sharey=True)
    for ax, (key, name) in zip(axes, _ERROR_NAMES.items()):
        ax.set_title(name, color=INK)
        for label, (group, color) in _groups(results.objects).items():
            errors, valid = frames_of(group, key)
            if len(errors) == 0:
                continue
            x, y = _cumulative(errors, valid, top)
            area = float(auc(errors, valid, max_threshold=top))
            wide = 2.2 if label == "all" else 1.3
            ax.step(1000 * x, y, where="post", color=color, linewidth=wide, label=f"{label}, AUC {area:.3f}")
        ax.set_xlim(0, 1000 * top)
        ax.set_ylim(0, 1.02)
        ax.set_xlabel(f"threshold of {name} (mm)")
        _legend(ax)
    axes[0].set_ylabel("share of frames below")
    return _finished(figure, axes)


@styled
def plot_vsd(results: Results) -> Any:
    """Share of frames whose VSD is below a threshold, over the threshold.

    The thick lines are means over the tolerances (shares of the diameter), the thin ones each tolerance, all frames.
    """
    figure, (ax,) = _figure(1, 1, (8.0, 3.2))
    ax.set_title("VSD", color=INK)
    thresholds = np.linspace(0.0, 1.0, 101)
    groups = _groups(results.objects)
    for label, (group, color) in groups.items():
        values, valid = vsd_of(group)
        if values.size == 0:
            continue
        curves = (values[:, :, None] < thresholds)[valid].sum(0) / len(valid)
        if label == "all" and curves.shape[0] > 1:
            for curve in curves:
                ax.plot(thresholds, curve, color=FAINT, linewidth=0.9, zorder=1)
        recall = float(average_recall(values, SHARES, valid))
        wide = 2.2 if label == "all" else 1.3
        ax.plot(thresholds, curves.mean(0), color=color, linewidth=wide, label=f"{label}, AR {recall:.3f}")
    ax.axvspan(SHARES[0], SHARES[-1], facecolor=FAINT, alpha=0.3, linewidth=0, zorder=0)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel("threshold of VSD")
    ax.set_ylabel("share of frames below")
    note(ax, "band: thresholds that AR averages   thin: each tolerance")
    _legend(ax)
    return _finished(figure, (ax,))


@styled
def plot_sequences(results: Results, pooled: Pooled, *, most: int = MOST_BARS) -> Any:
    """ADD-S AUC of every recording and object, the worst on top, and beside it the share of frames without a
    prediction; beyond ``most`` the worst alone, with all of them as dots on a line above.
    """
    rows = [r for r in pooled.sequences if r.values["auc_add_s"] is not None]
    shown = rows[:most]
    figures = require("matplotlib.figure", "video", "drawing plots")
    height = 1.7 + 0.2 * max(len(shown), 1)
    figure = figures.Figure(figsize=(8.0, height), layout="constrained", facecolor="white")
    grid = figure.add_gridspec(2, 2, height_ratios=(0.5, height - 1.2), width_ratios=(3, 1))
    strip, bars = figure.add_subplot(grid[0, :]), figure.add_subplot(grid[1, 0])
    gone = figure.add_subplot(grid[1, 1], sharey=bars)
    colors = _row_colors(results.objects)
    areas = np.array([r.values["auc_add_s"] for r in rows], dtype=np.float64)
    strip.plot(areas, _spread(len(areas)), ".", color=INK, alpha=0.35, markersize=4, markeredgewidth=0)
    strip.set_title(f"ADD-S AUC of {len(rows)} tracks", color=INK)
    strip.set_ylim(-0.8, 0.8)
    strip.set_yticks([])
    at = np.arange(len(shown))
    bars.barh(at, areas[: len(shown)], 0.7, color=[colors.get(r.name, _COLORS[0]) for r in shown])
    gone.barh(at, [100 * r.failures / max(r.frames, 1) for r in shown], 0.7, color=_MISSING)
    bars.set_yticks(at, [_short(r.label) for r in shown], fontsize=7)
    bars.set_ylim(len(shown) - 0.4, -0.6)
    bars.set_xlabel("ADD-S AUC")
    gone.set_xlabel("no prediction (%)")
    for ax, end in ((strip, 1.0), (bars, 1.0), (gone, 100.0)):
        ax.set_xlim(0, end)
        ax.grid(False, axis="y")
    gone.tick_params(labelleft=False, left=False)
    bars.set_title(f"the worst {len(shown)}" if len(shown) < len(rows) else "worst first", color=INK)
    _key(bars, {s: c for s, c in colors.items() if any(r.name == s for r in shown)})
    return _finished(figure, (strip, bars, gone))


@styled
def plot_tracks(results: Results, pooled: Pooled, *, most: int = MOST_TRACKS) -> Any:
    """ADD-S and ADD over the frames of the worst tracks; frames without a prediction are shaded."""
    by_key = {s.key: s for s in results.objects}
    chosen = [by_key[r.label] for r in pooled.sequences if len(by_key[r.label].frames)][:most]
    figure, axes = _figure(max(len(chosen), 1), 1, (8.0, 0.7 + 1.5 * max(len(chosen), 1)))
    top = 1000 * protocol_number(results.protocol, "auc_threshold")
    for ax, s in zip(axes, chosen):
        _draw_track(ax, s, top)
        ax.set_title(_short(s.key, 80), color=INK)
        ax.set_ylabel("mm")
    if chosen:
        axes[-1].set_xlabel("frame")
        handles = axes[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper right", ncols=2, handlelength=1.6)
    return _finished(figure, axes)


def _draw_track(ax: Any, s: ObjectScores, top: float) -> None:
    times = s.frames.astype(np.float64)
    shade(ax, times, ~s.valid)
    largest = 0.0
    for key, name, color in (("add", "ADD", _COLORS[1]), ("add_s", "ADD-S", _COLORS[0])):
        if key not in s.errors:
            continue
        values = 1000 * s.errors[key]
        marker = "." if len(times) < 60 else ""
        ax.plot(times, gapped(values, s.valid), color=color, marker=marker, markersize=4, label=name)
        largest = max(largest, float(values[s.valid].max(initial=0.0)))
    lost = s.failures
    said = f"{lost} of {len(s.frames)} frames without prediction" if lost else ""
    limit = 3.0 * top
    if largest > limit:
        said = f"cut off at {limit:g} mm, largest {largest:.3g} mm   {said}"
    if largest > 0.6 * top:
        ax.axhline(top, color=INK, linewidth=0.7, linestyle=(0, (3, 1.5)))
    ax.set_ylim(0, 1.06 * min(max(largest, 1.0), limit))
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    ax.set_xlim(times[0] - 0.02 * step, times[-1] + step)
    note(ax, said)


def _cumulative(errors: Array, valid: Bools, top: float) -> tuple[Array, Array]:
    """Corners of the exact curve: share of all frames with an error below a threshold in [0, top]."""
    inside = np.sort(errors[valid & (errors <= top)])
    if len(inside) > 2000:  # no picture shows more; the corners kept are exact
        inside_at = np.unique(np.linspace(0, len(inside) - 1, 2000).astype(int))
    else:
        inside_at = np.arange(len(inside))
    x = np.concatenate([[0.0], inside[inside_at], [top]])
    y = np.concatenate([[0.0], (inside_at + 1) / len(errors), [len(inside) / len(errors)]])
    return x, y


def _groups(objects: Sequence[ObjectScores]) -> dict[str, tuple[list[ObjectScores], str]]:
    """All tracks, then the roles where there are any, with their colours."""
    groups = {"all": (list(objects), INK)}
    roles = [role for role in ROLES if any(s.name == role for s in objects)]
    for role, color in zip(roles, _COLORS):
        groups[role] = ([s for s in objects if s.name == role], color)
    return groups


def _row_colors(objects: Sequence[ObjectScores]) -> dict[str, str]:
    """Colours of roles; one colour for all names where there are none."""
    roles = [role for role in ROLES if any(s.name == role for s in objects)]
    return dict(zip(roles, _COLORS))


def _figure(rows: int, columns: int, size: tuple[float, float], *, sharey: bool = False) -> tuple[Any, Any]:
    figures = require("matplotlib.figure", "video", "drawing plots")
    figure = figures.Figure(figsize=size, layout="constrained", facecolor="white")
    axes = np.atleast_1d(figure.subplots(rows, columns, sharey=sharey)).ravel()
    return figure, axes


def _finished(figure: Any, axes: Any) -> Any:
    for ax in axes:
        ax.tick_params(length=3, width=0.7)
        ax.set_axisbelow(True)
    return figure


def _legend(ax: Any) -> None:
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="lower right", handlelength=1.6)
    else:
        ax.text(0.5, 0.5, "nothing to draw", transform=ax.transAxes, ha="center", color=_MISSING)


def _key(ax: Any, colors: Mapping[str, str]) -> None:
    """What the colours of bars stand for."""
    patches = require("matplotlib.patches", "video", "drawing plots")
    if len(colors) > 1:
        handles = [patches.Patch(color=color, label=name) for name, color in colors.items()]
        ax.legend(handles=handles, loc="lower right", ncols=2, bbox_to_anchor=(1, 1), borderaxespad=0.1)


def _spread(count: int) -> Array:
    """Heights that keep dots of like value apart, the same every time."""
    return 0.6 * np.sin(2.4 * np.arange(count))


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[: most // 2 - 1] + "..." + text[-(most // 2 - 2) :]
