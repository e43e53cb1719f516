"""Planted faults are told apart and named; the truth itself raises no alarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.datasets.recording import Recording
from dexman_pose.errors import InputError
from dexman_pose.evaluation.faults import FAULTS, truth_with_fault
from dexman_pose.evaluation.prediction import Prediction, truth_as_prediction
from dexman_pose.evaluation.protocol import Protocol
from dexman_pose.evaluation.scoring import RecordingScores, score_recording

PLAIN = Protocol("p", "t", "taco", depth="none", failure=False, contacts=False, hands=())
EXPECTED = {
    "swapped": "swapped",
    "centimetres": "unit",
    "late": "lag",
    "missing": "missing",
    "flipped": "flipped",
    "xyzw": "misread",
    "transposed": "misread",
}


def scored(
    recording: Recording, prediction: Prediction, symmetry: Callable[..., object], protocol: Protocol = PLAIN
) -> RecordingScores:
    return score_recording(recording, prediction, protocol, symmetry)  # type: ignore[arg-type]


def test_every_fault_has_a_name_here() -> None:
    assert set(EXPECTED) == set(FAULTS)


@pytest.mark.parametrize("fault", sorted(EXPECTED))
def test_a_planted_fault_is_found_and_no_other(
    recording: Recording, no_symmetry: Callable[..., object], fault: str
) -> None:
    found = scored(recording, truth_with_fault(recording, fault), no_symmetry).findings
    assert {f.kind for f in found} == {EXPECTED[fault]}
    assert {f.where for f in found} == {f"{recording.key}/tool", f"{recording.key}/target"}


def test_the_truth_raises_no_alarm_and_has_no_error(
    recording: Recording, no_symmetry: Callable[..., object]
) -> None:
    result = scored(recording, truth_as_prediction(recording), no_symmetry)
    assert result.findings == []
    for scores in result.objects:
        assert scores.valid.all()
        for name, errors in scores.errors.items():
            assert np.abs(errors).max() < 1e-6, name


def test_a_noisy_prediction_raises_no_alarm(recording: Recording, no_symmetry: Callable[..., object]) -> None:
    rng = np.random.default_rng(0)
    truth = truth_as_prediction(recording)
    objects = {}
    for name, o in truth.objects.items():
        poses = o.camera_from_object.copy()
        poses[:, :3, 3] += rng.normal(0, 0.004, (len(poses), 3))
        objects[name] = replace(o, camera_from_object=poses)
    assert scored(recording, replace(truth, objects=objects), no_symmetry).findings == []


def test_gaps_are_listed_by_frame(recording: Recording, no_symmetry: Callable[..., object]) -> None:
    truth = truth_as_prediction(recording)
    valid = np.ones(recording.num_frames, bool)
    valid[[3, 4, 5, 9]] = False
    objects = {name: replace(o, valid=valid) for name, o in truth.objects.items()}
    found = scored(recording, replace(truth, objects=objects), no_symmetry).findings
    assert all("no pose in 4 of 20" in f.text and "3-5, 9" in f.text for f in found)


def test_an_unknown_fault_lists_those_there_are(recording: Recording) -> None:
    with pytest.raises(InputError, match="swapped, centimetres, late, missing, flipped"):
        truth_with_fault(recording, "upside_down")


def test_a_track_that_is_simply_wrong_is_not_explained_away(
    recording: Recording, no_symmetry: Callable[..., object]
) -> None:
    truth = truth_as_prediction(recording)
    poses = truth.objects["target"].camera_from_object.copy()
    poses[:, :3, 3] = truth.objects["tool"].camera_from_object[:, :3, 3] + [0.0, 0.12, 0.4]
    objects = {**truth.objects, "target": replace(truth.objects["target"], camera_from_object=poses)}
    assert scored(recording, replace(truth, objects=objects), no_symmetry).findings == []
