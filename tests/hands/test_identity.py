"""Left and right: tracklets made by hand, with the truth known."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.hands.identity import LEFT, RIGHT, assign_sides, usual_order
from dexman_pose.hands.mediapipe.landmarks import Sighting
from dexman_pose.hands.mediapipe.roi import Roi
from dexman_pose.hands.mediapipe.tracking import Tracklet

ROI = Roi(0.0, 0.0, 100.0, 0.0)


def _tracklet(
    joints: np.ndarray, frames: range, x: float | np.ndarray, right: float, presence: float = 1.0
) -> Tracklet:
    xs = np.broadcast_to(np.asarray(x, dtype=float), (len(frames),))
    return Tracklet(
        {
            f: Sighting(joints + [at, 300.0], np.zeros((21, 3)), presence, right, ROI)
            for f, at in zip(frames, xs)
        }
    )


def test_plain_case(open_hand: np.ndarray) -> None:
    a = _tracklet(open_hand, range(30), 200.0, 0.98)
    b = _tracklet(open_hand, range(30), 700.0, 0.03)
    assert assign_sides([a, b]) == [RIGHT, LEFT]
    assert assign_sides([]) == []


def test_two_hands_are_never_of_one_side(open_hand: np.ndarray) -> None:
    # The network calls both right, one more surely than the other.
    a = _tracklet(open_hand, range(40), 200.0, 0.99)
    b = _tracklet(open_hand, range(40), 700.0, 0.7)
    assert assign_sides([a, b]) == [RIGHT, LEFT]


def test_identity_goes_on_after_a_gap_though_the_network_wavers(open_hand: np.ndarray) -> None:
    first = _tracklet(open_hand, range(0, 30), 200.0, 0.97)
    other = _tracklet(open_hand, range(0, 60), 700.0, 0.03)
    second = _tracklet(open_hand, range(33, 60), 215.0, 0.4)
    assert assign_sides([first, other, second]) == [RIGHT, LEFT, RIGHT]


def test_crossing_hands_keep_their_identity(open_hand: np.ndarray) -> None:
    # Lost while they pass each other; afterwards each is on the other's side, and the network knows them.
    tracklets = [
        _tracklet(open_hand, range(0, 20), np.linspace(200, 390, 20), 0.9),
        _tracklet(open_hand, range(0, 20), np.linspace(700, 510, 20), 0.1),
        _tracklet(open_hand, range(30, 50), np.linspace(510, 700, 20), 0.9),
        _tracklet(open_hand, range(30, 50), np.linspace(390, 200, 20), 0.1),
    ]
    assert assign_sides(tracklets) == [RIGHT, LEFT, RIGHT, LEFT]


def test_a_tracklet_that_crosses_does_not_flip(open_hand: np.ndarray) -> None:
    a = _tracklet(open_hand, range(40), np.linspace(200, 700, 40), 0.95)
    b = _tracklet(open_hand, range(40), np.linspace(720, 190, 40) + 1.0, 0.05)
    assert assign_sides([a, b]) == [RIGHT, LEFT]


def test_a_third_hand_is_left_out(open_hand: np.ndarray) -> None:
    a = _tracklet(open_hand, range(60), 200.0, 0.95)
    b = _tracklet(open_hand, range(60), 700.0, 0.05)
    stranger = _tracklet(open_hand, range(20, 40), 450.0, 0.9)
    assert assign_sides([a, stranger, b]) == [RIGHT, -1, LEFT]


def test_one_hand_seen_twice_is_not_both_hands(open_hand: np.ndarray) -> None:
    a = _tracklet(open_hand, range(60), 200.0, 0.95)
    double = _tracklet(open_hand, range(20, 45), 225.0, 0.2)
    sides = assign_sides([a, double])
    assert sides[0] == RIGHT and sides[1] != LEFT


def test_a_lone_blip_is_no_hand(open_hand: np.ndarray) -> None:
    blip = _tracklet(open_hand, range(50, 51), 450.0, 0.9, presence=0.6)
    a = _tracklet(open_hand, range(100), 200.0, 0.95)
    assert assign_sides([a, blip]) == [RIGHT, -1]
    assert assign_sides([blip]) == [-1]


def test_a_hand_does_not_come_up_where_the_other_just_was(open_hand: np.ndarray) -> None:
    # One right hand, lost for a moment; for a while the network takes it for a left one.
    a = _tracklet(open_hand, range(0, 60), 200.0, 0.95)
    again = _tracklet(open_hand, range(63, 76), 205.0, 0.15)
    assert assign_sides([a, again]) == [RIGHT, RIGHT]


def test_usual_order(open_hand: np.ndarray) -> None:
    a = _tracklet(open_hand, range(30), 200.0, 0.9)
    b = _tracklet(open_hand, range(30), 700.0, 0.1)
    assert usual_order([a, b]) == pytest.approx(-1.0)  # seen from the front
    c = _tracklet(open_hand, range(30), 700.0, 0.9)
    d = _tracklet(open_hand, range(30), 200.0, 0.1)
    assert usual_order([c, d]) == pytest.approx(1.0)
    assert usual_order([a]) == 0.0


def test_many_tracklets_stay_fast(open_hand: np.ndarray) -> None:
    tracklets = []
    for k in range(150):
        tracklets.append(_tracklet(open_hand, range(10 * k, 10 * k + 8), 200.0, 0.9))
        tracklets.append(_tracklet(open_hand, range(10 * k, 10 * k + 8), 700.0, 0.1))
    assert assign_sides(tracklets) == [RIGHT, LEFT] * 150
