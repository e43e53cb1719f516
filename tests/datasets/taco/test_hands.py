"""Hands: the order of joints, frames without a hand, files that are damaged or would run something."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import JOINT_NAMES
from dexman_pose.datasets.recording import Recording
from dexman_pose.datasets.taco.files import open_root
from dexman_pose.datasets.taco.hands import JOINT_ORDERS, bone_error, hand_track, read_hands
from dexman_pose.datasets.taco.reader import read_taco
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.synthetic.tiny_datasets.taco import write_taco
from dexman_pose.synthetic.tiny_datasets.taco_defects import MALICE, apply_defect
from dexman_pose.synthetic.tiny_datasets.taco_scene import SERIALS, TacoScene, taco_scenes

FRAMES = 7
SIZE = (32, 24)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hands")
    write_taco(root, sequences=1, frames=FRAMES, size=SIZE)
    return root


@pytest.fixture
def root(base: Path, tmp_path: Path) -> Path:
    shutil.copytree(base, tmp_path / "root")
    return tmp_path / "root"


@pytest.fixture(scope="module")
def scene() -> TacoScene:
    return taco_scenes(1, FRAMES, size=SIZE)[0]


def _first(root: Path, **options: Any) -> Recording:
    return next(iter(read_taco(root, view=SERIALS[0], **options)))


def _hand_file(root: Path, scene: TacoScene, name: str) -> Path:
    return root / "Hand_Poses" / scene.triplet / scene.name / name


def test_orders_name_every_joint_once() -> None:
    for order in JOINT_ORDERS.values():
        assert sorted(order) == list(range(21))
    # MANO: wrist, then index, middle, pinky, ring, thumb with three joints each, then tips from the thumb on.
    mano = ["wrist"]
    for finger in ("index", "middle", "pinky", "ring", "thumb"):
        first = ("cmc", "mcp", "ip") if finger == "thumb" else ("mcp", "pip", "dip")
        mano += [f"{finger}_{joint}" for joint in first]
    mano += [f"{finger}_tip" for finger in ("thumb", "index", "middle", "ring", "pinky")]
    assert [mano[place] for place in JOINT_ORDERS["mano"]] == list(JOINT_NAMES)


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.2])
def test_bones_tell_the_order(scale: float) -> None:
    model = HandModel("left", scale, resolution=0.005)
    for flexion in (0.0, 0.6, 1.4):
        joints = model.joints(model.pose(finger_flexion=flexion))[None]
        stored = joints[:, np.argsort(JOINT_ORDERS["mano"])]
        assert bone_error(joints) < 0.15
        assert bone_error(stored) > 0.4
        np.testing.assert_array_equal(stored[:, JOINT_ORDERS["mano"]], joints)


def test_wrong_order_is_noticed(root: Path, scene: TacoScene) -> None:
    apply_defect(root, scene, "wrong_joint_order")
    recording = _first(root)
    assert recording.hands == {} and set(recording.mano) == {"left", "right"}
    assert any("joint_order='mano' would fit" in note for note in recording.missing)
    right = _first(root, joint_order="mano")
    truth = _first(root)  # not used but for its absence
    assert truth.hands == {}
    world = np.linalg.inv(right.camera_from_world)[:, None] @ _homogeneous(right.hands["right"].joints)
    np.testing.assert_allclose(world[..., :3, 0], scene.joints[:, 1], atol=1e-6)


def _homogeneous(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)[..., None]


def test_nonsense_joints_are_left_out(root: Path, scene: TacoScene) -> None:
    rng = np.random.default_rng(0)
    path = _hand_file(root, scene, "hand_joints.npy")
    np.save(path, rng.normal(0, 0.1, (FRAMES, 2, 21, 3)))
    assert any("no known order fits" in note for note in _first(root).missing)
    np.save(path, 1000 * scene.joints)  # millimetres
    assert any("no known order fits" in note for note in _first(root).missing)
    np.save(path, np.zeros((FRAMES, 2, 20, 3)))
    assert any("(any, 2, 21, 3), but has (7, 2, 20, 3)" in note for note in _first(root).missing)


def test_swapped_hands_are_said(root: Path, scene: TacoScene) -> None:
    apply_defect(root, scene, "swapped_hands")
    notes = [note for note in _first(root).missing if "wrist of hand_joints.npy" in note]
    assert len(notes) == 2


def test_frames_without_a_hand(root: Path, scene: TacoScene) -> None:
    apply_defect(root, scene, "lost_hand_frames")
    recording = _first(root)
    seen = np.arange(FRAMES) != 2
    np.testing.assert_array_equal(recording.hands["left"].valid, seen)
    np.testing.assert_array_equal(recording.mano["left"].valid, seen)
    assert recording.hands["right"].valid.all() and recording.mano["right"].valid.all()
    assert np.isfinite(recording.hands["left"].joints).all()
    np.testing.assert_allclose(recording.mano["left"].pose[3], scene.hand_pose[3, 0], atol=1e-6)
    assert any("left_hand.pkl: 1 of 7 frames" in note for note in recording.missing)


def test_malicious_pickle_is_not_run(root: Path, scene: TacoScene) -> None:
    apply_defect(root, scene, "malicious_pickle")
    recording = _first(root)
    assert set(recording.mano) == {"left"} and set(recording.hands) == {"left", "right"}
    assert any("right_hand.pkl" in note and "posix.system" in note for note in recording.missing)
    assert not (root / MALICE).exists()


def test_truncated_pickle(root: Path, scene: TacoScene) -> None:
    apply_defect(root, scene, "truncated_pickle")
    recording = _first(root)
    assert set(recording.mano) == {"right"}
    assert any("left_hand.pkl is cut off or damaged" in note for note in recording.missing)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ([1, 2], "must hold a dict of frames, but holds a list"),
        ({"0": {}}, "has a key '0'"),
        ({"../1": {}}, "has a key '../1'"),
        ({"1": {"hand_pose": np.zeros(48)}}, "hand_trans is missing"),
        ({"1": {"hand_pose": np.zeros(45), "hand_trans": np.zeros(3)}}, "not 48 numbers"),
        ({"1": 3}, "hand_pose is missing"),
    ],
)
def test_pickles_of_another_form(root: Path, scene: TacoScene, value: object, word: str) -> None:
    _hand_file(root, scene, "left_hand.pkl").write_bytes(pickle.dumps(value))
    recording = _first(root)
    assert "left" not in recording.mano
    assert any("left_hand.pkl" in note and word in note for note in recording.missing)


def test_keys_are_numbers_not_text(root: Path, scene: TacoScene) -> None:
    """ "10" comes after "9", keys may be padded or whole numbers, and their order in the file means nothing."""
    entries: dict[Any, Any] = {}
    for frame in (10, 9, 2, 1, 12):
        key = frame if frame == 9 else f"{frame:05d}" if frame == 2 else str(frame)
        entries[key] = {"hand_pose": np.full((1, 48), frame), "hand_trans": np.full(3, frame)}
    _hand_file(root, scene, "left_hand.pkl").write_bytes(pickle.dumps(entries))
    sequence = open_root(root).sequences[scene.name]
    hands = read_hands(sequence, 10, joint_order="manopth", expect_joints=True)
    mano = hands.mano["left"]
    np.testing.assert_array_equal(np.flatnonzero(mano.valid), [0, 1, 8, 9])
    np.testing.assert_array_equal(mano.translation[[0, 1, 8, 9], 0], [1, 2, 9, 10])
    assert any("6 of 10 frames have no hand, 1 are beyond" in note for note in hands.notes)
    np.testing.assert_array_equal(hands.valid["left"], np.arange(10) < FRAMES)
    assert any("hand_joints.npy has 7 frames, 10 are used" in note for note in hands.notes)


def test_missing_shape(root: Path, scene: TacoScene) -> None:
    _hand_file(root, scene, "left_hand_shape.pkl").unlink()
    _hand_file(root, scene, "right_hand_shape.pkl").write_bytes(pickle.dumps({"hand_shape": [np.nan] * 10}))
    recording = _first(root)
    for side in ("left", "right"):
        np.testing.assert_array_equal(recording.mano[side].shape, np.zeros(10))
        assert any(f"{side}_hand_shape.pkl" in note for note in recording.missing)


def test_hand_behind_the_camera_is_not_valid(scene: TacoScene) -> None:
    camera = scene.cameras[SERIALS[0]]
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[3:, 2, 3] = 2.0
    joints = scene.joints[:, 0] - scene.joints[0, 0, 0]
    track = hand_track("left", joints, np.ones(FRAMES, bool), camera, poses)
    np.testing.assert_array_equal(track.valid, np.arange(FRAMES) >= 3)
    assert np.isfinite(track.joints_2d).all()
