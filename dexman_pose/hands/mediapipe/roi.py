"""Where the networks look: rotated square regions of an image, and the geometry between them and hands.

Everything is in pixels with (0, 0) the centre of the top-left pixel. The proportions (which points give the
direction, how far the square is shifted and grown) are those the MediaPipe hand networks were trained with
(google-ai-edge/mediapipe, hand_detector_graph.cc and hand_landmarks_detector_graph.cc).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array

# Wrist, thumb up to its middle joint, knuckles and middle finger joints: the part of a hand that moves least when
# the fingers do, so the square around it does not pump while they open and close.
STABLE_JOINTS = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)


@dataclass(frozen=True)
class Roi:
    """A square region, rotated so that the hand in it points up.

    Attributes:
        x: centre, pixels.
        y: centre, pixels.
        size: side of the square, pixels.
        angle: radians from the image's axes to the square's, positive turns x towards y.
    """

    x: float
    y: float
    size: float
    angle: float

    def to_image(self, points: ArrayLike, side: int) -> Array:
        """Image pixels (..., 2) of points (..., 2) in a crop of ``side`` pixels, measured from its outer corner."""
        p = (np.asarray(points, dtype=np.float64) / side - 0.5) * self.size
        out: Array = p @ rotation_2d(self.angle).T + np.array([self.x, self.y])
        return out

    def from_image(self, points: ArrayLike, side: int) -> Array:
        """Inverse of :meth:`to_image`."""
        p = (np.asarray(points, dtype=np.float64) - np.array([self.x, self.y])) @ rotation_2d(self.angle)
        out: Array = (p / self.size + 0.5) * side
        return out

    def image_from_crop(self, side: int) -> Array:
        """(2, 3) affine from crop pixel centres to image pixel centres, the map an image warp samples with."""
        scale = self.size / side
        linear = rotation_2d(self.angle) * scale
        first = self.to_image(np.array([0.5, 0.5]), side)
        return np.concatenate([linear, first[:, None]], 1)

    def shifted(self, dx: float, dy: float) -> Roi:
        """The same square moved by pixels."""
        return Roi(self.x + dx, self.y + dy, self.size, self.angle)


def rotation_2d(angle: float) -> Array:
    """(2, 2) matrix turning x towards y by ``angle`` radians (clockwise as seen, since y points down)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def upright_angle(start: ArrayLike, end: ArrayLike) -> float:
    """The angle of the square in which the direction from ``start`` to ``end`` (2,) points up, in (-pi, pi]."""
    dx, dy = np.asarray(end, dtype=np.float64) - np.asarray(start, dtype=np.float64)
    return float(np.arctan2(dx, -dy))


def from_palm(box: ArrayLike, keypoints: ArrayLike) -> Roi:
    """The region of the whole hand from a palm detection.

    Args:
        box: (4,) x0, y0, x1, y1 in pixels around the palm.
        keypoints: (7, 2) pixels; 0 is the wrist, 2 the knuckle of the middle finger.
    """
    x0, y0, x1, y1 = np.asarray(box, dtype=np.float64)
    points = np.asarray(keypoints, dtype=np.float64)
    angle = upright_angle(points[0], points[2])
    # Half a palm towards the fingers, then large enough for stretched fingers.
    x, y = rotation_2d(angle) @ np.array([0.0, -0.5 * (y1 - y0)])
    size = 2.6 * max(x1 - x0, y1 - y0)
    return Roi(float((x0 + x1) / 2 + x), float((y0 + y1) / 2 + y), float(size), angle)


def from_landmarks(landmarks: ArrayLike) -> Roi:
    """The region to look in next from the 21 joints (21, 2) in pixels seen now."""
    joints = np.asarray(landmarks, dtype=np.float64)
    knuckles = 0.25 * joints[5] + 0.5 * joints[9] + 0.25 * joints[13]
    angle = upright_angle(joints[0], knuckles)
    turn = rotation_2d(angle)
    upright = joints[list(STABLE_JOINTS)] @ turn
    low, high = upright.min(0), upright.max(0)
    width, height = high - low
    centre = turn @ ((low + high) / 2 + np.array([0.0, -0.1 * height]))
    return Roi(float(centre[0]), float(centre[1]), float(2.0 * max(width, height)), angle)


def hand_size(landmarks: ArrayLike) -> Array:
    """A length (...) in pixels that says how large a hand (..., 21, 2) is seen: its longest palm side.

    The largest of wrist to index knuckle, index knuckle to little finger's, little finger's knuckle to wrist: one of
    the three is always seen nearly face on.
    """
    j = np.asarray(landmarks, dtype=np.float64)
    sides = [np.linalg.norm(j[..., a, :] - j[..., b, :], axis=-1) for a, b in ((0, 5), (5, 17), (17, 0))]
    longest: Array = np.maximum.reduce(sides)
    return longest
