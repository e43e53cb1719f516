"""Rotations spread evenly over all rotations."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import matrix_from_quaternion


def rotations_everywhere(count: int) -> Array:
    """(count, 3, 3) rotations, identity first, spread evenly over SO(3).

    Super-Fibonacci spirals (Alexa, CVPR 2022), turned so that the first is the identity.
    """
    s = np.arange(count) + 0.5
    inner, outer = np.sqrt(s / count), np.sqrt(1 - s / count)
    alpha, beta = 2 * np.pi * s / np.sqrt(2), 2 * np.pi * s / 1.533751168755204288118041
    parts = [inner * np.sin(alpha), inner * np.cos(alpha), outer * np.sin(beta), outer * np.cos(beta)]
    rotations = matrix_from_quaternion(np.stack(parts, -1))
    out: Array = rotations[0].T @ rotations
    out[0] = np.eye(3)
    return out
