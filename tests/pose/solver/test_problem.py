"""How views and hypotheses are packed for the fused solver."""

from __future__ import annotations

import numpy as np

from dexman_pose.data import Camera
from dexman_pose.pose.observation.crop import CropObservation
from dexman_pose.pose.solver.problem import EDGE_ROOM, view_arrays

CAMERA = Camera.from_focal(100.0, 4, 4)


def outlined(points: int) -> CropObservation:
    """A view with so many edge points, each of which tells its own place in the row."""
    blank, empty = np.zeros((4, 4), np.float32), np.zeros((4, 4), np.bool_)
    place = np.arange(points, dtype=np.float64)
    edge, normal = np.stack([place, -place], 1), np.stack([place + 0.5, -place - 0.5], 1)
    return CropObservation(CAMERA, (0, 0), np.ones(2), empty, empty, empty, blank, blank, edge, normal)


def packed(points: int) -> tuple[np.ndarray, int]:
    rows = {name: make() for name, _, make in view_arrays([outlined(points)], True, False) if make}
    return rows["edges"][0], int(rows["edge_count"][0][0])


def test_outlines_of_every_length_are_packed_evenly() -> None:
    for points in range(1, 5001):
        rows, count = packed(points)
        assert rows.shape == (EDGE_ROOM, 4), points
        kept = rows[:count, 0].astype(int)
        apart = 1 if points <= EDGE_ROOM else int(kept[1])
        # From one end to the other, all gaps alike, and no more left out than the room asks for.
        assert kept[0] == 0 and points - 1 - kept[-1] < apart, points
        assert (np.diff(kept) == apart).all(), points
        assert (apart - 1) * EDGE_ROOM < points <= apart * EDGE_ROOM, points
        np.testing.assert_array_equal(
            rows[:count], kept[:, None] * [1.0, -1.0, 1.0, -1.0] + [0, 0, 0.5, -0.5]
        )
        assert not rows[count:].any(), points


def test_the_shortest_outline_is_none_at_all() -> None:
    rows, count = packed(0)
    assert count == 0 and not rows.any()
