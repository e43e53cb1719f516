"""From detections to what the solver fits: rays, bone directions in camera axes, and a start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.hands.lifting.bones import bone_vectors
from dexman_pose.hands.lifting.solver import Hands
from dexman_pose.hands.mediapipe.roi import hand_size

MIN_SIZE = 4.0  # pixels; a smaller palm is no hand, and would make the noise vanish


@dataclass(frozen=True)
class Seen:
    """One hand in n frames, without the image's scale.

    Attributes:
        rays: (n, 21, 2) x/z and y/z of the joints, the lens undone.
        size: (n,) palm length in the same unit.
        directions: (n, 20, 3) unit vectors along the bones as the detector guesses them, camera axes.
    """

    rays: Array
    size: Array
    directions: Array


def seen_hand(joints_2d: Array, joints_local: Array, camera: Camera) -> Seen:
    """Rays, sizes and bone directions of joints (n, 21, 2) in pixels with the detector's guess (n, 21, 3)."""
    rays = to_rays(joints_2d, camera)
    focal = 0.5 * (camera.fx + camera.fy)
    size = np.maximum(hand_size(joints_2d), MIN_SIZE) / focal
    bones = bone_vectors(joints_local)
    bones = bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9)
    turned = bones @ np.swapaxes(towards(rays[:, [0, 5, 9, 13, 17]].mean(1)), 1, 2)
    return Seen(rays, size, turned)


def to_rays(pixels: Array, camera: Camera) -> Array:
    """x/z and y/z (..., 2) of pixels (..., 2), the lens undone."""
    rays: Array = camera.unproject(pixels, np.ones(pixels.shape[:-1]))[..., :2]
    if camera.lens is None:
        return rays
    # A joint guessed where the lens shows nothing lies where a pinhole would show it.
    straight = camera.without_lens().unproject(pixels, np.ones(pixels.shape[:-1]))[..., :2]
    return np.where(np.isfinite(rays), rays, straight)


def towards(rays: Array) -> Array:
    """(n, 3, 3) smallest rotations that turn the optical axis to rays (n, 2).

    The landmark network sees each hand in a crop of its own, as if the camera pointed at it.
    """
    to = np.concatenate([rays, np.ones((len(rays), 1))], 1)
    to /= np.linalg.norm(to, axis=1, keepdims=True)
    x, y, z = to.T
    k = 1.0 / (1.0 + z)
    rows = [
        np.stack([1 - k * x * x, -k * x * y, x], -1),
        np.stack([-k * x * y, 1 - k * y * y, y], -1),
        np.stack([-x, -y, z], -1),
    ]
    return np.stack(rows, -2)


def start(seen: Seen, lengths: Array) -> Hands:
    """The hand as guessed, at the depth where it is as large as it was seen (weak perspective)."""
    n = len(seen.rays)
    unit = Hands(np.zeros((n, 2)), np.full(n, -30.0), seen.directions).joints(lengths)
    spread = unit[..., :2] - unit[..., :2].mean(1, keepdims=True)
    around = seen.rays - seen.rays.mean(1, keepdims=True)
    depth = np.sqrt(np.sum(spread**2, (1, 2)) / np.maximum(np.sum(around**2, (1, 2)), 1e-12))
    return Hands(seen.rays[:, 0].copy(), np.log(np.maximum(depth, 1e-2)), seen.directions.copy())
