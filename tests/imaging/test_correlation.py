"""Evened-out pictures are the same whether the cover of their mask is worked out or given."""

from __future__ import annotations

import numpy as np

from dexman_pose.imaging.correlation import cover_of, local_contrast


def test_the_cover_of_a_mask_may_be_given() -> None:
    rng = np.random.default_rng(3)
    gray = rng.uniform(0, 255, (37, 50)).astype(np.float32)
    mask = np.zeros(gray.shape, bool)
    mask[5:30, 8:41] = True
    np.testing.assert_array_equal(
        local_contrast(gray, mask), local_contrast(gray, mask, cover=cover_of(mask))
    )
