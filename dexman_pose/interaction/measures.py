"""How well a hand agrees with its picture and with what it grips, in numbers that people can judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.interaction.along_sight import Grip
from dexman_pose.interaction.hand_picture import HandPicture
from dexman_pose.interaction.probes import PALM, RADII, TIPS, TOUCHERS, WEIGHTS, probes
from dexman_pose.interaction.surface import tangents

_PIECE = 300  # frames that are measured at once


@dataclass(frozen=True)
class Agreement:
    """Agreement of one hand; None where there is nothing to measure.

    Attributes:
        reprojection: palm lengths as seen, median distance of joints from their landmarks.
        penetration_mm: millimetres, mean over gripped frames of the deepest flesh inside what is gripped.
        gap_mm: median over gripped frames of the gap between what it grips and thumb or palm, and the nearest finger.
        slip_mm: median over gripped frames of how far tips and palm move on the object until the next frame.
    """

    reprojection: float
    penetration_mm: float | None = None
    gap_mm: float | None = None
    slip_mm: float | None = None

    def as_dict(self) -> dict[str, float | None]:
        """Plain numbers, rounded for people."""
        return {name: None if v is None else round(v, 3) for name, v in asdict(self).items()}


def agreement(picture: HandPicture, joints: Array, grips: Sequence[Grip]) -> Agreement:
    """Measure joints (T, 21, 3), camera frame, of a hand."""
    off = float(np.median(picture.off(joints)))
    deep, gaps, slips = [], [], []
    for grip in grips:
        at = np.flatnonzero(grip.gripped)
        frames = picture.frames[at]
        gap = np.concatenate([_gaps(grip, joints[part], picture.frames[part]) for part in _parts(at)])
        deep.append(np.maximum(-gap.min(-1), 0.0))
        facing = np.minimum(np.abs(gap[:, TIPS[0]]), np.abs(gap[:, PALM]))
        gaps.append(np.maximum(facing, np.abs(gap[:, list(TIPS[1:])]).min(-1)))
        points = WEIGHTS[list(TOUCHERS)] @ joints[at]
        on = transform_points(inverse(grip.thing.camera_from_object[frames]), points)
        slips.append(np.linalg.norm(np.diff(on, axis=0), axis=-1).mean(-1)[np.diff(frames) == 1])
    if not grips:
        return Agreement(off)
    moved = np.concatenate(slips)
    return Agreement(
        off,
        1e3 * float(np.concatenate(deep).mean()),
        1e3 * float(np.median(np.concatenate(gaps))),
        1e3 * float(np.median(moved)) if len(moved) else None,
    )


def _gaps(grip: Grip, joints: Array, frames: NDArray[np.intp]) -> Array:
    """(T, 42) metres between skin and surface."""
    return tangents(grip.thing, probes(joints), frames).distance - RADII


def _parts(frames: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Frames in pieces, so that memory does not grow with the clip."""
    return np.array_split(frames, -(-len(frames) // _PIECE))
