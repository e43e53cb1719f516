"""The stage of the grips: what it keeps comes back, and people are told what was done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Camera, Clip, HandObservations, HandTrack
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.pipeline.inputs import Fingerprints, Inputs
from dexman_pose.pipeline.with_contact.stage import GrippingHands, grips_stage

FRAMES = 4
CAMERA = Camera([[200, 0, 31.5], [0, 200, 23.5], [0, 0, 1]], 64, 48)


def _hand() -> HandTrack:
    joints = np.cumsum(np.full((FRAMES, 21, 3), 0.01), axis=1) + [0.0, 0.0, 0.5]
    parents = np.maximum(np.array(JOINT_PARENTS), 0)
    lengths = np.linalg.norm(joints[0] - joints[0, parents], axis=1)
    few = np.arange(FRAMES) < 2  # too few to fit anything: the stage hands it on
    return HandTrack("left", joints, np.zeros((FRAMES, 21, 2)), few, ~few & False, few * 1.0, lengths)


def test_what_the_stage_makes_comes_back_from_its_file(tmp_path: Path) -> None:
    clip = Clip.from_frames(np.zeros((FRAMES, 48, 64, 3), np.uint8))
    inputs = Inputs.check(clip, {"cup": ObjectPrompt(box=[10, 10, 30, 30])}, camera=CAMERA)
    seen = HandObservations(
        np.zeros((FRAMES, 2, 21, 2)),
        np.zeros((FRAMES, 2, 21, 3)),
        np.zeros((FRAMES, 2), bool),
        np.zeros((FRAMES, 2), bool),
        np.zeros((FRAMES, 2)),
    )
    stage = grips_stage(inputs, Fingerprints.of(inputs), {}, {"left": _hand()}, seen, CAMERA)
    made = stage.compute()
    stage.save(made, tmp_path / "grips.npz")
    again = stage.load(tmp_path / "grips.npz")
    assert again.report == made.report == {"handled": [], "hands": {"left": {"fit": "none"}}}
    np.testing.assert_array_equal(again.hands["left"].joints, made.hands["left"].joints)
    assert stage.name == "grips" and {"objects", "lift"} <= set(stage.after)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"fit": "picture"}, []),
        (
            {"fit": "contact", "before": {"gap_mm": 51.0}, "after": {"gap_mm": 2.2}},
            ["The left hand was moved to what it holds: the gap is 2 mm, it was 51 mm by the picture alone."],
        ),
        (
            {"fit": "picture", "refused": [{"fit": "contact"}]},
            [
                "The left hand could not be brought to what it holds without leaving the picture, and does not "
                "touch it."
            ],
        ),
    ],
)
def test_people_are_told(told: dict[str, object], expected: list[str]) -> None:
    assert GrippingHands({}, {"hands": {"left": told}}).notices() == expected
