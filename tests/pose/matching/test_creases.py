from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.pose.matching.creases import crease_places

ROWS, COLUMNS = 41, 61
NORMAL = np.array([np.cos(0.4), np.sin(0.4)])


def roof(place: float, step: float = 0.0, curve: float = 0.0) -> NDArray[np.float32]:
    """1 / z of two planes that meet at ``place`` along NORMAL from (30, 20); a step and a bulge on request."""
    y, x = np.mgrid[:ROWS, :COLUMNS].astype(np.float64)
    along = (x - 30.0) * NORMAL[0] + (y - 20.0) * NORMAL[1] - place
    side = np.where(along < 0, 0.010 * along, -0.004 * along + step - curve * along**2)
    return (2.0 + side + 0.003 * (y - 20.0)).astype(np.float32)


def at_middle(inverse: NDArray[np.float32]) -> tuple[float, float, bool]:
    found = crease_places(inverse, np.array([[30, 20]]), NORMAL[None])
    return float(found.shift[0]), float(found.inverse[0]), bool(found.found[0])


@pytest.mark.parametrize("place", [-1.7, -0.4, 0.0, 0.8, 1.9])
def test_two_planes_meet_where_they_do(place: float) -> None:
    shift, inverse, found = at_middle(roof(place))
    assert found
    assert shift == pytest.approx(place, abs=0.02)
    meeting = 2.0 + 0.003 * place * NORMAL[1]
    assert inverse == pytest.approx(meeting, abs=1e-4)


@pytest.mark.parametrize(
    "inverse",
    [
        roof(5.5),  # too far to be this fold's
        roof(
            0.5, step=0.015
        ),  # one surface ends before another: their lines would meet a pixel beside the step
        roof(0.5, curve=0.004),  # no line fits
        np.full((ROWS, COLUMNS), 2.0, np.float32),
    ],
)
def test_what_is_no_crease_of_planes_keeps_its_pixel(inverse: NDArray[np.float32]) -> None:
    shift, here, found = at_middle(inverse)
    assert not found
    assert shift == 0.0
    assert here == pytest.approx(float(inverse[20, 30]))


def test_nothing_gives_nothing() -> None:
    found = crease_places(roof(0.0), np.zeros((0, 2), np.int64), np.zeros((0, 2)))
    assert len(found.shift) == len(found.inverse) == len(found.found) == 0
