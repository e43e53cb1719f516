"""A tiny grasp in files: the demonstration's tin, taken and lifted by a right hand, as a camera would measure it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.synthetic.demo.clip import SyntheticClip
from dexman_pose.synthetic.demo.files import DemoTruth, write_obj
from dexman_pose.synthetic.grasps.placed import PlacedGrasp, place_grasp
from dexman_pose.synthetic.grasps.recorded import RecordedGrasp, read_grasp

FRAMES, LENGTH = 16, 28
"""Frames that are kept, of a clip of so many: reaching, taking, lifting."""
TO_MANO = np.argsort([0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20])


@pytest.fixture(scope="session")
def tin_truth() -> DemoTruth:
    """What is true in the clip the grasp is taken from."""
    return SyntheticClip(LENGTH, 160, 120).truth


@pytest.fixture(scope="session")
def grasp_folder(tmp_path_factory: pytest.TempPathFactory, tin_truth: DemoTruth) -> Path:
    """A folder with ``grasps/tin.npz`` and ``meshes/tin/tin.obj``."""
    root = tmp_path_factory.mktemp("grasp")
    (root / "grasps").mkdir()
    valid = np.ones(FRAMES, np.bool_)
    valid[:2] = False
    joints = tin_truth.joints[:FRAMES].copy()
    joints[~valid] = 0.0
    np.savez(
        root / "grasps" / "tin.npz",
        T_cam_obj=tin_truth.camera_from_object[:FRAMES],
        hand_joints_cam=joints[:, TO_MANO],
        hand_valid=valid,
        side="right",
        object="tin",
        joint_order="HO3D",
    )
    write_obj(root / "meshes" / "tin" / "tin.obj", SyntheticClip(1, 64, 48).mesh)
    return root


@pytest.fixture(scope="session")
def recorded(grasp_folder: Path) -> RecordedGrasp:
    """The grasp, read."""
    return read_grasp(grasp_folder / "grasps" / "tin.npz", grasp_folder / "meshes")


@pytest.fixture(scope="session")
def placed(recorded: RecordedGrasp) -> PlacedGrasp:
    """The grasp on its table."""
    return place_grasp(recorded)
