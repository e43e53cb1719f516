"""Who holds what: an object that moves is held by the hand that moves with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from dexman_pose.arrays import Array
from dexman_pose.contact import handling_phases
from dexman_pose.contact.bridging import LEAST_CONFIDENCE, bridge_short_gaps
from dexman_pose.contact.phases import _paused, _without_ends
from dexman_pose.data import HandTrack, Mesh, PoseTrack, RigidObject
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import se3, so3_exp

FRAMES = 40
TIMES = np.arange(FRAMES) / 30.0
CARRIED = slice(12, 30)


def _way() -> Array:
    """(T, 3) at rest, carried by 25 cm, at rest."""
    share = np.clip((np.arange(FRAMES) - 12) / 17, 0, 1)
    return np.stack([0.25 * share - 0.1, 0 * share, 0 * share + 0.7], 1)


def _cube(way: Array, valid: Array | None = None) -> RigidObject:
    box = trimesh.creation.box((0.06, 0.06, 0.06))
    ok = np.ones(len(way), bool) if valid is None else valid
    poses = se3(np.tile(np.eye(3), (len(way), 1, 1)), way)
    return RigidObject(
        "cube", Mesh(np.asarray(box.vertices), np.asarray(box.faces)), PoseTrack(poses, ok, ok * 1.0)
    )


def _hand(way: Array, factor: float = 1.0, side: str = "right") -> HandTrack:
    around = np.random.default_rng(2).uniform(-0.04, 0.04, (21, 3))
    joints = factor * (way[:, None] + around)
    n = len(way)
    ok = np.ones(n, bool)
    return HandTrack(side, joints, np.zeros((n, 21, 2)), ok, ~ok, np.ones(n), np.full(21, 0.03))


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.2])
def test_a_hand_that_carries_holds_however_far_it_seems(factor: float) -> None:
    (found,) = handling_phases({"cube": _cube(_way())}, {"right": _hand(_way(), factor)}, TIMES)
    assert (found.side, found.name) == ("right", "cube")
    truth = np.zeros(FRAMES, bool)
    truth[CARRIED] = True
    assert (found.held == truth).mean() > 0.85
    assert found.gripped.all()  # it rests against the cube before and after
    assert not found.reach.any() and not found.release.any()


def test_reach_hold_release() -> None:
    way = _way()
    hand = way.copy()
    hand[:8, 1] -= 0.3 * (8 - np.arange(8)[:, None] / 1.0)[:, 0] / 8
    hand[33:, 1] -= 0.3 * np.arange(1, 8) / 7
    (found,) = handling_phases({"cube": _cube(way)}, {"right": _hand(hand)}, TIMES)
    assert found.reach[:5].all() and found.release[-4:].all() and found.gripped[14:28].all()
    assert not (found.reach & found.gripped).any()


def test_nobody_holds_what_rests_or_what_another_hand_carries() -> None:
    rest = np.tile(_way()[:1], (FRAMES, 1))
    assert handling_phases({"cube": _cube(rest)}, {"right": _hand(rest)}, TIMES) == []
    hands = {"right": _hand(_way()), "left": _hand(_way() + [0.3, 0.0, 0.0], side="left")}
    found = handling_phases({"cube": _cube(_way())}, hands, TIMES)
    assert [h.side for h in found] == ["right"]
    passing = _way()[::-1]
    assert handling_phases({"cube": _cube(_way())}, {"right": _hand(passing)}, TIMES) == []


def test_trembling_poses_are_no_motion() -> None:
    rest = np.tile(_way()[:1], (FRAMES, 1)) + np.random.default_rng(0).normal(0, 0.004, (FRAMES, 3))
    assert handling_phases({"cube": _cube(rest)}, {"right": _hand(rest)}, TIMES) == []


def test_a_thing_at_rest_is_not_moved_by_poses_in_doubt() -> None:
    rest = np.tile(_way()[:1], (FRAMES, 1))
    rng = np.random.default_rng(5)
    slow = np.cumsum(
        rng.normal(0, 1, (FRAMES, 3)), 0
    )  # it seems to turn and to come nearer, and does neither
    doubted = _cube(rest * np.linspace(1.0, 1.3, FRAMES)[:, None])
    poses = doubted.camera_from_object.copy()
    poses[:, :3, :3] = so3_exp(0.3 * slow)
    track = PoseTrack(poses, np.ones(FRAMES, bool), np.full(FRAMES, LEAST_CONFIDENCE))
    assert handling_phases({"cube": replace(doubted, track=track)}, {"right": _hand(rest)}, TIMES) == []
    sure = PoseTrack(poses, np.ones(FRAMES, bool), np.ones(FRAMES))
    assert handling_phases({"cube": replace(doubted, track=sure)}, {"right": _hand(rest)}, TIMES) != []


def test_tracks_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match="cube has 40 frames"):
        handling_phases({"cube": _cube(_way())}, {}, TIMES[:-1])


def test_short_gaps_are_bridged_and_long_ones_not() -> None:
    valid = np.ones(FRAMES, bool)
    valid[14:17] = valid[20:35] = False
    way = _way()
    lost = np.where(valid[:, None], way, 9.0)
    found = bridge_short_gaps(_cube(lost, valid), TIMES, 0.2)
    np.testing.assert_allclose(found.camera_from_object[14:17, :3, 3], way[14:17], atol=1e-9)
    assert found.valid[14:17].all() and not found.valid[20:35].any()
    assert (found.confidence[14:17] > 0).all()


def test_pauses_of_a_grip_are_filled_where_the_hand_stays() -> None:
    gripped = np.zeros(30, np.bool_)
    gripped[5:10] = gripped[14:20] = True
    near = np.ones(30, np.bool_)
    filled = _paused(gripped, near, 6)
    assert filled[5:20].all() and filled.sum() == 15
    assert (_paused(gripped, near, 3) == gripped).all()
    near[12] = False
    assert (_paused(gripped, near, 6) == gripped).all()


def test_a_hand_that_lies_still_does_not_carry_what_seems_to_move_beside_it() -> None:
    rest = np.tile(_way()[:1], (FRAMES, 1))
    hand = {"right": _hand(rest)}
    jumping = rest.copy()
    jumping[15:] += [0.04, 0.0, 0.0]
    assert handling_phases({"cube": _cube(jumping)}, hand, TIMES) == []
    along = rest.copy()
    along[15:] += [0.04, 0.0, 0.0]
    assert handling_phases({"cube": _cube(jumping)}, {"right": _hand(along)}, TIMES) != []


def test_a_hand_that_has_left_holds_no_more_though_the_object_trembles_on() -> None:
    way, hand = _way(), _way()
    way[26:] = way[26] + np.cumsum(np.tile([[0.0, 0.006, 0.0]], (14, 1)), 0)  # it rolls away
    hand[26:, 0] -= np.linspace(0.0, 0.4, 14)
    (found,) = handling_phases({"cube": _cube(way)}, {"right": _hand(hand)}, TIMES)
    assert found.held[14:25].all() and not found.held[32:].any()


def test_a_hold_goes_on_while_the_object_is_not_seen() -> None:
    frames = 70
    way = np.tile(_way()[:1], (frames, 1))
    way[:, 0] += 0.01 * np.clip(np.arange(frames) - 5, 0, None)
    valid = np.ones(frames, bool)
    valid[20:50] = False
    (found,) = handling_phases({"cube": _cube(way, valid)}, {"right": _hand(way)}, np.arange(frames) / 30.0)
    assert found.gripped[10:65].all()
    assert not found.held[25:45].any()  # nobody saw it move


def test_a_hold_begins_and_ends_where_the_hand_goes_with_the_object() -> None:
    held, known, apart = np.ones(20, np.bool_), np.ones(20, np.bool_), np.zeros(20, np.bool_)
    held[:2] = False
    apart[2:5] = apart[10] = apart[17:] = True
    known[19] = False
    found = _without_ends(held, known, apart)
    assert found[5:17].all() and not found[:5].any() and not found[17:].any()
    known[:] = True
    known[18:] = apart[17:] = False  # nothing says that it has left
    assert _without_ends(held, known, apart)[5:].all()
    assert not _without_ends(held, known, np.ones(20, np.bool_)).any()
