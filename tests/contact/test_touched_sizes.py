"""Sizes of what nobody moves, told by the hand that closes on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from dexman_pose.contact.detect import JOINT_RADIUS
from dexman_pose.contact.phases import handling_phases
from dexman_pose.contact.touched_sizes import sized_by_touch
from dexman_pose.data import HandTrack, Mesh, PoseTrack, RigidObject
from dexman_pose.geometry.se3 import scaled_translations, se3, so3_exp

FRAMES = 90
TIMES = np.arange(FRAMES) / 30.0
SIDE = 0.06


def box_at(factor: float = 1.0, source: str = "unknown") -> RigidObject:
    """A box half a metre away, seen on its corner, made larger and farther away by a factor."""
    made = trimesh.creation.box((SIDE, SIDE, SIDE))
    mesh = Mesh(np.asarray(made.vertices), np.asarray(made.faces), source="box")
    pose = se3(so3_exp(np.array([0.5, 0.4, 0.0])), np.array([0.0, 0.0, 0.5]))
    poses = scaled_translations(np.tile(pose, (FRAMES, 1, 1)), factor)
    known = np.ones(FRAMES, np.bool_)
    track = PoseTrack(poses, known, known.astype(float))
    return RigidObject("box", mesh.scaled(factor), track, scale_source=source)  # type: ignore[arg-type]


def pinching(come: int = 15, leave: int = 75, *, beside: float = 0.0, moving: float = 0.0) -> HandTrack:
    """A hand that closes thumb and fingers on two opposite sides of the box between two frames."""
    turn = so3_exp(np.array([0.5, 0.4, 0.0]))
    reach = 0.5 * SIDE + JOINT_RADIUS
    joints = np.zeros((FRAMES, 21, 3))
    for joint in range(21):
        side = -1.0 if joint in (1, 2, 3, 4) else 1.0
        high = 0.12 if joint == 0 else 0.06 - 0.012 * ((joint - 1) % 4)
        joints[:, joint] = turn @ np.array([side * reach[joint] + beside, -high, 0.004 * (joint // 4)])
    joints[..., 2] += 0.5
    frames = np.arange(FRAMES)
    away = np.clip((come - frames) / 10.0, 0, 1) + np.clip((frames - leave) / 10.0, 0, 1)
    joints[..., 1] -= 0.2 * away[:, None]
    joints[..., 0] += moving * np.sin(frames / 4.0)[:, None]
    known = np.ones(FRAMES, np.bool_)
    return HandTrack(
        "right", joints, np.zeros((FRAMES, 21, 2)), known, ~known, known.astype(float), np.full(21, 0.03)
    )


@pytest.mark.parametrize("factor", [0.85, 1.15])
def test_a_thing_that_a_hand_closes_on_gets_its_size(factor: float) -> None:
    found = sized_by_touch({"box": box_at(factor)}, {"right": pinching()}, TIMES)["box"]
    assert found.scale_source == "contact"
    assert found.scale == pytest.approx(1.0 / factor, rel=0.03)
    assert found.camera_from_object[0, 2, 3] == pytest.approx(0.5, rel=0.03)


def test_hands_that_stay_pass_or_lie_beside_tell_nothing_nor_of_what_has_a_size() -> None:
    for hand in (pinching(0, 90), pinching(40, 50), pinching(beside=0.08), pinching(moving=0.05)):
        assert sized_by_touch({"box": box_at(1.15)}, {"right": hand}, TIMES)["box"].scale == 1.0
    assert sized_by_touch({"box": box_at(1.15, "hand")}, {"right": pinching()}, TIMES)["box"].scale == 1.0


def test_what_is_carried_is_not_sized_so() -> None:
    thing = box_at(1.15)
    thing.track.camera_from_object[:, 0, 3] += 0.1 * np.clip((np.arange(FRAMES) - 30) / 20, 0, 1)
    assert sized_by_touch({"box": thing}, {"right": pinching()}, TIMES)["box"].scale == 1.0


def test_a_hand_that_closes_on_a_thing_in_its_place_grips_it() -> None:
    (found,) = handling_phases({"box": box_at()}, {"right": pinching()}, TIMES)
    assert not found.held.any()
    assert found.gripped[20:70].all() and not found.gripped[:5].any() and not found.gripped[-5:].any()
    for hand in (pinching(0, 90), pinching(beside=0.05), pinching(40, 50)):
        assert handling_phases({"box": box_at()}, {"right": hand}, TIMES) == []
    assert handling_phases({"box": replace(box_at(), name="box")}, {}, TIMES) == []


def test_a_hand_that_takes_from_another_grips_what_that_one_holds_out() -> None:
    thing, taker = box_at(), pinching(40, 200)
    carried = np.zeros((FRAMES, 3))
    carried[:, 1] = -0.15 * np.clip((20 - np.arange(FRAMES)) / 12.0, 0, 1)  # brought to its place by frame 20
    thing.track.camera_from_object[:, :3, 3] += carried
    giver = pinching(0, 200)
    giver = replace(giver, side="left", joints=giver.joints + carried[:, None] + [0.0, 0.0, 0.02])
    found = {h.side: h for h in handling_phases({"box": thing}, {"left": giver, "right": taker}, TIMES)}
    assert found["left"].held[10:18].all() and found["left"].gripped[45:80].all()
    assert found["right"].gripped[45:].all() and not found["right"].gripped[:30].any()
    assert not found["right"].held.any()
    alone = handling_phases({"box": box_at()}, {"right": taker}, TIMES)
    assert alone == []  # nobody holds it out, and it does not leave again
