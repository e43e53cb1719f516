"""What is written says how it is read, and is read back so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.errors import InputError
from dexman_pose.hands.mano.export import read_mano, write_mano
from dexman_pose.hands.mano.file import ManoFile
from dexman_pose.hands.mano.fit import ManoCoding, fit_mano
from dexman_pose.hands.mano.hand import ManoHand
from dexman_pose.hands.mano.parameters import parameter_joints

TIMES = np.arange(3) / 30.0


@pytest.mark.parametrize("coding", [ManoCoding(), ManoCoding(False, 20, None, False, "manopth")])
def test_there_and_back(tmp_path: Path, mano_files: dict[str, ManoFile], coding: ManoCoding) -> None:
    joints = {
        side: ManoHand(file, flat_hand_mean=True).joints()
        + [0.0, 0.0, 0.5]
        + 0.01 * np.arange(3)[:, None, None]
        for side, file in mano_files.items()
    }
    fits = {side: fit_mano(joints[side], file, coding=coding) for side, file in mano_files.items()}
    path = write_mano(tmp_path / "deep" / "mano.npz", fits, joints, TIMES)
    found = read_mano(path)
    with np.load(path, allow_pickle=False) as arrays:
        options = json.loads(str(arrays["options"]))
        assert options["frame"] == "camera" and options["units"] == "metres, radians"
        assert (
            options["flat_hand_mean"] == coding.flat_hand_mean and options["left_fixed"] == coding.left_fixed
        )
        np.testing.assert_array_equal(arrays["frame_times"], TIMES)
        for side, file in mano_files.items():
            fit, read = fits[side], found[side]
            np.testing.assert_allclose(parameter_joints(read, file, tips=coding.tips), fit.joints, atol=1e-12)
            np.testing.assert_array_equal(arrays[f"{side}_tips"], fit.hand.tips)
            expected = np.median(np.linalg.norm(arrays[f"{side}_joints"] - joints[side], axis=-1), axis=0)
            np.testing.assert_allclose(arrays[f"{side}_joint_error"], expected, atol=1e-12)


def test_other_files_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", right_pose=np.zeros((1, 48)))
    with pytest.raises(InputError, match="no file of MANO parameters"):
        read_mano(tmp_path / "other.npz")
    with pytest.raises(InputError, match=r"none\.npz"):
        read_mano(tmp_path / "none.npz")
    with pytest.raises(InputError, match="no hand"):
        write_mano(tmp_path / "m.npz", {}, {}, TIMES)
