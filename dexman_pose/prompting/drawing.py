"""What is drawn over a frame: boxes and clicks as SVG, the first mask as a tint."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Clip, MaskSequence
from dexman_pose.data.masks import OCCLUDER
from dexman_pose.prompting.pointed import Pointed
from dexman_pose.segmentation import segment_clip

COLORS = ("#ff7a1a", "#19b5fe", "#7bd148", "#ff5fa2", "#c792ea", "#f5d000")
"""Of objects, in turn."""
_TINT = 0.5
_RADIUS, _STROKE, _TEXT = 5, 2, 16


def color_of(index: int) -> str:
    """The colour of the object of an index."""
    return COLORS[index % len(COLORS)]


def overlay(objects: Iterable[Pointed], frame: int, chosen: int) -> str:
    """SVG of what was pointed at in a frame."""
    parts = []
    for index, thing in enumerate(objects):
        if thing.frame != frame:
            continue
        color, width = color_of(index), _STROKE * (2 if index == chosen else 1)
        if thing.box is not None:
            x0, y0, x1, y1 = thing.box
            parts.append(
                f'<rect x="{x0}" y="{y0}" width="{x1 - x0}" height="{y1 - y0}" fill="none" stroke="{color}" '
                f'stroke-width="{width}"/>'
            )
            # The name stands above the box, for within it would hide the object; below it where there is no room.
            above = y0 >= _TEXT + _STROKE
            y = y0 - _STROKE - 1 if above else y1 + _TEXT
            parts.append(
                f'<text x="{x0}" y="{y}" fill="{color}" font-size="{_TEXT}" font-family="sans-serif" '
                f'stroke="black" stroke-width="3" paint-order="stroke">{escape(thing.name)}</text>'
            )
        for x, y, on in thing.clicks:
            fill = color if on else "none"
            parts.append(
                f'<circle cx="{x}" cy="{y}" r="{_RADIUS}" fill="{fill}" stroke="{color}" stroke-width="{_STROKE}"/>'
            )
    return "".join(parts)


def rubber_band(start: tuple[float, float], end: tuple[float, float], color: str) -> str:
    """SVG of a box that is being drawn."""
    (x0, y0), (x1, y1) = start, end
    return (
        f'<rect x="{min(x0, x1)}" y="{min(y0, y1)}" width="{abs(x1 - x0)}" height="{abs(y1 - y0)}" fill="none" '
        f'stroke="{color}" stroke-width="{_STROKE}" stroke-dasharray="6 4"/>'
    )


def first_masks(image: NDArray[np.uint8], objects: Iterable[Pointed], frame: int) -> MaskSequence | None:
    """Masks of the objects that were pointed at in a frame, of that frame alone; None where there are none.

    Raises:
        EstimationError: nothing stands out where somebody pointed.
    """
    from dataclasses import replace

    there = {
        thing.name: replace(thing.prompt(), frame=0, mesh=None)
        for thing in objects
        if thing.frame == frame and thing.is_pointed_at
    }
    return segment_clip(Clip.from_frames(image[None]), there) if there else None


def tinted(image: NDArray[np.uint8], masks: MaskSequence | None, names: list[str]) -> NDArray[np.uint8]:
    """The picture with every object's mask in its colour."""
    if masks is None:
        return image
    out, labels = image.astype(np.float32), masks.labels(0)
    for name in masks.names:
        color = color_of(names.index(name)).lstrip("#")
        rgb = np.array([int(color[i : i + 2], 16) for i in (0, 2, 4)], np.float32)
        there = (labels == masks.label_of(name)) & (labels != OCCLUDER)
        out[there] = (1.0 - _TINT) * out[there] + _TINT * rgb
    return np.round(out).astype(np.uint8)
