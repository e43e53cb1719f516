"""What a term says to second order, held against differences of its residuals."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.hands.model.quadratic import PALM_MEAN, JointQuadratic
from dexman_pose.hands.model.system import JointEvidence


def full_curvature(found: JointQuadratic) -> Array:
    """(T, 63, 63) of the blocks of a curvature."""
    out = np.zeros((len(found.gradient), 21, 3, 21, 3))
    for joint in range(21):
        out[:, joint, :, joint] += found.own[:, joint]
    for joint in range(1, 21):
        parent = JOINT_PARENTS[joint]
        out[:, joint, :, parent] += found.bones[:, joint - 1]
        out[:, parent, :, joint] += np.swapaxes(found.bones[:, joint - 1], 1, 2)
    if found.palm is not None:
        for row in PALM_MEAN:
            for column in PALM_MEAN:
                out[:, row, :, column] += found.palm / len(PALM_MEAN) ** 2
    return out.reshape(len(out), 63, 63)


def differences(term: JointEvidence, joints: Array, step: float) -> Array:
    """(T, M, 63) derivatives of the residuals of a term."""
    columns = []
    for joint in range(21):
        for axis in range(3):
            ahead, behind = joints.copy(), joints.copy()
            ahead[:, joint, axis] += step
            behind[:, joint, axis] -= step
            columns.append((term.residuals(ahead) - term.residuals(behind)) / (2 * step))
    return np.stack(columns, -1)


def assert_second_order(term: JointEvidence, joints: Array, step: float = 1e-6) -> None:
    """Cost, gradient and curvature of a term are those of its residuals."""
    found, value, slope = term(joints), term.residuals(joints), differences(term, joints, step)
    assert np.abs(value).max() > 0.1
    np.testing.assert_allclose(found.cost, 0.5 * (value**2).sum(), rtol=1e-9)
    gradient = np.einsum("tmj,tm->tj", slope, value)
    assert_close(found.gradient.reshape(gradient.shape), gradient)
    assert_close(full_curvature(found), np.swapaxes(slope, 1, 2) @ slope)


def assert_close(found: Array, expected: Array) -> None:
    """Equal but for the error of differences, relative to the largest number."""
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())
