"""Hands and contacts against themselves, against nothing, and with a hand left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.data import HandTrack
from dexman_pose.datasets.recording import Recording
from dexman_pose.evaluation.hand_scoring import score_contacts, score_hands
from dexman_pose.evaluation.prediction import Prediction, truth_as_prediction
from dexman_pose.evaluation.protocol import Protocol

PROTOCOL = Protocol("p", "t", "taco")


def hand(recording: Recording, side: str, offset: float) -> HandTrack:
    """A stiff hand whose index tip stays at the tool's centre, or ``offset`` metres beside it."""
    count = recording.num_frames
    tool = recording.objects["tool"]
    shape = np.random.default_rng(0).normal(0, 0.03, (21, 3)) + [0, -0.2, 0]
    shape[8] = tool.mesh.center + [offset, 0, 0]
    poses = tool.camera_from_object
    joints = shape @ poses[:, :3, :3].transpose(0, 2, 1) + poses[:, None, :3, 3]
    yes = np.ones(count, bool)
    return HandTrack(
        side, joints, recording.camera.project(joints), yes, ~yes, np.ones(count), np.full(21, 0.03)
    )


@pytest.fixture
def handled(recording: Recording) -> Recording:
    return replace(
        recording, hands={"right": hand(recording, "right", 0.0), "left": hand(recording, "left", 0.4)}
    )


def test_the_truth_has_no_error_and_all_its_contacts(handled: Recording) -> None:
    found = truth_as_prediction(handled)
    for scores in score_hands(handled, found, PROTOCOL):
        assert scores.valid.all() and set(scores.joints) == {"none", "root", "procrustes"}
        assert max(e.max() for e in scores.joints.values()) < 1e-9
    (contacts,) = score_contacts(handled, found, PROTOCOL)
    assert (contacts.precision, contacts.recall, contacts.f_score) == (1.0, 1.0, 1.0)
    assert contacts.penetration_m > 0.01  # the tip is at the centre of the tool
    assert contacts.frames == 20


def test_a_shifted_hand_errs_by_the_shift_and_not_at_all_once_its_root_is_aligned(handled: Recording) -> None:
    moved = replace(handled.hands["right"], joints=handled.hands["right"].joints + [0.0, 0.03, 0.04])
    (right,) = [
        s for s in score_hands(handled, Prediction({}, {"right": moved}), PROTOCOL) if s.side == "right"
    ]
    np.testing.assert_allclose(right.joints["none"], 0.05)
    assert right.joints["root"].max() < 1e-9


def test_a_hand_that_is_not_predicted_fails_in_every_frame_and_loses_its_contacts(handled: Recording) -> None:
    found = truth_as_prediction(handled)
    found = replace(found, hands={"left": handled.hands["left"]})
    right = next(s for s in score_hands(handled, found, PROTOCOL) if s.side == "right")
    assert len(right.frames) == 20 and not right.valid.any()
    (contacts,) = score_contacts(handled, found, PROTOCOL)
    assert contacts.recall == 0.0 and contacts.f_score == 0.0


def test_a_shorter_hand_leaves_the_rest_without_a_prediction(handled: Recording) -> None:
    whole = handled.hands["right"]
    short = HandTrack(
        "right", whole.joints[:12], whole.joints_2d[:12], whole.valid[:12], whole.bridged[:12],
        whole.confidence[:12], whole.bone_lengths,
    )  # fmt: skip
    found = replace(truth_as_prediction(handled), hands={"right": short})
    right = next(s for s in score_hands(handled, found, PROTOCOL) if s.side == "right")
    assert right.valid.sum() == 12
    assert score_contacts(handled, found, PROTOCOL)[0].recall < 0.7


def test_predictions_of_objects_alone_have_no_contact_scores(handled: Recording) -> None:
    assert score_contacts(handled, replace(truth_as_prediction(handled), hands={}), PROTOCOL) == []
