"""The table's plane: heights, how sure they are, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.data.world.table import TablePlane
from dexman_pose.errors import InputError

NORMAL = np.array([0.0, -0.8, -0.6])


def _plane(**changes: Any) -> TablePlane:
    return TablePlane(**({"normal": NORMAL, "offset": 0.5, "covariance": np.zeros((4, 4))} | changes))


def test_heights_are_along_the_normal() -> None:
    table = _plane()
    points = np.array([[0.0, 0.0, 0.0], -0.5 * NORMAL, 0.1 * NORMAL + [0.6, -0.3, 0.4]])
    np.testing.assert_allclose(table.heights(points), [0.5, 0.0, 0.6], atol=1e-12)


def test_the_worst_tilt_is_told_and_heights_far_away_are_less_sure() -> None:
    across = np.array([1.0, 0.0, 0.0])
    covariance = np.zeros((4, 4))
    covariance[:3, :3] = 0.02**2 * np.outer(across, across)
    covariance[3, 3] = 0.003**2
    table = _plane(covariance=covariance, evidence=["a cup at rest"])
    assert table.normal_std == pytest.approx(0.02)
    assert table.height_std([0.0, 0.0, 0.7]) == pytest.approx(0.003)
    assert table.height_std([0.5, 0.0, 0.7]) == pytest.approx(np.hypot(0.01, 0.003))
    assert table.evidence == ("a cup at rest",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"normal": [0.0, 0.0, 2.0]}, "unit vector, but its length is 2"),
        ({"normal": [0.0, 1.0]}, "shape"),
        ({"covariance": -np.eye(4)}, "negative"),
        ({"offset": np.nan}, "finite"),
        ({"evidence": "depth"}, "texts"),
    ],
)
def test_what_is_no_plane_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _plane(**changes)
