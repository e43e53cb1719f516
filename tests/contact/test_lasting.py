"""Grips that last longer than motion shows."""

from __future__ import annotations

import numpy as np

from dexman_pose.contact.lasting import LastingOptions, through_unseen, with_rests

STEP, OPTIONS = 1 / 30.0, LastingOptions()


def flags(*spans: tuple[int, int]) -> np.ndarray:
    out = np.zeros(60, np.bool_)
    for first, stop in spans:
        out[first:stop] = True
    return out


def test_a_hand_that_holds_before_and_after_holds_while_the_object_is_not_seen() -> None:
    gripped = flags((5, 15), (45, 55))
    assert through_unseen(gripped, flags((0, 16), (44, 60)), flags((0, 60)), OPTIONS)[5:55].all()
    unseen_but_for_a_moment = flags((0, 16), (30, 34), (44, 60))
    assert through_unseen(gripped, unseen_but_for_a_moment, flags((0, 60)), OPTIONS)[5:55].all()
    away = flags((0, 29), (35, 60))  # where it was seen the hand was not there
    np.testing.assert_array_equal(through_unseen(gripped, unseen_but_for_a_moment, away, OPTIONS), gripped)
    seen = flags((0, 60))
    np.testing.assert_array_equal(through_unseen(gripped, seen, flags((0, 60)), OPTIONS), gripped)


def test_a_hand_that_rests_on_a_thing_and_then_lifts_it_held_it_before() -> None:
    gripped, quiet, near = flags((30, 55)), flags((0, 22)), flags((0, 60))
    palm = np.zeros((60, 2))
    palm[25:] = 0.02  # fingers close
    assert with_rests(gripped, quiet, near, palm, STEP, OPTIONS)[:55].all()
    palm[25:] = 0.06  # it reached for it from beside it
    np.testing.assert_array_equal(with_rests(gripped, quiet, near, palm, STEP, OPTIONS), gripped)
    palm[:] = 0
    fast = flags((0, 24), (27, 60))
    np.testing.assert_array_equal(with_rests(gripped, quiet, fast, palm, STEP, OPTIONS), gripped)
    early = flags((0, 10))
    np.testing.assert_array_equal(with_rests(gripped, early, near, palm, STEP, OPTIONS), gripped)


def test_a_hand_that_rests_beside_what_it_put_down_holds_it_no_more() -> None:
    gripped, near = flags((5, 30)), flags((0, 60))
    found = with_rests(gripped, flags((33, 60)), near, np.zeros((60, 2)), STEP, OPTIONS)
    np.testing.assert_array_equal(found, gripped)
