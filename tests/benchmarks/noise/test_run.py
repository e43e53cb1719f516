"""The noise bench on a tiny grasp: scores of the truth are perfect, what was noisy comes out nearer to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from dexman_pose.arrays import Array
from dexman_pose.benchmarks.noise.motion import TrueMotion, noisy_motion
from dexman_pose.benchmarks.noise.planted import NoiseOptions
from dexman_pose.benchmarks.noise.run import MotionResult, run_noise
from dexman_pose.benchmarks.noise.scores import MotionScores, PosedHand, score_motion
from dexman_pose.benchmarks.noise.table import as_json, lines, means, worse
from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import se3
from dexman_pose.hands.model.kinematics import SHAPE_NAMES, hand_joints

FRAMES = 12


@pytest.fixture(scope="module")
def true() -> TrueMotion:
    """A box that a right hand carries upwards."""
    box = trimesh.creation.box((0.06, 0.08, 0.1)).subdivide()
    mesh = Mesh(np.asarray(box.vertices), np.asarray(box.faces))
    poses = se3(np.eye(3), np.stack([np.zeros(FRAMES), -0.01 * np.arange(FRAMES), np.full(FRAMES, 0.7)], 1))
    joints = _joints(poses)
    touching = np.zeros((FRAMES, 5), bool)
    touching[:, :2] = True
    held = np.arange(FRAMES) > 2
    camera = Camera.from_focal(600, 640, 480)
    up = np.array([0.0, -1.0, 0.0])
    return TrueMotion("box", mesh, "right", camera, poses, joints, touching, held, up, 0.04)


def _places(poses: Array) -> Array:
    return poses @ se3(np.eye(3), [-0.1, 0.0, 0.08])


def _joints(poses: Array) -> Array:
    return hand_joints(np.zeros(len(SHAPE_NAMES)), np.zeros((len(poses), 21)), _places(poses))


def _hand(true: TrueMotion) -> PosedHand:
    poses = true.camera_from_object
    return PosedHand(
        true.joints, "right", np.zeros(len(SHAPE_NAMES)), np.zeros((len(poses), 21)), _places(poses)
    )


def test_the_truth_has_no_errors(true: TrueMotion) -> None:
    found = score_motion(true, true.camera_from_object, _hand(true), true.touching)
    for name in ("object_mm", "object_s_mm", "shift_mm", "turn_deg", "joint_mm", "slip_mm"):
        assert found.as_dict()[name] == pytest.approx(0.0, abs=1e-6), name
    assert found.contact_f == 1.0


def test_errors_are_as_large_as_they_are(true: TrueMotion) -> None:
    moved = true.camera_from_object.copy()
    moved[:, 0, 3] += 0.004
    found = score_motion(true, moved, _hand(true), ~true.touching)
    assert found.object_mm == pytest.approx(4.0) and found.shift_mm == pytest.approx(4.0)
    assert found.turn_deg == pytest.approx(0.0) and found.joint_mm == pytest.approx(0.0)
    assert found.slip_mm == pytest.approx(0.0, abs=1e-9) and found.contact_f == 0.0
    moved[::2, 0, 3] += 0.002
    assert score_motion(true, moved, _hand(true), true.touching).slip_mm == pytest.approx(2.0)


def test_noise_is_the_same_for_the_same_seed(true: TrueMotion) -> None:
    one, same, other = (noisy_motion(true, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.thing.camera_from_object, same.thing.camera_from_object)
    np.testing.assert_array_equal(one.hand.joints, same.hand.joints)
    assert np.abs(one.hand.joints - other.hand.joints).max() > 1e-3
    assert one.hand.bridged.sum() == round(NoiseOptions().dropped * FRAMES) and one.hand.valid.all()
    # The plane is off by as much as it says.
    off = np.arccos(np.clip(one.table.normal @ true.normal, -1, 1))
    assert 0 < off < 5 * one.table.normal_std


def _result(name: str, object_mm: tuple[float, float], joint_mm: tuple[float, float]) -> MotionResult:
    before, after = (MotionScores(o, o, o, 5.0, j, 9.0, 0.5, 8.0, 0.8) for o, j in zip(object_mm, joint_mm))
    return MotionResult(name, 1, before, after, 1.0)


def test_the_table_says_what_was_met_and_what_grew() -> None:
    results = [_result("a", (10.0, 5.0), (8.0, 8.1)), _result("b", (10.0, 5.0), (8.0, 8.4))]
    assert means(results)["object_mm"] == (10.0, 5.0)
    assert worse(results) == ["b, seed 1: hand: joints 8.00 to 8.40 mm"]
    text = "\n".join(lines(results, NoiseOptions()))
    assert "-50 % mm        met" in text and "missed" in text
    assert as_json(results, NoiseOptions())["worse"] == worse(results)


def test_a_folder_without_grasps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no grasps"):
        run_noise(tmp_path, tmp_path)
