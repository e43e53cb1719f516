"""Results by name, and what results say of themselves in one line."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import dexman_pose as dp
from dexman_pose.data import HandObservations, HandTrack
from dexman_pose.errors import MissingNameError

CAMERA = dp.Camera.from_focal(500.0, 640, 480)
MESH = dp.Mesh(
    [[0, 0, 0], [0.1, 0, 0], [0, 0.08, 0], [0, 0, 0.05]], [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]
)
TRACK = dp.PoseTrack(np.tile(np.eye(4), (3, 1, 1)), [1, 0, 1], [1.0, 0.0, 0.5])
CUP = dp.RigidObject("cup", MESH, TRACK)
HAND = HandTrack(
    "left", np.zeros((3, 21, 3)), np.zeros((3, 21, 2)), [1, 1, 0], [0, 1, 0], [1, 1, 0], np.zeros(21)
)
RESULT = dp.Trajectory(CAMERA, [0.0, 0.1, 0.2], {"cup": CUP, "red bowl": CUP}, {"left": HAND})


def test_a_name_that_is_not_there_is_answered_with_those_that_are() -> None:
    for kind in (KeyError, dp.InputError, dp.DexmanError, MissingNameError):
        with pytest.raises(kind) as caught:
            RESULT.objects["mug"]
        assert str(caught.value) == "no object named 'mug'; there are: cup, red bowl"
    with pytest.raises(KeyError, match="no hand named 'right'; there are: left"):
        RESULT.hands["right"]
    with pytest.raises(KeyError, match="no hand was seen"):
        dp.Trajectory(CAMERA, [0.0]).hands["left"]


def test_results_by_name_are_dicts() -> None:
    assert RESULT.objects == {"cup": CUP, "red bowl": CUP} and list(RESULT.objects) == ["cup", "red bowl"]
    assert RESULT.objects.get("mug") is None and "mug" not in RESULT.objects and RESULT.objects["cup"] is CUP
    assert list(pickle.loads(pickle.dumps(RESULT)).objects) == ["cup", "red bowl"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (CAMERA, "Camera(640x480, fx 500, fy 500, cx 319.5, cy 239.5, given)"),
        (MESH, "Mesh(4 vertices, 4 faces, 100 x 80 x 50 mm, plain, file)"),
        (TRACK, "PoseTrack(3 frames, 2 valid)"),
        (HAND, "HandTrack(left, 3 frames, 2 valid, 1 of them bridged, size from hand)"),
        (dp.DepthSequence.from_arrays(np.ones((2, 4, 6))), "2 images of 6x4"),
        (dp.MaskSequence(("cup",), 4, 6, 2), "MaskSequence(2 frames of 6x4: cup)"),
        (dp.ObjectPrompt(box=(1, 2, 3, 4)), "ObjectPrompt(box 1, 2, 3, 4, frame 0)"),
        (dp.ObjectPrompt(mask=np.ones((4, 6)), mesh="cup.obj"), "mask of 24 pixels"),
        (CUP, "RigidObject('cup', Mesh(4 vertices"),
        (RESULT, "Trajectory(3 frames, cup (2 valid), red bowl (2 valid), left hand (2 valid), Camera("),
        (
            HandObservations(
                np.zeros((2, 2, 21, 2)), np.zeros((2, 2, 21, 3)), [[1, 0], [1, 0]], np.zeros((2, 2)), np.ones((2, 2))
            ),
            "HandObservations(2 frames, left seen in 2, right in 0)",
        ),
    ],
)  # fmt: skip
def test_what_a_result_says_of_itself(value: Any, said: str) -> None:
    assert said in repr(value)
    assert "\n" not in repr(value) and len(repr(value)) < 250


def test_contacts_and_clips_and_estimates_say_what_they_hold() -> None:
    touching = np.zeros((1, 3, 21), bool)
    touching[0, 1, 4] = True
    contacts = dp.Contacts(
        [("left", "cup")],
        np.zeros((1, 3, 21)),
        touching,
        np.zeros((1, 3, 21, 3)),
        np.ones((1, 3)),
        0.01,
        0.02,
    )
    assert repr(contacts) == "Contacts(3 frames: left on cup in 1)"
    estimate = dp.pose.PoseEstimate(np.eye(4), 1.5, 0.97, True, np.eye(6), doubts=("colours disagree",))
    assert repr(estimate) == (
        "PoseEstimate(not valid (colours disagree), at (0, 0, 0) m, score 1.5, mask_iou 0.97, scale 1 (given), "
        "0 alternatives)"
    )
    assert "2 frames of 6x4" in repr(dp.Clip.from_frames(np.zeros((2, 4, 6, 3), np.uint8)))
