"""MANO parameters without joints become joints that hands are read from, whatever their structure."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.cli.main import main
from dexman_pose.data import Camera, Clip
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.given.hand_mano import ManoReading, plain_values, with_mano_joints
from dexman_pose.given.hands import read_hands
from dexman_pose.hands.mano import ManoFile, ManoHand, fit_mano, load_mano_folder
from dexman_pose.hands.mano.export import write_mano
from dexman_pose.hands.mano.parameters import frame_from_mano
from dexman_pose.synthetic.tiny_datasets.mano import write_small_mano

COUNT, WIDTH, HEIGHT = 3, 640, 480
CAMERA = Camera.from_focal(520.0, WIDTH, HEIGHT)
MIRROR = np.array([-1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_small_mano(folder)
    return folder


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, ManoFile]:
    return load_mano_folder(folder)


@pytest.fixture
def clip() -> Clip:
    return Clip.from_frames([np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * COUNT)


class Truth:
    """Hands of one side in all frames: numbers as another program has them, and the joints they mean."""

    def __init__(self, file: ManoFile, flat: bool = True) -> None:
        rng = np.random.default_rng(11)
        self.root = rng.normal(scale=0.4, size=(COUNT, 3))
        self.angles = rng.normal(scale=0.2, size=(COUNT, 45))
        self.betas = rng.normal(scale=0.5, size=10)
        self.transl = np.array([0.02, 0.03, 0.6]) + 0.01 * np.arange(COUNT)[:, None]
        self.hand = ManoHand(file, self.betas, flat_hand_mean=flat, left_fixed=True)
        self.pose = self.hand.pose_from_mano(self.angles)
        self.joints = self.hand.joints(
            self.pose, frame_from_mano(self.hand, self.root, self.transl, self.pose, None)
        )

    def columns(self) -> dict[str, Any]:
        return {
            "global_orient": self.root,
            "hand_pose": self.angles,
            "betas": self.betas,
            "transl": self.transl,
        }

    def rows(self) -> list[dict[str, Any]]:
        c = self.columns()
        return [{k: v if k == "betas" else v[t] for k, v in c.items()} for t in range(COUNT)]


def _seen(found: Any, clip: Clip, side: int, joints: Array) -> None:
    hands, _ = read_hands(found, clip, CAMERA)
    assert hands.detected[:, side].all() and not hands.detected[:, 1 - side].any()
    np.testing.assert_allclose(hands.joints_2d[:, side], CAMERA.project(joints), atol=1e-3)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    "form", ["list", "frames", "sides", "prefixed", "columns", "pose 48", "pose 51", "(15, 3)"]
)
def test_structures(files: dict[str, ManoFile], clip: Clip, side: int, form: str) -> None:
    name = ("left", "right")[side]
    truth = Truth(files[name])
    rows, columns = truth.rows(), truth.columns()
    whole = np.concatenate([truth.root, truth.angles], 1)
    content: Any = {
        "list": [{"frame": t, "is_right": side, **row} for t, row in enumerate(rows)],
        "frames": {str(t): [{"side": name, **row}] for t, row in enumerate(rows)},
        "sides": {name: columns},
        "prefixed": {f"{name}_{key}": value for key, value in columns.items()},
        "columns": {"right": np.full(COUNT, side), "frame": np.arange(COUNT), **columns},
        "pose 48": {name: {"pose": whole, "shape": truth.betas, "trans": truth.transl}},
        "pose 51": {name: {"pose_m": np.concatenate([whole, truth.transl], 1), "betas": truth.betas}},
        "(15, 3)": {name: {**columns, "hand_pose": truth.angles.reshape(COUNT, 15, 3)}},
    }[form]
    how = ManoReading(files, flat_hand_mean=True, left_fixed=True)
    found = with_mano_joints(content, how)
    _seen(found, clip, side, truth.joints)
    _seen(json.loads(json.dumps(plain_values(found))), clip, side, truth.joints)


def test_mean_components_and_centre(files: dict[str, ManoFile], clip: Clip) -> None:
    truth = Truth(files["right"], flat=False)
    how = ManoReading(files, flat_hand_mean=False)
    _seen(with_mano_joints({"right": truth.columns()}, how), clip, 1, truth.joints)
    few = {**truth.columns(), "hand_pose": truth.angles[:, :12]}
    hand = ManoHand(files["right"], truth.betas, flat_hand_mean=False, pca=12)
    pose = hand.pose_from_mano(truth.angles[:, :12])
    found = with_mano_joints({"right": few}, how)["right"]["joints_3d"]
    places = frame_from_mano(hand, truth.root, truth.transl, pose, None)
    np.testing.assert_allclose(found, hand.joints(pose, places), atol=1e-12)
    wrists = with_mano_joints({"right": few}, ManoReading(files, False, center_joint=0))["right"]["joints_3d"]
    np.testing.assert_allclose(wrists[:, 0], truth.transl, atol=1e-12)


def test_rotation_matrices_of_mirrored_hands(files: dict[str, ManoFile], clip: Clip) -> None:
    """HaMeR and WiLoR give a right hand's numbers for both sides; a left one is that in a mirror, then moved."""
    truth = Truth(files["right"])
    shift = np.array([0.03, -0.02, 25.0])
    content = [
        {
            "frame": t,
            "right": right,
            "pred_mano_params": {
                "global_orient": so3_exp(truth.root[t])[None],
                "hand_pose": so3_exp(truth.angles[t].reshape(15, 3)),
                "betas": truth.betas,
            },
            "pred_cam_t_full": shift,
        }
        for right in (0, 1)
        for t in range(COUNT)
    ]
    hands, _ = read_hands(with_mano_joints(content, ManoReading(files)), clip, CAMERA)
    own = truth.joints - truth.transl[:, None]
    far = Camera.from_focal(5000.0 / 256.0 * WIDTH, WIDTH, HEIGHT)
    np.testing.assert_allclose(hands.joints_2d[:, 1], far.project(own + shift), atol=1e-2)
    np.testing.assert_allclose(hands.joints_2d[:, 0], far.project(own * MIRROR + shift), atol=1e-2)


def test_matrices_need_no_word_about_zero(files: dict[str, ManoFile]) -> None:
    truth = Truth(files["right"])
    turned = {
        "global_orient": so3_exp(truth.root)[:, None],
        "hand_pose": so3_exp(truth.angles.reshape(COUNT, 15, 3)),
        "betas": np.tile(truth.betas, (COUNT, 1)),
        "transl": truth.transl,
    }
    found = with_mano_joints({"right": turned}, ManoReading(files, flat_hand_mean=False))
    np.testing.assert_allclose(found["right"]["joints_3d"], truth.joints, atol=1e-9)


def test_one_hand_in_the_frame_of_its_camera(files: dict[str, ManoFile]) -> None:
    truth = Truth(files["right"])
    one = with_mano_joints([{"frame": 2, "side": "right", **truth.rows()[0]}], ManoReading(files, True))
    assert one[0]["joints_3d"].shape == (21, 3) and one[0]["frame"] == 2
    place = se3(so3_exp(truth.root[0]), np.zeros(3))
    turned = truth.hand.joints(truth.pose[0], place)
    np.testing.assert_allclose(np.diff(one[0]["joints_3d"], axis=0), np.diff(turned, axis=0), atol=1e-12)


def test_records_with_joints_stay(files: dict[str, ManoFile]) -> None:
    kept = {"frame": 0, "side": "right", "joints_3d": np.ones((21, 3)), "hand_pose": np.zeros(45)}
    rows = Truth(files["right"]).rows()
    found = with_mano_joints([kept, {"frame": 1, "side": "right", **rows[1]}], ManoReading(files, True))
    assert found[0] is kept and "joints_3d" in found[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"global_orient": None}, "without global_orient"),
        ({"betas": np.zeros(11)}, r"betas must be \(3, 10\) or \(10,\)"),
        ({"transl": np.zeros(2)}, "transl must be"),
        ({"hand_pose": np.full((3, 45), np.nan)}, "hand_pose must be finite"),
        ({"hand_pose": "bent"}, "hand_pose must be numbers"),
    ],
)
def test_numbers_that_do_not_fit(files: dict[str, ManoFile], change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        with_mano_joints({"right": {**Truth(files["right"]).columns(), **change}}, ManoReading(files, True))
    assert "\n" not in str(error.value)


def test_nothing_is_guessed(files: dict[str, ManoFile]) -> None:
    left, right = ({side: Truth(files[side]).columns()} for side in ("left", "right"))
    with pytest.raises(InputError, match="flat_hand_mean"):
        with_mano_joints(right, ManoReading(files))
    with_mano_joints({"right": {**right["right"], "flat_hand_mean": True}}, ManoReading(files))
    with pytest.raises(InputError, match="left_fixed"):
        with_mano_joints(left, ManoReading(files, True))
    with pytest.raises(InputError, match=r"no MANO_LEFT\.pkl is given"):
        with_mano_joints(left, ManoReading({"right": files["right"]}, True))
    with pytest.raises(InputError, match="left or right"):
        with_mano_joints([{"frame": 0, **Truth(files["right"]).rows()[0]}], ManoReading(files, True))
    with pytest.raises(InputError, match="no MANO parameters without joints"):
        with_mano_joints({"right": {"score": 1.0}}, ManoReading(files, True))


def test_the_command(folder: Path, files: dict[str, ManoFile], clip: Clip, tmp_path: Path) -> None:
    truth = Truth(files["left"])
    source, out = tmp_path / "hands.pkl", tmp_path / "joints.json"
    source.write_bytes(pickle.dumps({"left": truth.columns()}))
    with pytest.raises(InputError, match=r"dexman-pose mano .*hands\.pkl --joints"):
        read_hands(source, clip, CAMERA)
    with pytest.raises(InputError, match=r"MANO without joints: .*dexman-pose mano hands --joints"):
        read_hands([{"frame": 0, "side": "left", **truth.rows()[0]}], clip, CAMERA)
    asked = ["mano", source, "--joints", "--left", folder / "MANO_LEFT.pkl", "--out", out]
    assert main([str(a) for a in [*asked, "--zero", "flat"]]) == 2  # a left hand of unknown directions
    assert main([str(a) for a in [*asked, "--zero", "flat", "--left-shape", "mended"]]) == 0
    _seen(out, clip, 0, truth.joints)


def test_written_fits_are_hands_too(files: dict[str, ManoFile], clip: Clip, tmp_path: Path) -> None:
    truth = Truth(files["right"])
    fit = fit_mano(truth.joints, files["right"])
    path = write_mano(tmp_path / "mano.npz", {"right": fit}, {"right": truth.joints}, np.arange(COUNT) / 30.0)
    _seen(path, clip, 1, fit.joints)
