"""Which curves a trajectory has: poses and quality of objects, hands, contacts, distances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Trajectory
from dexman_pose.data.tracks import SIDES
from dexman_pose.geometry import so3_log
from dexman_pose.viewer.describe import seen
from dexman_pose.viewer.palette import AXIS_COLORS, HAND_COLORS, hex_color, object_colors
from dexman_pose.viewer.replay.charts import INK, Bar, Curve, Panel, Rows, panel_chart, rows_chart
from dexman_pose.viewer.replay.pack import Pack

_AXIS = tuple(hex_color(color) for color in AXIS_COLORS)
_FAINT = "var(--soft)"


@dataclass(frozen=True)
class _Limits:
    """Ends of axes: shares with a margin; millimetres of a distance that is shown at least, at most, and beside it."""

    share: tuple[float, float] = (-0.03, 1.05)
    least: float = 30.0
    most: float = 300.0
    beside: float = 5.0


_L = _Limits()


def charts(trajectory: Trajectory, frames: NDArray[np.int64] | None, pack: Pack | None) -> list[str]:
    """All charts of a trajectory as HTML.

    Args:
        trajectory: of any length.
        frames: (S,) those that the page shows, whose values go into its arrays.
        pack: takes the values of the shown frames.
    """
    out: list[str] = []
    if trajectory.num_frames == 0:
        return out
    for number, part in enumerate(_parts(trajectory)):
        if isinstance(part, Rows):
            out.append(rows_chart(part, trajectory.frame_times))
            continue
        key = f"chart{number}"
        out.append(panel_chart(part, trajectory.frame_times, key))
        if pack is not None and frames is not None:
            for k, curve in enumerate(part.curves):
                if curve.told:
                    pack.rounded(f"{key}.{k}", curve.values[frames], curve.known[frames])
    return out


def _parts(t: Trajectory) -> Iterator[Panel | Rows]:
    for name in t.objects:
        yield from _of_object(t, name)
    if t.hands:
        yield _of_hands(t)
    if t.contacts is not None and t.contacts.pairs:
        yield _of_contacts(t)
        yield _distances(t)


def _of_object(t: Trajectory, name: str) -> Iterator[Panel]:
    obj = t.objects[name]
    valid, lost = obj.valid, ~obj.valid
    at = obj.camera_from_object[:, :3, 3]
    curves = [Curve(axis, at[:, k], valid, _AXIS[k]) for k, axis in enumerate("xyz")]
    yield Panel(f"{name}: position in the camera frame", "m", curves, lost, digits=3)
    first = int(np.argmax(valid))
    rotation = obj.camera_from_object[:, :3, :3]
    vector = np.degrees(so3_log(rotation[first].T @ rotation))
    curves = [Curve("angle", np.linalg.norm(vector, axis=-1), valid, INK)]
    curves += [Curve(axis, vector[:, k], valid, _AXIS[k]) for k, axis in enumerate("xyz")]
    yield Panel(f"{name}: rotation since frame {first}", "degrees", curves, lost, digits=1)
    everywhere = np.ones(len(valid), bool)
    own = hex_color(object_colors(t.objects)[name])
    curves = [Curve("confidence", obj.confidence, everywhere, own)]
    if obj.track.mask_iou is not None:
        curves.append(Curve("mask IoU", obj.track.mask_iou, everywhere, INK, dashed=True))
    yield Panel(f"{name}: quality", "0 to 1", curves, lost, _L.share)


def _of_hands(t: Trajectory) -> Rows:
    rows: list[tuple[str, list[Bar]]] = []
    for side in SIDES:
        hand, bars = t.hands.get(side), []
        if hand is not None:
            color = hex_color(HAND_COLORS[side])
            bars = [Bar(seen(hand), color), Bar(hand.valid & hand.bridged, color, "pale")]
        rows.append((f"{side} hand", bars))
    return Rows("hands", "filled: seen, pale: bridged, empty: absent", rows)


def _of_contacts(t: Trajectory) -> Rows:
    assert t.contacts is not None
    colors, rows = object_colors(t.objects), []
    for k, (side, name) in enumerate(t.contacts.pairs):
        color = hex_color(colors[name]) if name in colors else INK
        touching = t.contacts.touching[k].any(1)
        rows.append((f"{side} - {name}", [Bar(t.contacts.valid[k], _FAINT, "thin"), Bar(touching, color)]))
    return Rows("contacts", "wide: touching, thin: apart, empty: not known", rows)


def _distances(t: Trajectory) -> Panel:
    assert t.contacts is not None
    c, known = t.contacts, object_colors(t.objects)
    nearest = 1000 * c.distance.min(-1)
    curves, told = [], []
    for k, (side, name) in enumerate(c.pairs):
        color = hex_color(known[name]) if name in known else INK
        curves.append(Curve("", nearest[k], c.touching[k].any(1), color, wide=True, told=False))
        told.append(Curve(f"{side} - {name}", nearest[k], c.valid[k], color, dashed=side != "right"))
    values = nearest[c.valid]
    low, high = float(values.min(initial=0.0)), min(float(values.max(initial=_L.least)), _L.most)
    limits = (low - _L.beside, high + _L.beside)
    title = "distance of the nearest hand joint (negative inside, wide where it touches)"
    return Panel(title, "mm", [*curves, *told], None, limits, digits=1)
