"""Closing a hand around an object until the skin touches it: where the wrist goes and how far each joint bends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import se3
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.hands.model.skeleton import ANGLE_LIMITS, ANGLE_NAMES

Distance = Callable[[Array], Array]

DEPTH = -0.0012
"""Signed distance in metres at which skin stops: the flesh of a finger gives about a millimetre."""


@dataclass(frozen=True)
class Grasp:
    """A hand holding an object.

    Attributes:
        object_from_hand: (4, 4).
        angles: (21,) anatomical angles, radians, order ``ANGLE_NAMES``.
        gaps: (5,) smallest signed distance in metres of each finger's skin, thumb first; negative is inside.
    """

    object_from_hand: Array
    angles: Array
    gaps: Array


def close_hand(hand: HandModel, distance: Distance, rotation: Array, aim: Array, approach: Array) -> Grasp:
    """Bring the palm to the object, close the fingers on it, then look for the best thumb.

    Args:
        hand: the hand model.
        distance: signed distance of points (N, 3) in the object frame, metres.
        rotation: (3, 3) object_from_hand orientation.
        aim: (3,) point of the hand (hand frame) that should come to the object.
        approach: (3,) direction in the object frame along which the palm comes; ``aim`` slides along the line
            through the object's origin.
    """
    skin = _Skin(hand, distance)
    best: tuple[float, Grasp] | None = None
    for gap in (0.001, 0.005, 0.009, 0.013):
        pose = skin.slide_in(rotation, aim, approach / np.linalg.norm(approach), gap)
        angles = np.zeros(len(ANGLE_NAMES))
        for finger in range(1, 5):
            angles = skin.close_finger(pose, angles, finger)
        angles, cost = skin.place_thumb(pose, angles)
        gaps = np.array([skin.gap(pose, angles, finger) for finger in range(5)])
        cost += 60.0 * gap + 100.0 * float(np.abs(gaps - DEPTH).sum())
        if best is None or cost < best[0]:
            best = (cost, Grasp(pose, angles, gaps))
    assert best is not None
    return best[1]


class _Skin:
    """Distances of parts of the hand's skin to the object."""

    def __init__(self, hand: HandModel, distance: Distance) -> None:
        self.hand, self.distance = hand, distance
        self.palm = np.flatnonzero((hand.weights[:, 0] > 0.95) & (hand.rest_vertices[:, 0] > 0))
        self.fingers = []
        for finger in range(5):
            share = hand.weights[:, 1 + 3 * finger : 4 + 3 * finger].sum(1)
            self.fingers.append(np.flatnonzero(share > 0.2)[::3])
        ball = hand.weights[self.fingers[0], 1]
        self.softness = 0.004 * ball * (ball > 0.5)  # the ball of the thumb gives way

    def slide_in(self, rotation: Array, aim: Array, approach: Array, gap: float) -> Array:
        """The transform at which the palm, coming along ``approach``, is ``gap`` metres away."""
        palm = self.hand.rest_vertices[self.palm] @ rotation.T
        low, high = -0.25, 0.05
        for _ in range(20):
            middle = 0.5 * (low + high)
            offset = approach * middle - rotation @ aim
            if self.distance(palm + offset).min() > gap:
                low = middle
            else:
                high = middle
        return se3(rotation, approach * low - rotation @ aim)

    def gap(self, pose: Array, angles: Array, finger: int) -> float:
        """Smallest signed distance of one finger's skin."""
        distance = self.distance(self.points(pose, angles, self.fingers[finger]))
        return float((distance + (self.softness if finger == 0 else 0.0)).min())

    def points(self, pose: Array, angles: Array, rows: NDArray[np.int64]) -> Array:
        """Chosen vertices in the object frame."""
        h = self.hand
        bones = h.bone_transforms(h.pose_from_angles(angles))
        mixed = (h.weights[rows, :16] @ bones.reshape(16, 16)).reshape(-1, 4, 4)
        mixed[:, 3, 3] = 1.0
        p = np.einsum("vij,vj->vi", mixed[:, :3, :3], h.rest_vertices[rows]) + mixed[:, :3, 3]
        moved: Array = p @ pose[:3, :3].T + pose[:3, 3]
        return moved

    def close_finger(self, pose: Array, angles: Array, finger: int) -> Array:
        """Bend all joints together until something touches, then the outer ones further, each until it touches."""
        start = 5 + 4 * (finger - 1)
        mcp, pip, dip = start, start + 2, start + 3
        for ratios in ({mcp: 1.0, pip: 1.15, dip: 0.6}, {pip: 1.0, dip: 0.6}, {dip: 1.0}):
            angles = self._bend(pose, angles, finger, ratios)
        return angles

    def place_thumb(self, pose: Array, angles: Array) -> tuple[Array, float]:
        """Base angles from which the bent thumb touches with its pad, opposite the fingers; and their cost."""
        best, best_cost = angles, 1e3
        bases = product(np.radians([-20, -5, 10, 25]), np.radians([-15, 0, 15, 30, 45]), np.radians([0, 30]))
        for base in bases:
            trial = angles.copy()
            trial[:3] = base
            if self.gap(pose, trial, 0) < DEPTH:
                continue
            trial = self._bend(pose, trial, 0, {3: 1.0, 4: 0.8})
            trial = self._bend(pose, trial, 0, {4: 1.0})
            cost = self._thumb_cost(pose, trial)
            if cost < best_cost:
                best, best_cost = trial, cost
        return best, best_cost

    def _thumb_cost(self, pose: Array, angles: Array) -> float:
        h = self.hand
        joints = h.joints(h.pose_from_angles(angles), pose)
        tip_gap = float(self.distance(joints[4:5])[0]) - 0.008
        normals = self._normals(joints[[4, 8, 12, 16]])
        opposed = -float(normals[0] @ normals[1:].mean(0))
        facing = -float(self._pad_direction(pose, angles) @ normals[0])
        level = abs(float(joints[4, 2] - joints[[8, 12], 2].mean()))
        strain = float(np.sum(angles[:5] ** 2))
        return 60 * abs(tip_gap) - 4.0 * opposed - 1.5 * facing + 8 * level + 0.2 * strain

    def _normals(self, points: Array) -> Array:
        """Unit directions (N, 3) away from the object."""
        h = 1e-4
        around = points[:, None] + h * np.concatenate([np.eye(3), -np.eye(3)])
        values = self.distance(around.reshape(-1, 3)).reshape(-1, 2, 3)
        gradient = values[:, 0] - values[:, 1]
        unit: Array = gradient / np.linalg.norm(gradient, axis=1, keepdims=True)
        return unit

    def _pad_direction(self, pose: Array, angles: Array) -> Array:
        """Unit vector out of the thumb's pad, object frame."""
        h = self.hand
        bones = h.bone_transforms(h.pose_from_angles(angles))
        back = h.dorsal[2]
        out: Array = -pose[:3, :3] @ bones[3, :3, :3] @ back
        return out

    def _bend(self, pose: Array, angles: Array, finger: int, ratios: dict[int, float]) -> Array:
        """Bend some joints in the given proportion until the finger's skin is at :data:`DEPTH`."""
        low, high = 0.0, 1.9

        def bent(amount: float) -> Array:
            out = angles.copy()
            for index, ratio in ratios.items():
                out[index] = np.clip(angles[index] + amount * ratio, *ANGLE_LIMITS[index])
            return out

        steps = np.linspace(0, high, 20)
        for amount in steps:
            if self.gap(pose, bent(amount), finger) < DEPTH:
                high = amount
                break
            low = amount
        for _ in range(7):
            middle = 0.5 * (low + high)
            if self.gap(pose, bent(middle), finger) < DEPTH:
                high = middle
            else:
                low = middle
        return bent(low)
