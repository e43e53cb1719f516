"""The banded system of frames that share unknowns, against the full matrix."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.hands.model.banded import solve_bordered

RNG = np.random.default_rng(3)
SIZE, SHARED = 3, 4


@pytest.mark.parametrize("reach", [1, 3])
@pytest.mark.parametrize("frames", [1, 2, 3, 4, 7])
def test_the_system_is_solved(frames: int, reach: int) -> None:
    width = frames * SIZE
    full = np.zeros((width + SHARED, width + SHARED))
    blocks = np.zeros((reach, frames, SIZE, SIZE))
    for k in range(reach):
        for t in range(frames - k):
            part = RNG.normal(size=(SIZE, SIZE))
            part = part @ part.T + 20 * np.eye(SIZE) if k == 0 else 0.5 * part
            blocks[k, t] = part
            full[t * SIZE : (t + 1) * SIZE, (t + k) * SIZE : (t + k + 1) * SIZE] = part
            full[(t + k) * SIZE : (t + k + 1) * SIZE, t * SIZE : (t + 1) * SIZE] = part.T
    mixed = RNG.normal(size=(frames, SIZE, SHARED))
    shared = 50 * np.eye(SHARED)
    full[:width, width:], full[width:, width:] = mixed.reshape(width, SHARED), shared
    full[width:, :width] = full[:width, width:].T
    right = RNG.normal(size=width + SHARED)
    own, common = solve_bordered(blocks, mixed, shared, right[:width].reshape(frames, SIZE), right[width:])
    np.testing.assert_allclose(full @ np.concatenate([own.ravel(), common]), right, atol=1e-9)


def test_a_system_that_is_not_positive_is_refused() -> None:
    blocks = np.zeros((3, 4, 2, 2))
    blocks[0] = -np.eye(2)
    with pytest.raises(np.linalg.LinAlgError):
        solve_bordered(blocks, np.ones((4, 2, 1)), np.eye(1), np.ones((4, 2)), np.ones(1))
