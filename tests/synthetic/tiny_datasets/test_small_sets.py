"""The tiny datasets are what their formats say: read here with nothing but the standard library and numpy."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from dexman_pose.synthetic.tiny_datasets.dexycb import write_small_dexycb
from dexman_pose.synthetic.tiny_datasets.ho3d import write_small_ho3d
from dexman_pose.synthetic.tiny_datasets.oakink2 import OAKINK2_NAME, write_small_oakink2


def test_dexycb_codes_absence_as_zeros_and_minus_one(tmp_path: Path) -> None:
    truth = write_small_dexycb(tmp_path)["836212060125"]
    view = tmp_path / "20200709-subject-01/20200709_141754/836212060125"
    with np.load(view / "labels_000000.npz") as labels:
        assert (labels["pose_y"][1] == 0).all() and (labels["joint_3d"] == -1).all()
        assert (labels["pose_m"] == 0).all() and labels["pose_m"].shape == (1, 51)
    with np.load(view / "labels_000001.npz") as labels:
        np.testing.assert_allclose(labels["pose_y"][1], truth.poses["025_mug"][1, :3], atol=1e-6)
        assert set(np.unique(labels["seg"])) == {0, 1, 14, 255}
    meta = yaml.safe_load((view.parent / "meta.yml").read_text())
    assert meta["extrinsics"] == 20200702151821  # what YAML makes of the bare name


def test_ho3d_is_in_opengl_axes(tmp_path: Path) -> None:
    truth = write_small_ho3d(tmp_path)["ABF10"]
    entry = pickle.loads((tmp_path / "train/ABF10/meta/0000.pkl").read_bytes())
    assert entry["objTrans"][2] < 0 and (entry["handJoints3D"][:, 2] < 0).all()
    pixel = entry["camMat"] @ (entry["objTrans"] * [1, -1, -1])
    expected = truth.camera.project(truth.poses["025_mug"][0, :3, 3])
    np.testing.assert_allclose(pixel[:2] / pixel[2], expected)
    unannotated = pickle.loads((tmp_path / "train/ABF10/meta/0001.pkl").read_bytes())
    assert all(value is None for value in unannotated.values())


def test_oakink2_is_keyed_by_mocap_numbers(tmp_path: Path) -> None:
    write_small_oakink2(tmp_path)
    entry = pickle.loads((tmp_path / "anno_preview" / f"{OAKINK2_NAME}.pkl").read_bytes())
    assert list(entry["raw_mano"]) == entry["frame_id_list"] == [8, 12, 16, 20]
    coefficients = entry["raw_mano"][8]["rh__pose_coeffs"]
    assert tuple(coefficients.shape) == (1, 16, 4) and (coefficients[..., 0] > 0).all()  # w first
    assert 12 not in entry["obj_transf"]["O02@0010@00002"] and "lh__tsl" not in entry["raw_mano"][16]
    program = json.loads((tmp_path / "program/program_info" / f"{OAKINK2_NAME}.json").read_text())
    assert list(program) == ["((8, 16), None)", "(None, (6, 20))"]
    with Image.open(tmp_path / "data" / OAKINK2_NAME / "200" / "000012.jpg") as image:
        assert image.size == (96, 72)
