"""Which fingers touch is one decision for a grip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dexman_pose.interaction.probes import TOUCHERS, probes
from dexman_pose.interaction.surface import tangents
from dexman_pose.interaction.touchers import chosen_touchers


def test_near_fingers_touch_and_a_grip_is_closed_in_any_case(grasp: Callable[..., Any]) -> None:
    scene = grasp(frames=6)
    points = probes(scene.joints)
    near = tangents(scene.bar, points, np.arange(6))
    gripped = np.arange(6) > 1
    wide = chosen_touchers(near, points, gripped, 0.03, 1)
    assert wide[2:].all() and not wide[:2].any()
    narrow = chosen_touchers(near, points, gripped, -1.0, 2)
    assert (narrow[2:, 1:5].sum(1) == 2).all()
    facing = [0, TOUCHERS.index(TOUCHERS[-1])]
    assert (narrow[2:, facing].sum(1) == 1).all()
    assert (narrow[2:] == narrow[2]).all()
    nothing = chosen_touchers(near, points, np.zeros(6, bool), 0.03, 1)
    assert not nothing.any()
