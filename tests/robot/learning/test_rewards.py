"""Every term of the reward against values computed by hand, and the mistakes that such terms invite."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dexman_pose.geometry.se3 import so3_exp
from dexman_pose.robot.learning.options import ContactReward, FollowReward, ImitationReward
from dexman_pose.robot.learning.rewards import (
    contact_reward,
    facing,
    follow_reward,
    imitation_reward,
    off_the_table,
    touched_places,
)

torch = pytest.importorskip("torch")
CONTACT, FOLLOW, IMITATION = ContactReward(), FollowReward(), ImitationReward()


def t(values: object, dtype: object = None) -> object:
    return torch.as_tensor(np.asarray(values), dtype=dtype or torch.float64)


def test_lifted_needs_the_object_and_its_reference_off_the_table() -> None:
    lifted = off_the_table(t([[0.13, 0.13, 0.11]]), t([[0.2, 0.1, 0.2]]), t([0.1, 0.1, 0.1]), 0.02)
    assert lifted.tolist() == [[True, False, False]]


def test_an_object_on_its_way_by_hand() -> None:
    distance, angle = t([[0.01]]), t([[0.2]])
    both = 5.0 * math.exp(-0.8) + math.exp(-0.6)
    low = follow_reward(distance, angle, t([[False]], torch.bool), FOLLOW)
    high = follow_reward(distance, angle, t([[True]], torch.bool), FOLLOW)
    assert low.item() == pytest.approx(0.1 * both)
    assert high.item() == pytest.approx(4.1 * both)


def test_two_objects_count_half_each() -> None:
    lifted = t([[False, False]], torch.bool)
    two = follow_reward(t([[0.0, 9.0]]), t([[0.0, 9.0]]), lifted, FOLLOW)
    assert two.item() == pytest.approx(0.1 * 6.0 / 2, rel=1e-9)


def test_imitation_by_hand() -> None:
    slides, hinges = t([[[0.3, 0.0, 0.4]]]), t([[[0.0, 0.1, 0.0]]])
    fingers = t([[[0.1, -0.3]]])
    found = imitation_reward(slides, hinges, fingers, IMITATION)
    assert found.item() == pytest.approx(0.5 * (math.exp(-1.0) + math.exp(-2.0) + math.exp(-4.0)))


def _contact(points: object, pads: object, aims: object, weight: object, lifted: object) -> float:
    return float(
        contact_reward(
            t([points]), t([pads]), t([aims]), t([weight]), t([lifted], torch.bool), CONTACT
        ).item()
    )


def test_a_point_two_centimetres_from_its_aim_by_hand() -> None:
    found = _contact([[0, 0, 0.02]], [[0, 0, -1]], [[0, 0, 0]], [0.5], [False])
    assert found == pytest.approx(0.5 * math.exp(-400 * 4e-4))
    assert _contact([[0, 0, 0.02]], [[0, 0, -1]], [[0, 0, 0]], [0.5], [True]) == pytest.approx(2 * found)


def test_the_back_of_a_hand_earns_nothing() -> None:
    assert _contact([[0, 0, 0.02]], [[0, 0, 1]], [[0, 0, 0]], [2.0], [True]) == 0.0
    beside = facing(t([[[0, 0, 0.02]]]), t([[[1, 0, 0]]]), t([[[0, 0, 0]]]), CONTACT.near)
    assert beside.item() == pytest.approx(0.005 / 0.025)


def test_what_touches_earns_all_whichever_way_it_looks() -> None:
    for pad in ([0, 0, 1], [0, 0, -1], [1, 0, 0]):
        assert _contact([[0.1, 0.2, 0.3]], [pad], [[0.1, 0.2, 0.3]], [1.0], [False]) == pytest.approx(1.0)


def test_points_that_nothing_is_to_be_touched_with_earn_nothing() -> None:
    points, pads, aims = [[0, 0, 0], [1, 1, 1]], [[0, 0, 1]] * 2, [[0, 0, 0], [1, 1, 1]]
    assert _contact(points, pads, aims, [0.5, 0.0], [False, True]) == pytest.approx(0.5)


def test_touched_places_move_with_their_object() -> None:
    turn = np.stack([so3_exp([0, 0, np.pi / 2]), np.eye(3)])
    places = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
    of, point = [[0, 1]], [[[0.1, 0.0, 0.0], [0.0, 0.2, 0.0]]]
    found = touched_places(t(places[None]), t(turn[None]), t(of, torch.int64), t(point))
    np.testing.assert_allclose(found[0].numpy(), [[1.0, 0.1, 0.0], [0.0, 0.2, 5.0]], atol=1e-12)


def test_a_planted_sign_error_in_the_transform_is_caught() -> None:
    """Turned the other way, the point lands on the other side of the object, and pays nothing."""
    turn, point = so3_exp([0, 0, np.pi / 2])[None], [[[0.1, 0.0, 0.0]]]
    of, place = t([[0]], torch.int64), t([[[0.0, 0.0, 0.0]]])
    hand = [[0.0, 0.1, 0.0]]
    right = touched_places(place, t(turn[None]), of, t(point))
    wrong = touched_places(place, t(np.swapaxes(turn, 1, 2)[None]), of, t(point))
    assert _contact(hand, [[0, -1, 0]], right[0].tolist(), [1.0], [False]) == pytest.approx(1.0)
    assert _contact(hand, [[0, -1, 0]], wrong[0].tolist(), [1.0], [False]) < 1e-6
