"""Scores of objects: the truth scores best, known errors are found again."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.benchmarks.scene.scores.objects import score_distances, score_object
from dexman_pose.data import Mesh, PoseTrack, RigidObject, Trajectory
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.synthetic.grasps.record import FilmRecord


def _found(record: FilmRecord, mesh: Mesh, shift: np.ndarray, valid: np.ndarray) -> RigidObject:
    poses = se3(np.eye(3), shift) @ record.truth.camera_from_object[0]
    return RigidObject("box", mesh, PoseTrack(poses, valid, valid.astype(float)))


def test_the_truth_scores_best(record: FilmRecord, meshes: dict[str, Mesh], perfect: Trajectory) -> None:
    scores = score_object(record, 0, meshes["box"], perfect.objects["box"], same=True)
    assert scores["valid"] == 1.0 and scores["add_s_mm"] == pytest.approx(0.0, abs=1e-6)
    assert scores["add_s_auc"] == pytest.approx(1.0) and scores["vsd"] == pytest.approx(0.0, abs=0.02)
    for name in ("rotation_deg", "depth_percent", "scale_percent", "jitter"):
        assert scores[name] == pytest.approx(0.0, abs=1e-5), name
    assert score_distances(record, meshes, perfect)["distance_mm"] == pytest.approx(0.0, abs=1e-6)


def test_a_shift_along_the_ray_is_an_error_of_distance(record: FilmRecord, meshes: dict[str, Mesh]) -> None:
    every = np.ones(record.truth.num_frames, np.bool_)
    found = _found(record, meshes["box"], np.array([0.0, 0.0, 0.02]), every)
    scores = score_object(record, 0, meshes["box"], found, same=True)
    assert 5 < (scores["add_s_mm"] or 0) <= 20 and 2 < (scores["depth_percent"] or 0) < 4
    assert (scores["vsd"] or 0) > 0.2 and scores["rotation_deg"] == pytest.approx(0.0, abs=1e-4)


def test_missing_frames_are_failures(record: FilmRecord, meshes: dict[str, Mesh]) -> None:
    valid = np.arange(record.truth.num_frames) % 2 == 0
    found = _found(record, meshes["box"], np.zeros(3), valid)
    scores = score_object(record, 0, meshes["box"], found, same=True)
    assert (
        scores["valid"] == 0.5
        and scores["add_s_auc"] == pytest.approx(0.5)
        and scores["vsd"] == pytest.approx(0.5, abs=0.02)
    )
    nothing = score_object(record, 0, meshes["box"], None, same=True)
    assert (nothing["valid"], nothing["add_s_auc"], nothing["vsd"]) == (0.0, 0.0, 1.0)
    assert nothing["add_s_mm"] is None


def test_another_mesh_in_another_frame_is_compared_by_its_surface(
    record: FilmRecord, meshes: dict[str, Mesh]
) -> None:
    turn = se3(so3_exp([0.3, -0.8, 0.2]), [0.01, 0.02, -0.03])
    own = Mesh(meshes["box"].vertices @ turn[:3, :3] + turn[:3, :3].T @ turn[:3, 3], meshes["box"].faces)
    poses = record.truth.camera_from_object[0] @ np.linalg.inv(
        se3(turn[:3, :3].T, turn[:3, :3].T @ turn[:3, 3])
    )
    every = np.ones(record.truth.num_frames, np.bool_)
    found = RigidObject("box", own, PoseTrack(poses, every, every.astype(float)))
    scores = score_object(record, 0, meshes["box"], found, same=False)
    assert (scores["add_s_mm"] or 9) < 3.0  # two samples of one surface
    assert scores["vsd"] is None and scores["rotation_deg"] is None
    large = RigidObject("box", own.scaled(1.3), PoseTrack(poses, every, every.astype(float)))
    assert score_object(record, 0, meshes["box"], large, same=False)["scale_percent"] == pytest.approx(
        30, abs=3
    )


def test_objects_that_are_farther_apart_than_in_truth(
    record: FilmRecord, meshes: dict[str, Mesh], perfect: Trajectory
) -> None:
    away = perfect.objects["box"].camera_from_object - perfect.objects["brick"].camera_from_object
    unit = away[0, :3, 3] / np.linalg.norm(away[0, :3, 3])
    found = _found(record, meshes["box"], 0.01 * unit, np.ones(record.truth.num_frames, np.bool_))
    other = Trajectory(perfect.camera, perfect.frame_times, {**perfect.objects, "box": found})
    assert 4 < (score_distances(record, meshes, other)["distance_mm"] or 0) < 10.5
    alone = Trajectory(perfect.camera, perfect.frame_times, {"box": found})
    assert score_distances(record, meshes, alone)["distance_mm"] is None
