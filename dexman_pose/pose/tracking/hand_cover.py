"""What hands cover of a picture, from their joints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.data import JOINT_PARENTS, Camera, HandObservations, HandTrack

_PALM = (0, 1, 2, 5, 9, 13, 17)
"""Joints around the palm and the web of the thumb."""

FINGER = 0.16
"""Half a finger's width as a share of the palm's length, from the wrist to the middle finger: of adult hands."""

FOREARM = 0.32
"""Half a forearm's width near the wrist, with a sleeve, as a share of the same."""

FOREARM_LENGTH = 2.0
"""Length of the forearm that is taken to go on behind the wrist as the palm points, as a share of the same."""

_KNUCKLES = (5, 9, 13, 17)


def seen_joints(hands: Mapping[str, HandTrack] | HandObservations | None, frame: int) -> list[Array]:
    """(21, 2) pixels of the joints of every hand that is in a frame."""
    if hands is None:
        return []
    if isinstance(hands, HandObservations):
        there = hands.detected[frame] | hands.bridged[frame]
        return [hands.joints_2d[frame, side] for side in np.nonzero(there)[0]]
    return [hand.joints_2d[frame] for hand in hands.values() if hand.valid[frame]]


def hands_over(joints: Iterable[Array], camera: Camera) -> Bools | None:
    """(H, W) pixels that the fingers and palms of hands cover, each (21, 2) pixels; None where there is no hand."""
    out: NDArray[np.uint8] | None = None
    for hand in joints:
        if out is None:
            out = np.zeros((camera.height, camera.width), np.uint8)
        _draw(out, hand)
    return None if out is None else out.astype(np.bool_)


def _draw(out: NDArray[np.uint8], joints: Array) -> None:
    palm = float(np.linalg.norm(joints[9] - joints[0]))
    width = max(1, round(2 * FINGER * palm))
    places = np.round(joints).astype(np.int32)
    cv2.fillConvexPoly(out, cv2.convexHull(places[list(_PALM)]), 1)
    ahead = joints[0] - joints[list(_KNUCKLES)].mean(0)
    elbow = joints[0] + FOREARM_LENGTH * palm * ahead / max(float(np.linalg.norm(ahead)), 1.0)
    forearm = max(1, round(2 * FOREARM * palm))
    cv2.line(out, _place(places[0]), _place(np.round(elbow).astype(np.int32)), 1, forearm)
    for joint, parent in enumerate(JOINT_PARENTS[1:], 1):
        cv2.line(out, _place(places[joint]), _place(places[parent]), 1, width)


def _place(pixel: NDArray[np.int32]) -> tuple[int, int]:
    return int(pixel[0]), int(pixel[1])
