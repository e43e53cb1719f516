"""What a track knows of its errors is a covariance, whatever its frames said."""

from __future__ import annotations

import numpy as np

from dexman_pose.pose.tracking.track_record import _covariance


def test_a_direction_that_hardly_anything_fixes_leaves_a_symmetric_covariance() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 3, 6)) * np.array([1e6, 1e6, 1e3, 1e4, 1e2, 1.0])
    hessian = np.swapaxes(rows, 1, 2) @ rows  # three of six directions are fixed
    found = _covariance(hessian * (1.0 + 1e-12 * rng.normal(size=hessian.shape)))
    np.testing.assert_array_equal(found, np.swapaxes(found, 1, 2))
    assert np.isfinite(found).all()
    known = _covariance(np.diag([4.0, 1.0, 0.25, 1.0, 1.0, 1.0])[None])
    np.testing.assert_allclose(np.diagonal(known[0]), [0.25, 1.0, 4.0, 1.0, 1.0, 1.0], rtol=1e-6)
