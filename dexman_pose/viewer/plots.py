"""Curves over time: poses, quality, hands, contacts. Each function returns a matplotlib figure of its own."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.arrays import Array
from dexman_pose.data import RigidObject, Trajectory
from dexman_pose.data.numbers import instance
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import InputError
from dexman_pose.geometry import so3_log
from dexman_pose.viewer.describe import seen
from dexman_pose.viewer.palette import AXIS_COLORS, HAND_COLORS, hex_color, object_colors

Flags = NDArray[np.bool_]
P = ParamSpec("P")

_AXIS = tuple(hex_color(c) for c in AXIS_COLORS)
INK, FAINT = "#3a3f47", "#d9dce1"
_STYLE: dict[str, Any] = {
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "text.parse_math": False,  # names are shown as they are, dollar signs too
}


def styled(draw: Callable[P, Any]) -> Callable[P, Any]:
    """Run a drawing function under this file's style, leaving the user's settings alone."""

    @functools.wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> Any:
        with require("matplotlib", "video", "drawing plots").rc_context(_STYLE):
            return draw(*args, **kwargs)

    return inner


def _of_trajectory(draw: Callable[P, Any]) -> Callable[P, Any]:
    """Refuse anything but a trajectory as the first argument."""

    @functools.wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> Any:
        given = args[0] if args else kwargs.get("trajectory")
        instance(given, Trajectory, "trajectory", "dexman_pose.reconstruct gives one, or Trajectory.load")
        return draw(*args, **kwargs)

    return inner


@_of_trajectory
@styled
def plot_object(trajectory: Trajectory, name: str) -> Any:
    """Position, rotation since the first valid frame, confidence and mask overlap of one object over time.

    Rotation is ``first^-1 @ pose`` as rotation vector and its angle, degrees. Frames that are not valid are
    shaded and leave a gap in the curves.

    Raises:
        InputError: the trajectory holds no such object.
    """
    if not isinstance(name, str) or name not in trajectory.objects:
        raise InputError(f"no object named {name!r}; there are: {', '.join(trajectory.objects) or 'none'}")
    obj, times = trajectory.objects[name], trajectory.frame_times
    figure, axes = _figure(3, 5.4, f"{name}")
    position = gapped(obj.camera_from_object[:, :3, 3], obj.valid)
    _curves(axes[0], times, position, "xyz", _AXIS)
    axes[0].set_ylabel("position in the\ncamera frame (m)")
    _plot_rotation(axes[1], times, obj)
    axes[2].plot(times, obj.confidence, color=hex_color(object_colors(trajectory.objects)[name]))
    labels = ["confidence"]
    if obj.track.mask_iou is not None:
        axes[2].plot(times, obj.track.mask_iou, color=INK, linewidth=1.0, linestyle=(0, (3, 1.5)))
        labels.append("mask IoU")
    _legend(axes[2], labels)
    axes[2].set_ylim(-0.03, 1.05)
    axes[2].set_ylabel("quality (0 to 1)")
    for ax in axes:
        shade(ax, times, ~obj.valid)
    return _finished(figure, axes, times)


@_of_trajectory
@styled
def plot_hands(trajectory: Trajectory) -> Any:
    """When each hand was detected, bridged over a gap, or absent."""
    figure, (ax,) = _figure(1, 1.5, "hands")
    rows = []
    for row, side in enumerate(SIDES):
        hand = trajectory.hands.get(side)
        rows.append(f"{side} hand")
        if hand is not None:
            color = hex_color(HAND_COLORS[side])
            _bars(ax, trajectory.frame_times, seen(hand), row, color)
            _bars(ax, trajectory.frame_times, hand.valid & hand.bridged, row, color, hatched=True)
    _rows(ax, rows)
    note(ax, "filled: seen   hatched: bridged   empty: absent")
    return _finished(figure, (ax,), trajectory.frame_times)


@_of_trajectory
@styled
def plot_contacts(trajectory: Trajectory) -> Any:
    """When each hand touches each object; thin where hand and object are both known but apart."""
    pairs = () if trajectory.contacts is None else trajectory.contacts.pairs
    figure, (ax,) = _figure(1, 1.0 + 0.3 * max(1, len(pairs)), "contacts")
    times, colors = trajectory.frame_times, object_colors(trajectory.objects)
    for row, (_, name) in enumerate(pairs):
        assert trajectory.contacts is not None
        valid = trajectory.contacts.valid[row]
        _bars(ax, times, valid, row, FAINT, height=0.12)
        color = hex_color(colors[name]) if name in colors else INK
        _bars(ax, times, trajectory.contacts.touching[row].any(1), row, color)
    _rows(ax, [f"{side} - {name}" for side, name in pairs] or ["no pair"])
    note(ax, "wide: touching   thin: apart   empty: not known")
    return _finished(figure, (ax,), times)


@_of_trajectory
@styled
def plot_distances(trajectory: Trajectory) -> Any:
    """Distance of each hand's nearest joint to each object; wide where some joint of the hand touches it."""
    contacts, times = trajectory.contacts, trajectory.frame_times
    figure, (ax,) = _figure(1, 2.4, "distance of the nearest hand joint")
    if contacts is not None and contacts.pairs:
        known = object_colors(trajectory.objects)
        colors = [hex_color(known[name]) if name in known else INK for _, name in contacts.pairs]
        nearest = 1000 * contacts.distance.min(-1)
        for curve, valid, color, (side, _) in zip(nearest, contacts.valid, colors, contacts.pairs):
            style = "-" if side == "right" else (0, (3, 1.5))
            ax.plot(times, gapped(curve, valid), color=color, linestyle=style)
        for curve, touching, color in zip(nearest, np.any(contacts.touching, axis=-1), colors):
            ax.plot(times, gapped(curve, touching), color=color, linewidth=4.5, alpha=0.45)
        _legend(ax, [f"{side} - {name}" for side, name in contacts.pairs])
        ax.axhline(0.0, color=INK, linewidth=0.7)
        seen_values = nearest[contacts.valid]
        low, high = seen_values.min(initial=0.0), min(seen_values.max(initial=30.0), 300.0)
        ax.set_ylim(low - 5, high + 5)
    ax.set_ylabel("mm, negative inside")
    return _finished(figure, (ax,), times)


def figure_png(figure: Any, *, dpi: int = 130) -> bytes:
    """A figure as the bytes of a PNG file."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=dpi, pil_kwargs={"compress_level": 3})
    return out.getvalue()


def single_figure(height: float, title: str) -> tuple[Any, Any]:
    """A figure of one panel, and the panel."""
    figure, (ax,) = _figure(1, height, title)
    return figure, ax


@dataclass(frozen=True)
class _Margins:
    """Inches around panels; to have them found by matplotlib takes as long as all the drawing.

    Attributes:
        width: of a figure.
        left: of the panels, for two lines of words and the numbers.
        right: of them.
        bottom: under the lowest one.
        top: over each, for its title or legend.
        letter: of a name on the left, about.
        most: share of the width that names on the left may take.
    """

    width: float = 8.0
    left: float = 0.95
    right: float = 0.12
    bottom: float = 0.46
    top: float = 0.28
    letter: float = 0.075
    most: float = 0.4


_MARGINS = _Margins()


def _figure(rows: int, height: float, title: str) -> tuple[Any, Any]:
    """A figure of ``rows`` panels over one time axis, outside pyplot's global state."""
    figures, m = require("matplotlib.figure", "video", "drawing plots"), _MARGINS
    figure = figures.Figure(figsize=(m.width, height), facecolor="white")
    panel = (height - m.bottom - rows * m.top) / rows
    axes = np.atleast_1d(figure.subplots(rows, 1, sharex=True))
    figure.subplots_adjust(
        left=m.left / m.width,
        right=1.0 - m.right / m.width,
        bottom=m.bottom / height,
        top=1.0 - m.top / height,
        hspace=m.top / panel,
    )
    axes[0].set_title(title, color=INK)
    return figure, axes


def _finished(figure: Any, axes: Any, times: Array) -> Any:
    if len(times) > 1:
        axes[-1].set_xlim(times[0], times[-1] + np.median(np.diff(times)))
    axes[-1].set_xlabel("time (s)")
    for ax in axes:
        ax.tick_params(length=3, width=0.7)
        ax.set_axisbelow(True)
    figure.align_ylabels(axes)
    return figure


def _plot_rotation(ax: Any, times: Array, obj: RigidObject) -> None:
    rotation = obj.camera_from_object[:, :3, :3]
    first = int(np.argmax(obj.valid))
    vector = np.degrees(so3_log(rotation[first].T @ rotation))
    angle = gapped(np.linalg.norm(vector, axis=-1), obj.valid)
    ax.plot(times, angle, color=INK, linewidth=1.8)
    for k, color in enumerate(_AXIS):
        ax.plot(times, gapped(vector[:, k], obj.valid), color=color, linewidth=0.9, alpha=0.85)
    _legend(ax, ["angle", "x", "y", "z"])
    ax.set_ylabel(f"rotation since\nframe {first} (deg)")


def _curves(ax: Any, times: Array, values: Array, labels: str, colors: tuple[str, ...]) -> None:
    for k, color in enumerate(colors):
        ax.plot(times, values[:, k], color=color)
    _legend(ax, list(labels))


def _legend(ax: Any, labels: list[str]) -> None:
    # A label with a leading underscore would be dropped, were it not handed over beside its line.
    shape = {"borderaxespad": 0.1, "handlelength": 1.6, "columnspacing": 1.2}
    columns = min(len(labels), 4)
    ax.legend(
        ax.lines[: len(labels)], labels, ncols=columns, loc="lower right", bbox_to_anchor=(1, 1), **shape
    )


def gapped(values: Array, valid: Flags) -> Array:
    """Values for drawing, NaN (a gap in a line) where not valid."""
    shaped = valid.reshape(valid.shape + (1,) * (values.ndim - 1))
    return np.where(shaped, values, np.nan)


def _runs(times: Array, flags: Flags) -> list[tuple[float, float]]:
    """(start, length) in seconds of each run of True; a frame lasts until the next one."""
    if len(times) == 0:
        return []
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    ends = np.append(times, times[-1] + step)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(float(ends[a]), float(ends[b] - ends[a])) for a, b in zip(edges[::2], edges[1::2])]


def shade(ax: Any, times: Array, flags: Flags) -> None:
    for start, length in _runs(times, flags):
        ax.axvspan(start, start + length, facecolor="#8c8f96", alpha=0.22, linewidth=0)


def _bars(
    ax: Any, times: Array, flags: Flags, row: int, color: str, *, height: float = 0.62, hatched: bool = False
) -> None:
    look: dict[str, Any] = {"facecolor": color, "linewidth": 0}
    if hatched:
        look = {"facecolor": "white", "edgecolor": color, "hatch": "//////", "linewidth": 0.6}
    ax.broken_barh(_runs(times, flags), (row - height / 2, height), **look)


def _rows(ax: Any, names: list[str]) -> None:
    m = _MARGINS
    words = m.letter * (2 + max(map(len, names)))
    ax.figure.subplots_adjust(left=min(max(m.left, words) / m.width, m.most))
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.45, -0.55)
    ax.grid(False, axis="y")


def note(ax: Any, text: str) -> None:
    ax.set_title(text, loc="right", fontsize=8, fontweight="normal", color="#6b7079")
