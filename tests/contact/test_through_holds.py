"""Holds add touches: through frames that are not valid, and where what is carried is near but not near enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.contact.detect import JOINT_RADIUS
from dexman_pose.contact.phases import Handling
from dexman_pose.contact.through_holds import contacts_through_holds
from dexman_pose.data import Contacts

FRAMES = 20
THUMB, INDEX = 4, 8


@pytest.fixture
def contacts() -> Contacts:
    """Thumb and index touch in frames 5 to 14; frames 8 to 12 are not valid and hence do not."""
    gaps = np.full((1, FRAMES, 21), 0.1)
    gaps[0, 5:15, [THUMB, INDEX]] = 0.001
    valid = np.ones((1, FRAMES), np.bool_)
    valid[0, 8:13] = False
    touching = (gaps < 0.005) & valid[..., None]
    return Contacts(
        (("right", "cup"),), gaps + JOINT_RADIUS, touching, np.zeros((1, FRAMES, 21, 3)), valid, 0.005, 0.008
    )


def handling(held: slice, gripped: slice | None = None) -> Handling:
    flags = [np.zeros(FRAMES, np.bool_) for _ in range(2)]
    flags[0][held] = True
    flags[1][gripped or held] = True
    return Handling("right", "cup", flags[0], flags[1])


def test_a_hold_goes_on_where_poses_are_doubted(contacts: Contacts) -> None:
    found = contacts_through_holds(contacts, [handling(slice(6, 14), slice(5, 15))])
    assert found.touching[0, 5:15][:, [THUMB, INDEX]].all()
    assert found.touching[0, 5:15].sum() == 20
    assert not found.touching[0, :5].any() and not found.touching[0, 15:].any()
    np.testing.assert_array_equal(found.valid, contacts.valid)
    np.testing.assert_array_equal(found.distance, contacts.distance)


def test_without_a_hold_nothing_changes(contacts: Contacts) -> None:
    np.testing.assert_array_equal(contacts_through_holds(contacts, []).touching, contacts.touching)
    other = Handling("left", "cup", np.ones(FRAMES, np.bool_), np.ones(FRAMES, np.bool_))
    np.testing.assert_array_equal(contacts_through_holds(contacts, [other]).touching, contacts.touching)


def test_what_is_carried_is_touched_by_what_is_nearest(contacts: Contacts) -> None:
    gaps = contacts.distance - JOINT_RADIUS
    gaps[:] = 0.1
    gaps[0, :, INDEX], gaps[0, :, THUMB], gaps[0, :, 12] = 0.012, 0.014, 0.02
    near = replace(contacts, distance=gaps + JOINT_RADIUS, touching=np.zeros_like(contacts.touching))
    found = contacts_through_holds(near, [handling(slice(4, 16))])
    assert found.touching[0, 4:16][:, [THUMB, INDEX]].all() and found.touching.sum() == 24
    still = contacts_through_holds(near, [handling(slice(0, 0), slice(4, 16))])
    assert not still.touching.any()  # nobody carries it: a hand may rest beside it
    far = replace(near, distance=near.distance + 0.05)
    assert not contacts_through_holds(far, [handling(slice(4, 16))]).touching.any()


def test_a_hold_without_a_valid_frame_adds_nothing(contacts: Contacts) -> None:
    assert not contacts_through_holds(contacts, [handling(slice(8, 13))]).touching[0, 8:13].any()


@pytest.mark.parametrize(("near", "far"), [(INDEX, THUMB), (THUMB, INDEX)])
def test_thumb_and_finger_carry_together(contacts: Contacts, near: int, far: int) -> None:
    gaps = np.full((1, FRAMES, 21), 0.1)
    gaps[0, :, near], gaps[0, :, far] = 0.001, 0.010
    touching = gaps < 0.005
    one = replace(
        contacts, distance=gaps + JOINT_RADIUS, touching=touching, valid=np.ones((1, FRAMES), np.bool_)
    )
    found = contacts_through_holds(one, [handling(slice(4, 16), slice(2, 18))])
    assert found.touching[0, 4:16, far].all() and not found.touching[0, :4, far].any()
    assert found.touching.sum() == touching.sum() + 12
    gaps[0, :, far] = 0.02
    wide = replace(one, distance=gaps + JOINT_RADIUS)
    assert contacts_through_holds(wide, [handling(slice(4, 16))]).touching.sum() == touching.sum()
    of_made = contacts_through_holds(wide, [handling(slice(4, 16))], made=["cup"])
    assert of_made.touching[0, 4:16, far].all()
    gaps[0, :, far] = 0.06
    doubted = np.arange(FRAMES)[None] < 10
    close = touching & doubted[..., None]
    close[0, 9, far] = True  # once it did
    far_off = replace(one, distance=gaps + JOINT_RADIUS, touching=close, valid=doubted)
    found = contacts_through_holds(far_off, [handling(slice(4, 16))], made=["cup"])
    assert not found.touching[0, :9, far].any() and found.touching[0, 10:16, [far, near]].all()
    assert not contacts_through_holds(far_off, [handling(slice(4, 16))]).touching[0, 10:, far].any()


def test_what_rests_in_the_hand_is_not_carried(contacts: Contacts) -> None:
    gaps = np.full((1, FRAMES, 21), 0.1)
    gaps[0, :, INDEX], gaps[0, :, THUMB] = 0.001, 0.010
    one = replace(
        contacts, distance=gaps + JOINT_RADIUS, touching=gaps < 0.005, valid=np.ones((1, FRAMES), np.bool_)
    )
    found = contacts_through_holds(one, [handling(slice(0, 0), slice(2, 18))])
    assert not found.touching[0, :, THUMB].any()


def test_no_joint_touches_in_doubted_frames_alone(contacts: Contacts) -> None:
    gaps = np.full((1, FRAMES, 21), 0.1)
    gaps[0, :, INDEX], gaps[0, :, THUMB] = 0.001, 0.06
    valid = np.arange(FRAMES)[None] < 10
    touching = (gaps < 0.005) & valid[..., None]
    one = replace(contacts, distance=gaps + JOINT_RADIUS, touching=touching, valid=valid)
    found = contacts_through_holds(one, [handling(slice(4, 16))], made=["cup"])
    assert found.touching[0, 10:16, INDEX].all() and not found.touching[0, :, THUMB].any()
    # Held in doubted frames alone, and never touched where it is known.
    apart = replace(one, distance=one.distance + 0.009, touching=np.zeros_like(touching))
    assert not contacts_through_holds(apart, [handling(slice(12, 16), slice(4, 16))]).touching.any()
