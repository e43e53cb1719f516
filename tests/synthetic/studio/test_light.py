"""Lights that are turned as a whole."""

from __future__ import annotations

import numpy as np

from dexman_pose.synthetic.studio.light import studio


def test_turned_lights_keep_their_heights() -> None:
    plain, turned = studio(np.zeros(3)), studio(np.zeros(3), turn=np.pi / 2)
    np.testing.assert_allclose(turned.directions[:, 2], plain.directions[:, 2])
    np.testing.assert_allclose(turned.directions[:, 1], plain.directions[:, 0], atol=1e-12)
    np.testing.assert_array_equal(turned.colors, plain.colors)
