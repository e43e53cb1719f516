"""Linear light and back."""

from __future__ import annotations

import numpy as np

from dexman_pose.synthetic.studio.colors import encoded, linear


def test_there_and_back() -> None:
    codes = np.linspace(0, 1, 11)
    np.testing.assert_allclose(encoded(linear(codes)), codes, atol=1e-6)
    assert linear(np.array([0.5]))[0] < 0.25 and encoded(np.array([2.0, -1.0])).tolist() == [1.0, 0.0]
