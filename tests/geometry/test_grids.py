from __future__ import annotations

import numpy as np

from dexman_pose.geometry.grids import interpolated


def test_values_between_points_of_a_grid_and_beyond_it() -> None:
    values = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    at = [[0.0, 0.5, 1.5, -1.0, 9.0], [0.0, 0.5, 1.0, 0.25, 0.0]]
    np.testing.assert_allclose(interpolated(values, at), [0.0, 1.5, 4.0, 0.25, 4.0])
    np.testing.assert_allclose(interpolated(values, at, "constant"), [0.0, 1.5, 4.0, 0.0, 0.0])
