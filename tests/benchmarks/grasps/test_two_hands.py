"""Two grasps at once as a motion, and results as a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.benchmarks.grasps.report import as_markdown
from dexman_pose.benchmarks.grasps.run import GraspJob, GraspResult, run_grasps
from dexman_pose.benchmarks.grasps.two_hands import scene_motion
from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.hands.model.fit import fit_joints
from dexman_pose.synthetic.grasps.scene import Scene, SceneHand, SceneObject
from dexman_pose.synthetic.grasps.view import joints_in_world

FRAMES = 4


def _scene(names: tuple[str, ...]) -> Scene:
    from tests.robot.gripper import cube, joints_over

    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    mesh: Mesh = cube()
    hands = []
    for side in ("left", "right"):
        joints = np.stack([joints_over(0.1, 0.1, 0.04)] * FRAMES)
        rng = np.random.default_rng(0)
        fit = fit_joints(joints + 0.02 * rng.standard_normal((21, 3)), side, np.ones(FRAMES, np.bool_))
        hands.append(SceneHand(fit, fit.angles, fit.frame_from_hand, np.zeros(3)))
    held = np.zeros((2, len(names), FRAMES), np.bool_)
    held[0, 0, 2:] = held[1, 1, 3:] = True
    return Scene("two_hands", tuple(SceneObject(n, mesh, poses) for n in names), tuple(hands), held)


def test_a_scene_becomes_a_motion_of_what_is_held() -> None:
    scene = _scene(("cup", "box_mirrored", "bystander"))
    motion = scene_motion(scene, "a scene")
    assert list(motion.objects) == ["cup", "box"]
    assert list(motion.hands) == ["left", "right"]
    assert np.allclose(motion.hands["right"].joints, joints_in_world(scene, 1))
    same = scene_motion(_scene(("cup", "cup_mirrored")), "a scene")
    assert list(same.objects) == ["cup", "cup_mirrored"], "two of one kind keep their names"


def test_two_hands_need_two_grasps(tmp_path: Path) -> None:
    (tmp_path / "one.npz").write_bytes(b"")
    with pytest.raises(InputError, match=r"two hands need two grasps, but there is one\.npz alone"):
        run_grasps(GraspJob(tmp_path, tmp_path, hand="both"))


def test_a_table_names_its_conditions_and_what_failed(tmp_path: Path) -> None:
    job = GraspJob(tmp_path, tmp_path, robot="g1", hand="right")
    table = as_markdown([GraspResult("cup", 1.0, error="it is not reached")], job)
    assert "Robot g1, hands: right, friction 1; 48 samples, 4 worlds" in table
    assert "| cup | - | it is not reached |" in table
    assert "0 of 1 succeed" in table
