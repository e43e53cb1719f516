"""The mirror line of a leaning rectangle is one of its own two; a comma has none."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.meshing.hypotheses.mirror import mirror_line


def test_a_leaning_bottle_has_its_axis() -> None:
    y, x = np.mgrid[0:120, 0:120] - 60.0
    angle = np.radians(35.0)
    u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    mask = (np.abs(u) < 40) & (np.abs(v) < np.where(u > 15, 8, 18))
    line, alike = mirror_line(mask)
    assert abs(float(line @ [np.cos(angle), np.sin(angle)])) == pytest.approx(1.0, abs=0.01)
    assert alike > 0.9


def test_an_angle_bracket_is_not_like_its_image() -> None:
    mask = np.zeros((100, 100), bool)
    mask[10:90, 10:25] = True
    mask[70:90, 10:50] = True
    mask[10:20, 10:35] = True
    assert mirror_line(mask)[1] < 0.85
