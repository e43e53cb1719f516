"""Motions out of trajectories: what is bridged, cut, refused, doubted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, HandTrack, PoseTrack, RigidObject, Trajectory
from dexman_pose.data.tracks import JOINT_NAMES
from dexman_pose.data.world.table import TablePlane
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import inverse, se3, so3_exp, transform_points
from dexman_pose.robot.motion.checks import doubts
from dexman_pose.robot.motion.from_trajectory import MotionOptions, motion_from_trajectory
from dexman_pose.robot.motion.resample import points_at, poses_at
from dexman_pose.robot.motion.touch import Touches, TouchOptions, closing_on_holds, touches_of
from dexman_pose.robot.motion.types import RATE
from dexman_pose.robot.motion.window import WindowOptions, lift_start, skill, smoothed
from dexman_pose.robot.objects.placement import Placement
from tests.robot.gripper import FRAMES, LIFT, SIDE, cube, lifting

WORLD = se3(so3_exp([2.2, 0.1, -0.2]), [0.1, 0.6, 0.6])


def trajectory(rate: float = 30.0, table: bool = True, **lost: list[int]) -> Trajectory:
    """The written motion as if it had been reconstructed: ``lost`` names frames of ``hand`` and ``cube``."""
    motion = lifting()
    count = FRAMES
    camera_from_world = inverse(WORLD)
    valid = {name: np.isin(np.arange(count), lost.get(name, []), invert=True) for name in ("hand", "cube")}
    joints = transform_points(camera_from_world, motion.hands["right"].joints)
    joints[~valid["hand"]] = 9.0
    poses = camera_from_world @ motion.objects["cube"].world_from_object
    poses[~valid["cube"], :3, 3] = 9.0
    hand = HandTrack(
        "right",
        joints,
        np.zeros((count, 21, 2)),
        valid["hand"],
        np.zeros(count, bool),
        np.ones(count),
        np.ones(21),
    )
    track = PoseTrack(poses, valid["cube"], np.ones(count))
    plane = TablePlane(WORLD[2, :3], float(WORLD[2, 3]), np.zeros((4, 4)))
    return Trajectory(
        Camera.from_focal(500, 640, 480),
        np.arange(count) / rate,
        {"cube": RigidObject("cube", cube(), track)},
        {"right": hand},
        world_from_camera=WORLD if table else np.eye(4),
        provenance={"world": "table" if table else "camera", "table": {"reason": "nothing is known to rest"}},
        table=plane if table else None,
    )


def test_a_trajectory_becomes_the_motion_that_it_was_made_of() -> None:
    found, made = motion_from_trajectory(trajectory(), "right"), lifting()
    assert np.allclose(found.hands["right"].joints, made.hands["right"].joints)
    assert np.allclose(found.objects["cube"].world_from_object, made.objects["cube"].world_from_object)
    assert not found.notes


def test_missing_frames_are_bridged_and_told() -> None:
    found, made = motion_from_trajectory(trajectory(hand=[7, 8], cube=[20]), "right"), lifting()
    error = np.abs(found.hands["right"].joints - made.hands["right"].joints).max()
    assert error < 0.01
    assert np.allclose(
        found.objects["cube"].world_from_object, made.objects["cube"].world_from_object, atol=0.003
    )
    assert list(np.flatnonzero(found.hands["right"].bridged)) == [7, 8]
    assert any("right hand: 2 of 28 frames were bridged" in n for n in found.notes)


def test_frames_before_the_hand_comes_are_left_out_and_told() -> None:
    found = motion_from_trajectory(trajectory(hand=[0, 1, 2, 3]), "right")
    assert found.num_frames == FRAMES - 4
    assert any("used: 0.13" in n for n in found.notes)


def test_of_a_clip_some_seconds_can_be_taken() -> None:
    made = lifting()
    found = motion_from_trajectory(
        trajectory(), "right", options=MotionOptions(seconds=(4 / RATE, 24 / RATE))
    )
    assert found.num_frames == 21
    assert found.begins == pytest.approx(4 / RATE)
    assert np.allclose(found.hands["right"].joints, made.hands["right"].joints[4:25])
    with pytest.raises(
        InputError, match=r"no frame lies within 2 to 3 s; the trajectory goes from 0 to 0\.9 s"
    ):
        motion_from_trajectory(trajectory(), "right", options=MotionOptions(seconds=(2.0, 3.0)))
    still = MotionOptions(seconds=(0.0, 0.3), shortest=0.1)
    with pytest.raises(InputError, match="no object moves by 30 mm"):
        motion_from_trajectory(trajectory(), "right", options=still)


def test_other_rates_come_at_the_rate_of_controls() -> None:
    found = motion_from_trajectory(trajectory(rate=15.0), "right")
    assert found.num_frames == 2 * FRAMES - 1
    made = lifting().objects["cube"].world_from_object
    assert np.allclose(found.objects["cube"].world_from_object[::2], made, atol=1e-9)
    assert not found.hands["right"].bridged.any(), "frames between two that were filmed are not missing"


@pytest.mark.parametrize(
    ("given", "hand", "objects", "message"),
    [
        ({"table": False}, "right", None, "which way is down .nothing is known to rest"),
        ({}, "left", None, "no left hand; hands that were found: right"),
        ({}, "both", None, "no left hand"),
        ({}, "foot", None, "right, left or both"),
        ({}, "right", ["cup"], "no object 'cup'; there are: cube"),
        ({"hand": list(range(4, 26))}, "right", None, "right hand is missing in"),
        ({"cube": list(range(28))}, "right", None, "no object with a valid pose"),
        ({"cube": list(range(14, 28))}, "right", None, "no object moves by 30 mm"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_a_line(
    given: dict[str, Any], hand: str, objects: list[str] | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        motion_from_trajectory(trajectory(**given), hand, objects)


def test_poses_between_two_are_on_the_way() -> None:
    poses = se3(np.stack([np.eye(3), so3_exp([0, 0, 1.0])]), [[0, 0, 0], [1.0, 0, 0]])
    at = poses_at(np.array([0.0, 1.0]), poses, np.ones(2, bool), np.array([-1.0, 0.25, 2.0]))
    assert np.allclose(at[1], se3(so3_exp([0, 0, 0.25]), [0.25, 0, 0]))
    assert np.allclose(at[0], poses[0])
    assert np.allclose(at[2], poses[1])
    points = points_at(
        np.array([0.0, 1.0]), np.array([[[0.0, 0, 0]], [[2.0, 0, 0]]]), np.ones(2, bool), np.array([0.5])
    )
    assert np.allclose(points, [[[1.0, 0, 0]]])


def test_the_skill_is_cut_around_the_lift() -> None:
    motion = lifting()
    assert abs(lift_start(motion) - LIFT) <= 3
    cut = skill(motion)
    assert cut.num_frames <= FRAMES
    still = replace(
        motion,
        objects={
            "cube": replace(motion.objects["cube"], world_from_object=np.tile(np.eye(4), (FRAMES, 1, 1)))
        },
    )
    with pytest.raises(InputError, match="nothing to plan"):
        skill(still)


def test_smoothing_passes_the_turn_by_which_quaternions_change_sign() -> None:
    angles = np.linspace(2.8, 3.5, FRAMES)
    motion = lifting()
    poses = se3(so3_exp(angles[:, None] * [0, 0, 1.0]), np.zeros((FRAMES, 3)))
    turned = replace(motion, objects={"cube": replace(motion.objects["cube"], world_from_object=poses)})
    found = smoothed(turned, 1.0).objects["cube"].world_from_object
    assert np.allclose(found[5:-5], poses[5:-5], atol=1e-3)


def test_a_mirror_exchanges_the_hands_and_keeps_what_touches() -> None:
    motion = lifting("left")
    other = motion.mirrored()
    assert list(other.hands) == ["right"]
    back = other.mirrored()
    assert np.allclose(back.hands["left"].joints, motion.hands["left"].joints)
    assert np.allclose(back.objects["cube"].world_from_object, motion.objects["cube"].world_from_object)
    here, there = touches_of(motion)[0], touches_of(other)[0]
    assert np.abs(here.distance - there.distance).max() < 0.002
    assert np.linalg.det(other.objects["cube"].world_from_object[3, :3, :3]) == pytest.approx(1.0)


def test_tips_touch_when_the_hand_has_closed() -> None:
    (touch,) = touches_of(lifting())
    thumb = touch.touching[:, touch.joints.index("thumb_tip")]
    assert thumb[LIFT:].all()
    at = touch.point[LIFT, touch.joints.index("thumb_tip")]
    assert at[0] == pytest.approx(-SIDE / 2, abs=2e-3)
    normal = touch.normal[LIFT, touch.joints.index("thumb_tip")]
    assert normal[0] == pytest.approx(-1.0, abs=1e-6)


def _doubts(motion: Any, **placement: Any) -> str:
    stands = {"stands": True, "moved": 0.0, "turned": 0.0, **placement}
    placed = {"cube": Placement(motion.objects["cube"].world_from_object[0], share=1.0, **stands)}
    moving = {"cube": np.arange(FRAMES) >= LIFT}
    return " ".join(doubts(motion, touches_of(motion), placed, moving))


def test_a_good_motion_leaves_no_doubt() -> None:
    assert _doubts(lifting()) == ""


def test_planted_errors_are_doubted() -> None:
    good = lifting()
    thing, hand = good.objects["cube"], good.hands["right"]
    spun = thing.world_from_object.copy()
    spun[:, :3, :3] = so3_exp(np.linspace(0, 6.0, FRAMES)[:, None] * [0.3, 0.9, 0.3])
    wrong = replace(good, objects={"cube": replace(thing, world_from_object=spun)})
    assert "moves over cube" in _doubts(wrong)
    assert "under the table" in _doubts(
        replace(good, hands={"right": replace(hand, joints=hand.joints - [0, 0, 0.06])})
    )
    assert "touched in 0 %" in _doubts(
        replace(good, hands={"right": replace(hand, joints=hand.joints + [0, 0.5, 0])})
    )
    assert "no start near its pose" in _doubts(good, stands=False)
    assert "0.70 rad from where it was seen" in _doubts(good, turned=0.7)


@pytest.mark.parametrize(
    ("first", "last", "doubted"),
    [
        (LIFT - 4, LIFT + 6, True),
        (LIFT - 12, LIFT - 2, False),
        (LIFT + 2, LIFT + 12, False),
        (LIFT - 2, LIFT + 2, False),
    ],
)
def test_an_object_that_is_not_seen_while_it_is_taken_is_doubted(
    first: int, last: int, doubted: bool
) -> None:
    """A gap at rest or in the air is bridged as it should be, and a short one does no harm."""
    motion = lifting()
    unseen = np.isin(np.arange(FRAMES), np.arange(first, last))
    thing = replace(motion.objects["cube"], bridged=unseen)
    told = _doubts(replace(motion, objects={"cube": thing}))
    assert ("while it leaves its place" in told) == doubted
    assert told == "" or "cube is not seen for 0.3 s" in told


def test_a_motion_of_unequal_lengths_is_refused() -> None:
    motion = lifting()
    with pytest.raises(InputError, match="one length"):
        replace(motion, objects={"cube": motion.cut(0, 9).objects["cube"]})
    with pytest.raises(InputError, match="a hand and an object"):
        replace(motion, hands={})


def test_fingers_close_where_they_will_hold() -> None:
    """On its way a finger comes near another side: it does not press there, only at the place it holds later."""
    motion = lifting()
    hand = motion.hands["right"]
    joints = hand.joints.copy()
    tip = JOINT_NAMES.index("thumb_tip")
    joints[4:8, tip] = [0.0, 0.03, SIDE / 2]  # beside the front, not the left side
    passing = replace(motion, hands={"right": replace(hand, joints=joints)})
    moving = {"cube": np.arange(FRAMES) >= LIFT}
    poses = {"cube": motion.objects["cube"].world_from_object}
    (before,), (after,) = touches_of(passing), closing_on_holds(touches_of(passing), moving, poses)
    k = before.joints.index("thumb_tip")
    assert before.touching[5:8, k].any() and np.allclose(before.normal[6, k], [0, 1, 0], atol=1e-6)
    assert np.allclose(after.normal[5:8, k], [-1, 0, 0], atol=1e-6), "it never aims at the front"
    assert after.touching[LIFT - 2, k] and np.allclose(after.normal[LIFT - 2, k], [-1, 0, 0], atol=1e-6)
    assert np.array_equal(after.touching[LIFT:], before.touching[LIFT:]), "while it holds nothing changes"
    assert after.closes[LIFT - 1, k] and not after.closes[LIFT:, k].any()


def _closing(late: Array, **options: float) -> tuple[Touches, Touches]:
    """Touches of a thumb that is 3 cm beside the cube until 0.2 s after it was lifted, then at ``late``."""
    motion = lifting()
    hand = motion.hands["right"]
    joints = hand.joints.copy()
    tip = JOINT_NAMES.index("thumb_tip")
    poses = motion.objects["cube"].world_from_object
    joints[:, tip] = transform_points(poses, np.broadcast_to(late, (FRAMES, 1, 3)))[:, 0]
    joints[: LIFT + 6, tip, 0] -= 0.03
    seen = replace(motion, hands={"right": replace(hand, joints=joints)})
    moving = {"cube": np.arange(FRAMES) >= LIFT}
    touches = touches_of(seen)
    (after,) = closing_on_holds(touches, moving, {"cube": poses}, replace(TouchOptions(), **options))
    return touches[0], after


def test_a_finger_that_is_seen_to_hold_late_closes_with_the_others() -> None:
    before, after = _closing(np.array([-SIDE / 2 - 0.005, 0.0, 0.0]), above=0.01)
    k = before.joints.index("thumb_tip")
    assert not before.touching[:LIFT, k].any()
    assert after.touching[LIFT - 6 :, k].all() and after.closes[LIFT - 6 : LIFT, k].all()
    assert np.allclose(after.point[LIFT - 6 : LIFT + 6, k], [-SIDE / 2, 0.0, 0.0], atol=1e-3)
    _, alone = _closing(np.array([-SIDE / 2 - 0.005, 0.0, 0.0]), grown=0.0)
    assert not alone.touching[LIFT - 6 : LIFT + 4, k].any()
    _, far = _closing(np.array([-SIDE / 2 - 0.005, 0.0, 0.0]), near=0.02)
    assert not far.touching[LIFT - 6 : LIFT + 4, k].any(), "what is that far away comes when it comes"


def test_a_finger_does_not_close_on_what_lies_on_the_table() -> None:
    """A thumb that will hold the cube by its lowest edge comes to it where it is when the cube begins to move."""
    before, after = _closing(np.array([-SIDE / 2 - 0.005, 0.0, -SIDE / 2 + 0.004]))
    k = before.joints.index("thumb_tip")
    assert after.touching[LIFT - 6 : LIFT, k].all()
    assert np.allclose(after.point[LIFT - 6 : LIFT, k], before.point[LIFT, k])
    _, anyway = _closing(np.array([-SIDE / 2 - 0.005, 0.0, -SIDE / 2 + 0.004]), above=0.0)
    assert np.allclose(anyway.point[LIFT - 6 : LIFT, k], before.point[-1, k], atol=1e-6)


def test_a_hand_that_is_known_late_comes_more_slowly() -> None:
    motion = lifting()
    lift = lift_start(motion)
    late = motion.cut(lift - 4, FRAMES)
    found = skill(late)
    before = round(WindowOptions().before * RATE)
    assert lift_start(found) == pytest.approx(before, abs=2)
    assert found.num_frames == late.num_frames + before - 4
    assert "known from 0.1 s" in found.notes[-1]
    assert found.begins == pytest.approx(late.begins - (before - 4) / RATE)
    last, wanted = found.hands["right"].joints[-1], skill(motion).hands["right"].joints[-1]
    assert np.allclose(last, wanted, atol=1e-3), "what follows the lift stays as it was"


def test_slow_frames_are_on_the_way_of_the_fast_ones() -> None:
    motion = lifting()
    slow = motion.slowed(4, 12)
    assert slow.num_frames == FRAMES + 8
    assert np.allclose(slow.hands["right"].joints[::3][:4], motion.hands["right"].joints[:4])
    assert np.allclose(slow.hands["right"].joints[12:], motion.hands["right"].joints[4:])
