from __future__ import annotations

import numpy as np

from dexman_pose.imaging.windows import around_both, inside, overlap, seen_through, shape_of, widened

A, B = (slice(2, 6), slice(3, 8)), (slice(5, 9), slice(7, 10))


def test_shapes_and_overlaps() -> None:
    assert shape_of(A) == (4, 5)
    assert overlap(A, B)
    assert not overlap(A, (slice(6, 9), slice(3, 8)))
    assert around_both(A, B) == (slice(2, 9), slice(3, 10))
    assert widened(A, 3, (8, 9)) == (slice(0, 8), slice(0, 9))
    assert inside(B, A) == (slice(3, 7), slice(4, 7))


def test_an_image_seen_through_another_window_keeps_its_place() -> None:
    picture = np.arange(1, 101).reshape(10, 10)
    found = seen_through(picture[A], A, B)
    assert found.shape == (4, 3)
    assert found[0, 0] == picture[5, 7]
    assert np.count_nonzero(found) == 1
    assert not seen_through(picture[A], A, (slice(8, 9), slice(0, 3))).any()
    assert np.array_equal(seen_through(picture[A], A, A), picture[A])
