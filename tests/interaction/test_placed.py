"""Joints measured in space as evidence, and tracks that tremble solved with the hand that carries the object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.data import PoseTrack
from dexman_pose.interaction.fit import fit_placed
from dexman_pose.interaction.options import GripOptions
from dexman_pose.interaction.placed import placed_hand
from dexman_pose.metrics.points import add
from dexman_pose.optimize.problem import move_poses
from tests.hands.model.second_order import assert_second_order

FRAMES = 40


def _noisy(grasp: Callable[..., Any], seed: int = 0) -> tuple[Any, Any, Any]:
    """The scene with exact tracks, and object and hand as they tremble."""
    scene = grasp(frames=FRAMES)
    rng = np.random.default_rng(seed)
    poses = scene.bar.camera_from_object
    twists = np.repeat([0.005, 0.05], 3) * rng.standard_normal((FRAMES, 6))
    valid = np.ones(FRAMES, bool)
    valid[5:-5:5] = False
    track = PoseTrack(move_poses(poses, twists, scene.bar.mesh.center), valid, valid.astype(float))
    joints = scene.joints + rng.normal(0.0, 0.004, scene.joints.shape)
    hand = replace(scene.hand, joints=joints, scale_source="given")
    return scene, replace(scene.bar, track=track), hand


def test_evidence_is_its_residuals_to_second_order(grasp: Callable[..., Any]) -> None:
    scene, _, hand = _noisy(grasp)
    placed = placed_hand(hand, scene.times).placed
    assert placed is not None
    assert_second_order(placed, scene.joints, 1e-7)


def test_bridged_frames_count_less(grasp: Callable[..., Any]) -> None:
    scene, _, hand = _noisy(grasp)
    bridged = np.zeros(FRAMES, bool)
    bridged[7] = True
    placed = placed_hand(replace(hand, bridged=bridged), scene.times, sigma=0.004).placed
    assert placed is not None
    ratio = placed.single / np.median(placed.single)
    assert ratio[7] == pytest.approx(GripOptions().placed.bridged) and ratio[6] == pytest.approx(1.0)
    assert np.linalg.eigvalsh(placed.information[7])[0] < np.linalg.eigvalsh(placed.information[6])[0]


def _off(bar: Any, poses: Array) -> float:
    return float(add(poses, bar.camera_from_object, bar.mesh.vertices).mean())


def test_object_and_hand_come_nearer_to_the_truth_together(grasp: Callable[..., Any]) -> None:
    scene, bar, hand = _noisy(grasp)
    found = fit_placed({"bar": bar}, {"right": hand}, scene.times)
    seen = bar.valid
    track = PoseTrack(scene.bar.camera_from_object[seen], seen[seen], np.ones(seen.sum()))
    before = _off(replace(scene.bar, track=track), bar.camera_from_object[seen])
    assert _off(scene.bar, found.objects["bar"].camera_from_object) < 0.6 * before
    errors = [np.linalg.norm(h.joints - scene.joints, axis=-1).mean() for h in (hand, found.hands["right"])]
    assert errors[1] < 0.75 * errors[0]
    assert found.report["right"]["fit"] == "contact"
    np.testing.assert_array_equal(found.objects["bar"].valid, seen)


def test_objects_whose_tracks_are_steady_stay_as_they_are(grasp: Callable[..., Any]) -> None:
    scene, _, hand = _noisy(grasp)
    found = fit_placed({"bar": scene.bar}, {"right": hand}, scene.times)
    assert found.objects["bar"] is scene.bar
