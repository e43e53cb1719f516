"""MANO parameters are read back, and their joints are as near as the file says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Trajectory
from dexman_pose.errors import InputError
from dexman_pose.exports import export
from dexman_pose.exports.scene import world_joints
from dexman_pose.hands.mano.export import read_mano
from dexman_pose.hands.mano.file import load_mano
from dexman_pose.hands.mano.hand import ManoHand
from dexman_pose.synthetic.tiny_datasets.mano import write_small_mano


def test_hands_are_fitted_in_the_world(trajectory: Trajectory, tmp_path: Path) -> None:
    files = write_small_mano(tmp_path)
    path = export(
        trajectory, "mano", tmp_path / "mano.npz", mano_right=files["right"], mano_left=files["left"]
    )
    with np.load(path) as stored:
        told = {side: stored[f"{side}_joint_error"] for side in ("left", "right")}
        frames = {side: stored[f"{side}_joints"] for side in ("left", "right")}
    for side, p in read_mano(path).items():
        assert p.frame == "world"
        hand = ManoHand(load_mano(files[side], side), p.shape, flat_hand_mean=True, left_fixed=p.left_fixed)
        valid = trajectory.hands[side].valid
        np.testing.assert_array_equal(p.valid, valid)
        wanted = world_joints(trajectory, side)[valid]
        off = np.median(np.linalg.norm(frames[side][valid] - wanted, axis=-1), axis=0)
        np.testing.assert_allclose(off, told[side], atol=1e-6)
        assert np.median(off) < 0.006
        np.testing.assert_allclose(p.translation[valid], frames[side][valid, 0], atol=1e-6)
        assert hand.side == side


def test_without_files_it_is_refused_by_name(trajectory: Trajectory, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="your own MANO files: give mano_right"):
        export(trajectory, "mano", tmp_path / "mano.npz")
