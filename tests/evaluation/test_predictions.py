"""Predictions in every form are read as the same poses; what is missing is not valid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import PoseTrack, Trajectory
from dexman_pose.datasets.bop.results import BopEstimate, write_bop_results
from dexman_pose.datasets.recording import Recording
from dexman_pose.errors import InputError
from dexman_pose.evaluation.prediction import truth_as_prediction
from dexman_pose.evaluation.predictions import (
    bop_object,
    bop_scene,
    check_predictions,
    load_prediction,
    to_bop,
)


def saved(recording: Recording, folder: Path, count: int) -> None:
    """A trajectory of the first frames of the truth, under the meshes' ids."""

    objects = {}
    for name, o in recording.objects.items():
        track = PoseTrack(o.camera_from_object[:count], o.valid[:count], np.ones(count))
        objects[recording.object_ids[name]] = replace(o, name=recording.object_ids[name], track=track)
    folder.mkdir(parents=True)
    Trajectory(recording.camera, recording.frame_times[:count], objects).save(folder / "trajectory.npz")


def test_a_trajectory_is_found_by_name_and_view_and_objects_by_their_ids(
    recording: Recording, tmp_path: Path
) -> None:
    saved(recording, tmp_path / recording.name / recording.view, recording.num_frames)
    found = load_prediction(tmp_path, recording)
    assert found is not None and not found.notes
    for name, o in found.objects.items():
        np.testing.assert_allclose(o.camera_from_object, recording.objects[name].camera_from_object)
        assert o.valid.all() and o.mesh is not None


def test_a_shorter_trajectory_leaves_frames_without_a_pose_and_says_so(
    recording: Recording, tmp_path: Path
) -> None:
    saved(recording, tmp_path / recording.name, 15)
    found = load_prediction(tmp_path, recording)
    assert found is not None and found.notes == ("15 frames predicted, 20 recorded",)
    assert all(o.valid.sum() == 15 and not o.valid[15:].any() for o in found.objects.values())


def test_nothing_for_a_recording_is_no_prediction(recording: Recording, tmp_path: Path) -> None:
    assert load_prediction(tmp_path, recording) is None


def test_bop_rows_come_back_and_the_best_score_counts(recording: Recording, tmp_path: Path) -> None:
    rows = to_bop(recording, truth_as_prediction(recording))
    assert (bop_scene(recording), bop_object(recording, "tool")) == (20230101001, 49)
    worse = np.eye(4)
    worse[2, 3] = 2.0
    rows += [BopEstimate(bop_scene(recording), 3, 49, 0.5, worse)]
    rows = [r for r in rows if not (r.obj_id == 17 and r.im_id == 8)]
    path = tmp_path / "rows.csv"
    write_bop_results(path, rows)
    found = load_prediction(path, recording)
    assert found is not None
    tool, target = found.objects["tool"], found.objects["target"]
    np.testing.assert_allclose(
        tool.camera_from_object, recording.objects["tool"].camera_from_object, atol=1e-9
    )
    assert np.flatnonzero(~target.valid).tolist() == [8]


def test_two_instances_of_an_object_get_the_estimates_nearest_to_them(
    recording: Recording, tmp_path: Path
) -> None:

    twins = replace(recording, object_ids={"tool": "007", "target": "007"})
    rows = to_bop(twins, truth_as_prediction(twins))
    path = tmp_path / "rows.csv"
    write_bop_results(path, rows[::-1])
    found = load_prediction(path, twins)
    assert found is not None
    for name, o in found.objects.items():
        np.testing.assert_allclose(o.camera_from_object, twins.objects[name].camera_from_object, atol=1e-9)


def test_predictions_that_cannot_be_read_are_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="do not exist"):
        check_predictions(tmp_path / "nowhere")
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"bad\.csv"):
        check_predictions(tmp_path / "bad.csv")
    check_predictions("truth")
