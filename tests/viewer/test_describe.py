"""Numbers and sentences about a trajectory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.data import Camera, Doubt, Trajectory
from dexman_pose.data.world.table import TablePlane
from dexman_pose.viewer import describe
from dexman_pose.viewer._text import frame_ranges, percent
from dexman_pose.viewer.describe import (
    contact_text,
    summarize_hand,
    summarize_object,
    touching_fingers,
)
from dexman_pose.viewer.notices import doubt_text, notices


def test_frame_ranges() -> None:
    flags = np.zeros(12, bool)
    assert frame_ranges(flags) == ""
    flags[[0, 3, 4, 5, 11]] = True
    assert frame_ranges(flags) == "0, 3-5, 11"
    assert frame_ranges(np.arange(40) % 2 == 0, limit=3) == "0, 2, 4 and 17 more ranges"


def test_percent_is_whole_only_when_it_is() -> None:
    assert [percent(x) for x in (0.0, 0.001, 0.5, 0.999, 1.0)] == ["0 %", "<1 %", "50 %", ">99 %", "100 %"]


def test_object_figures_are_over_valid_frames(trajectory: Trajectory) -> None:
    track = trajectory.objects["cube"].track
    assert track.mask_iou is not None
    track.mask_iou[:] = np.linspace(0.5, 1.0, 24)
    track.mask_iou[11] = 0.0  # not valid
    found = summarize_object(trajectory.objects["cube"])
    assert found.valid == pytest.approx(20 / 24)
    assert found.confidence == pytest.approx(0.95)
    assert (found.worst_iou, found.worst_frame) == (0.5, 0)
    assert found.mean_iou == pytest.approx(track.mask_iou[track.valid].mean())
    assert found.extents == pytest.approx((0.09, 0.09, 0.09))


def test_object_never_valid_has_no_figures(trajectory: Trajectory) -> None:
    trajectory.objects["cube"].track.valid[:] = False
    found = summarize_object(trajectory.objects["cube"])
    assert (found.valid, found.confidence, found.mean_iou, found.worst_iou) == (0.0, None, None, None)
    assert "cube: valid in 0 %" in describe(trajectory)


def test_hand_shares(trajectory: Trajectory) -> None:
    found = summarize_hand(trajectory, "left")
    assert (found.detected, found.bridged) == (pytest.approx(16 / 24), pytest.approx(3 / 24))
    assert set(found.touching) == {"cube", "ball"} and found.touching["ball"] == 0.0


def test_contact_text(trajectory: Trajectory) -> None:
    assert trajectory.contacts is not None
    row = trajectory.contacts.pairs.index(("right", "cube"))
    trajectory.contacts.touching[:] = False
    trajectory.contacts.touching[row, 8, [4, 7, 8]] = True
    assert contact_text(trajectory, "right", 8) == "right hand: cube (thumb, index)"
    assert contact_text(trajectory, "right", 9) == "right hand: no contact"
    assert contact_text(trajectory, "right", 3) == "right hand: no contact [bridged]"
    assert contact_text(trajectory, "left", 23) == "left hand: not seen"
    assert touching_fingers(np.ones(21, bool)) == ["thumb", "index", "middle", "ring", "pinky", "wrist"]


def test_notices_name_every_assumption(trajectory: Trajectory) -> None:
    seen = np.ones(12, bool)
    seen[:3] = False
    cube = trajectory.objects["cube"]
    trajectory.objects["cube"] = replace(cube, mesh=replace(cube.mesh, seen=seen, source="silhouette"))
    del trajectory.hands["right"]
    assumed = replace(trajectory.camera, source="assumed")
    text = "\n".join(notices(replace(trajectory, camera=assumed, provenance={"notices": ["mind the gap"]})))
    assert "field of view of 49 degrees was assumed" in text
    assert "cube: nothing fixed its metric size" in text
    assert "cube: 25 % of its faces were never seen" in text
    assert "cube: no usable pose in 4 of 24 frames: 10-13." in text
    assert "ball: its size follows from the size of the hand" in text
    assert "The left hand is absent in 5 of 24 frames: 19-23." in text
    assert "interpolated in 3 frames: 2-4" in text
    assert "The right hand was never seen." in text
    assert "mind the gap" in text


def test_doubts_tell_a_lost_pose_from_a_lost_mask(trajectory: Trajectory) -> None:
    cube = trajectory.objects["cube"]
    doubt = np.zeros(len(cube.track), np.uint16)
    doubt[10:14] = Doubt.NO_POSE
    doubt[3:5], doubt[6] = Doubt.COLORS | Doubt.EDGES, Doubt.MASK_LOST
    valid = cube.track.valid.copy()
    valid[3:5] = False
    judged = replace(cube, track=replace(cube.track, valid=valid, doubt=doubt))
    assert doubt_text(judged) == (
        "pose lost in frames 10-13 (not in sight); pose lost in frames 3-4 (colours disagree); "
        "mask lost but pose kept in frames 6"
    )
    text = describe(replace(trajectory, objects={**trajectory.objects, "cube": judged}))
    assert "cube: pose lost in frames 10-13 (not in sight)" in text
    assert doubt_text(cube) == ""


def test_nothing_assumed_needs_no_notice(trajectory: Trajectory) -> None:
    for name, obj in trajectory.objects.items():
        trajectory.objects[name] = replace(obj, scale_source="given")
        obj.track.valid[:] = True
    for side, hand in trajectory.hands.items():
        trajectory.hands[side] = replace(hand, scale_source="depth")
        hand.valid[:], hand.bridged[:] = True, False
    assert notices(trajectory) == []
    assert "to note" not in describe(trajectory)


@pytest.mark.parametrize(
    ("settings", "said"), [({"hands": None}, False), ({"hands": "mediapipe"}, True), ({}, True)]
)
def test_hands_that_were_left_out_are_not_called_unseen(
    trajectory: Trajectory, settings: dict[str, str | None], said: bool
) -> None:
    bare = replace(trajectory, hands={}, contacts=None, provenance={"settings": settings})
    text = "\n".join(notices(bare))
    assert ("The left hand was never seen." in text) is said
    assert ("The right hand was never seen." in text) is said


def test_empty_trajectory() -> None:
    text = describe(Trajectory(Camera.from_focal(500, 640, 480), np.zeros(0)))
    assert "0 frames" in text and "no objects" in text and "no hands" in text


def test_a_camera_of_another_resolution_is_told(trajectory: Trajectory) -> None:
    """Given as a Camera it may be that of a crop: it is used, but not without a word."""
    camera = trajectory.camera
    doubled = camera.K * [[2.0], [2.0], [1.0]]
    odd = replace(trajectory, camera=replace(camera, K=doubled))
    assert any("cut out of a larger one" in text for text in notices(odd))
    assert not any("cut out of a larger one" in text for text in notices(trajectory))
    lens = replace(trajectory, filmed_camera=replace(camera, distortion=np.array([-0.2, 0.05, 0.0, 0.0])))
    assert "undistorted from a brown-conrady lens" in describe(lens)


def test_the_table_is_told_in_one_line(trajectory: Trajectory) -> None:
    assert "world:" not in describe(trajectory)
    covariance = np.diag([np.radians(1.5) ** 2] * 3 + [0.0])
    many = tuple(f"thing {k} at rest" for k in range(6))
    for evidence, words in ((many[:1], "thing 0 at rest: "), (many, "thing 3 at rest; and 2 more: ")):
        table = TablePlane([0.0, -1.0, 0.0], 0.412, covariance, evidence)
        (line,) = [
            x for x in describe(replace(trajectory, table=table)).splitlines() if x.startswith("world")
        ]
        assert line.endswith(f"{words}+-1.5 degrees; the camera is 412 mm above the table")
