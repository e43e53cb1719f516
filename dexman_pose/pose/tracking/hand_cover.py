"""What hands cover of a picture, from their joints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import cv2
import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import JOINT_PARENTS, Camera, HandTrack

_PALM = (0, 1, 5, 9, 13, 17)
"""Joints around the palm."""

FINGER = 0.16
"""Half a finger's width as a share of the palm's length, from the wrist to the middle finger: of adult hands."""


def hands_over(hands: Mapping[str, HandTrack], frame: int, camera: Camera) -> Bools | None:
    """(H, W) pixels that fingers and palms cover in one frame; None where there is no hand."""
    return joints_over((hand.joints_2d[frame] for hand in hands.values() if hand.valid[frame]), camera)


def joints_over(hands: Iterable[Array], camera: Camera) -> Bools | None:
    """(H, W) pixels that fingers and palms cover, of hands (21, 2) in pixels; None where there is none."""
    out: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None = None
    for joints in hands:
        if out is None:
            out = np.zeros((camera.height, camera.width), np.uint8)
        _draw(out, joints)
    return None if out is None else out.astype(np.bool_)


def _draw(out: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], joints: Array) -> None:
    palm = float(np.linalg.norm(joints[9] - joints[0]))
    width = max(1, round(2 * FINGER * palm))
    places = np.round(joints).astype(np.int32)
    cv2.fillConvexPoly(out, cv2.convexHull(places[list(_PALM)]), 1)
    for joint, parent in enumerate(JOINT_PARENTS[1:], 1):
        cv2.line(out, _place(places[joint]), _place(places[parent]), 1, width)


def _place(pixel: np.ndarray[tuple[int, ...], np.dtype[np.int32]]) -> tuple[int, int]:
    return int(pixel[0]), int(pixel[1])
