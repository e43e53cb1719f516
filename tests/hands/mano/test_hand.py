"""Skinning by hand, by a plain twin, and behind the interface of our own hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import JOINT_NAMES
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.hands.mano.file import ManoFile
from dexman_pose.hands.mano.hand import ManoHand
from dexman_pose.hands.mano.layout import BONES_IN_FILE, MANO_ORDER, PARENTS, TIPS, tip_vertices
from dexman_pose.hands.model.hand_model import BONE_NAMES, HandModel
from dexman_pose.hands.model.skeleton import BONE_JOINTS

SIDES = ("right", "left")


def _random(seed: int, scale: float = 0.5) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=10), rng.normal(scale=scale, size=(15, 3))


def _twin(file: ManoFile, betas: Array, angles: Array, sign: float) -> tuple[Array, Array]:
    """Vertices and 16 joints of angles (15, 3) in the file's order, one joint and one vertex after the other."""
    directions = file.shapedirs.copy()
    directions[:, 0] *= sign
    shaped = file.v_template + directions @ betas
    joints = file.j_regressor @ shaped
    turns = [np.eye(3), *(so3_exp(a) for a in angles)]
    feature = np.concatenate([(turn - np.eye(3)).ravel() for turn in turns[1:]])
    posed = shaped + file.posedirs @ feature
    places = []
    for joint, parent in enumerate(PARENTS):
        if parent < 0:
            places.append(se3(turns[0], joints[0]))
        else:
            places.append(places[parent] @ se3(turns[joint], joints[joint] - joints[parent]))
    skin = [place @ se3(np.eye(3), -joint) for place, joint in zip(places, joints)]
    vertices = np.array(
        [
            sum(w * (m[:3, :3] @ v + m[:3, 3]) for w, m in zip(weights, skin))
            for v, weights in zip(posed, file.weights)
        ]
    )
    return vertices, np.array([place[:3, 3] for place in places])


@pytest.mark.parametrize("side", SIDES)
def test_like_a_plain_twin(mano_files: dict[str, ManoFile], side: str) -> None:
    file = mano_files[side]
    betas, pose = _random(1)
    angles = np.empty((15, 3))
    angles[list(BONES_IN_FILE)] = pose
    for fixed in (False, True):
        hand = ManoHand(file, betas, flat_hand_mean=True, left_fixed=fixed)
        vertices, joints = _twin(file, betas, angles, -1.0 if fixed and side == "left" else 1.0)
        np.testing.assert_allclose(hand.vertices(pose), vertices, atol=1e-12)
        all_joints = np.concatenate([joints, vertices[list(TIPS["smplx"])]])
        np.testing.assert_allclose(hand.joints(pose), all_joints[list(MANO_ORDER)], atol=1e-12)


@pytest.mark.parametrize("side", SIDES)
def test_rest_is_the_template(mano_files: dict[str, ManoFile], side: str) -> None:
    file = mano_files[side]
    hand = ManoHand(file, flat_hand_mean=True)
    np.testing.assert_allclose(hand.vertices(), file.v_template, atol=1e-15)
    np.testing.assert_allclose(hand.joints(), hand.rest_joints, atol=1e-15)
    np.testing.assert_array_equal(hand.mesh().faces, file.faces)
    np.testing.assert_allclose(hand.rest_joints[0], file.j_regressor[0] @ file.v_template, atol=1e-15)


def test_one_bone_by_a_quarter_turn(mano_files: dict[str, ManoFile]) -> None:
    """The index's middle bone turned by 90 degrees about z: a point (x, y, z) off its joint goes to (-y, x, z)."""
    file = mano_files["right"]
    at = 100
    weights = np.zeros((778, 16))
    weights[:, 0] = 1.0
    weights[at] = np.eye(16)[2]  # second joint of the index finger, in the file's order
    hand = ManoHand(replace(file, weights=weights, posedirs=np.zeros((778, 3, 135))), flat_hand_mean=True)
    pose = np.zeros((15, 3))
    pose[BONE_NAMES.index("index_pip"), 2] = np.pi / 2
    pivot = hand.rest_joints[JOINT_NAMES.index("index_pip")]
    x, y, z = hand.rest_vertices[at] - pivot
    moved = hand.vertices(pose)
    np.testing.assert_allclose(moved[at], pivot + [-y, x, z], atol=1e-12)
    still = np.arange(778) != at
    np.testing.assert_allclose(moved[still], hand.rest_vertices[still], atol=1e-15)
    x, y, z = hand.rest_joints[JOINT_NAMES.index("index_dip")] - pivot
    np.testing.assert_allclose(
        hand.joints(pose)[JOINT_NAMES.index("index_dip")], pivot + [-y, x, z], atol=1e-12
    )


def test_pose_directions_add_rows_of_rotations(mano_files: dict[str, ManoFile]) -> None:
    """The file's first finger joint is the index's knuckle; row 0, column 1 of a turn about z is minus its sine."""
    directions = np.zeros((778, 3, 135))
    directions[5, 1, 1] = 0.25
    file = replace(mano_files["right"], posedirs=directions, weights=np.eye(16)[np.zeros(778, int)])
    hand = ManoHand(file, flat_hand_mean=True)
    pose = np.zeros((15, 3))
    pose[BONE_NAMES.index("index_mcp"), 2] = 0.3
    moved = hand.vertices(pose) - hand.rest_vertices
    np.testing.assert_allclose(moved[5], [0.0, -0.25 * np.sin(0.3), 0.0], atol=1e-12)


def test_shape_moves_joints_with_the_vertices(mano_files: dict[str, ManoFile]) -> None:
    file = mano_files["right"]
    hand = ManoHand(file, [0.0, 2.0], flat_hand_mean=True)
    np.testing.assert_allclose(hand.vertices(), file.v_template + 2.0 * file.shapedirs[..., 1], atol=1e-15)
    np.testing.assert_allclose(hand.joints()[0], file.j_regressor[0] @ hand.vertices(), atol=1e-15)
    assert hand.bone_lengths[0] == 0.0
    np.testing.assert_allclose(hand.bone_lengths[6], np.linalg.norm(hand.joints()[6] - hand.joints()[5]))


def test_mirrored_hands_are_mirrored(mano_files: dict[str, ManoFile]) -> None:
    """With its shape directions mended, the left hand is the right one in a mirror; without, it is not."""
    betas, pose = _random(2)
    mirror = np.array([-1.0, 1.0, 1.0])
    right = ManoHand(mano_files["right"], betas, flat_hand_mean=True).vertices(pose)
    left = {
        fixed: ManoHand(mano_files["left"], betas, flat_hand_mean=True, left_fixed=fixed).vertices(
            -mirror * pose
        )
        for fixed in (True, False)
    }
    np.testing.assert_allclose(left[True], right * mirror, atol=1e-12)
    assert np.abs(left[False] - right * mirror).max() > 0.005


def test_left_sign_is_never_guessed(mano_files: dict[str, ManoFile]) -> None:
    with pytest.raises(InputError, match="left_fixed"):
        ManoHand(mano_files["left"], [1.0], flat_hand_mean=True)
    ManoHand(mano_files["left"], flat_hand_mean=True)
    ManoHand(mano_files["right"], [1.0], flat_hand_mean=True)


def test_mean_pose(mano_files: dict[str, ManoFile]) -> None:
    file = mano_files["right"]
    flat, bent = (ManoHand(file, flat_hand_mean=flag) for flag in (True, False))
    np.testing.assert_array_equal(flat.pose_from_mano(np.zeros(45)), np.zeros((15, 3)))
    mean = bent.pose_from_mano(np.zeros(45))
    np.testing.assert_array_equal(mean[BONE_NAMES.index("thumb_mcp")], file.hands_mean.reshape(15, 3)[13])
    np.testing.assert_array_equal(mean[BONE_NAMES.index("pinky_dip")], file.hands_mean.reshape(15, 3)[8])
    np.testing.assert_allclose(flat.pose_from_mano(file.hands_mean), mean)
    np.testing.assert_allclose(bent.mano_from_pose(np.zeros((15, 3))), -file.hands_mean)


@pytest.mark.parametrize("flat", [True, False])
def test_components_there_and_back(mano_files: dict[str, ManoFile], flat: bool) -> None:
    file = mano_files["left"]
    _, pose = _random(3)
    whole = ManoHand(file, flat_hand_mean=flat, pca=45)
    np.testing.assert_allclose(whole.pose_from_mano(whole.mano_from_pose(pose)), pose, atol=1e-12)
    few = ManoHand(file, flat_hand_mean=flat, pca=6)
    numbers = np.random.default_rng(4).normal(size=(2, 6))
    np.testing.assert_allclose(few.mano_from_pose(few.pose_from_mano(numbers)), numbers, atol=1e-12)
    expected = numbers @ file.hands_components[:6] + (0.0 if flat else file.hands_mean)
    found = few.pose_from_mano(numbers).reshape(2, 45)
    np.testing.assert_allclose(found.reshape(2, 15, 3)[:, 3], expected.reshape(2, 15, 3)[:, 0], atol=1e-12)
    nearest = few.pose_from_mano(few.mano_from_pose(pose))
    assert np.abs(nearest - pose).max() > 0.01


@pytest.mark.parametrize(
    ("numbers", "pca", "words"),
    [(np.zeros(44), None, "45"), (np.zeros(45), 6, "6"), (np.zeros((15, 3, 3)), None, "45")],
)
def test_other_counts_of_numbers(
    mano_files: dict[str, ManoFile], numbers: Array, pca: int | None, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        ManoHand(mano_files["right"], flat_hand_mean=True, pca=pca).pose_from_mano(numbers)


def test_what_is_refused(mano_files: dict[str, ManoFile]) -> None:
    file = mano_files["right"]
    for pca in (0, 46):
        with pytest.raises(InputError, match="1 to 45"):
            ManoHand(file, flat_hand_mean=True, pca=pca)
    with pytest.raises(InputError, match="up to 10"):
        ManoHand(file, np.zeros(11), flat_hand_mean=True)
    with pytest.raises(InputError, match="smplx, manopth"):
        ManoHand(file, flat_hand_mean=True, tips="manolo")
    with pytest.raises(InputError, match="5 vertices"):
        ManoHand(file, flat_hand_mean=True, tips=(1, 2, 3, 4, 778))
    hand = ManoHand(file, flat_hand_mean=True)
    with pytest.raises(InputError, match=r"\(\.\.\., 15, 3\)"):
        hand.joints(np.zeros((16, 3)))
    with pytest.raises(InputError, match="one pose"):
        hand.mesh(np.zeros((2, 15, 3)))


def test_tips_are_vertices_of_a_library(mano_files: dict[str, ManoFile]) -> None:
    _, pose = _random(5)
    for side, name, vertices in (
        ("right", "smplx", TIPS["smplx"]),
        ("right", "manopth", TIPS["manopth"]),
        ("left", "manopth", TIPS["manopth_left"]),
        ("left", "freihand", TIPS["freihand"]),
    ):
        hand = ManoHand(mano_files[side], flat_hand_mean=True, tips=name)
        np.testing.assert_allclose(hand.joints(pose)[[4, 8, 12, 16, 20]], hand.vertices(pose)[list(vertices)])
    assert tip_vertices([5, 4, 3, 2, 1], "left") == (5, 4, 3, 2, 1)


def test_interface_of_our_own_hand(mano_files: dict[str, ManoFile]) -> None:
    """Both hands answer the same calls with the same shapes; fingers bend about the joints of the same names."""
    ours, mano = HandModel(resolution=0.005), ManoHand(mano_files["right"], flat_hand_mean=True)
    _, pose = _random(6, 0.2)
    place = se3(so3_exp([0.3, 0.2, -0.1]), [0.1, 0.2, 0.5])
    poses = np.stack([pose, 2.0 * pose])
    places = np.stack([place, np.eye(4)])
    for hand in (ours, mano):
        assert hand.side == "right" and hand.rest_joints.shape == (21, 3) and hand.bone_lengths.shape == (21,)
        assert hand.weights.shape[0] == len(hand.rest_vertices) and hand.faces.shape[1] == 3
        np.testing.assert_allclose(hand.weights.sum(1), 1.0, atol=1e-6)
        both = hand.joints(poses, places)
        np.testing.assert_allclose(both[0], hand.joints(pose) @ place[:3, :3].T + place[:3, 3], atol=1e-12)
        np.testing.assert_allclose(hand.vertices(pose, place), hand.mesh(pose, place).vertices, atol=1e-6)
        one = np.zeros((15, 3))
        one[BONE_NAMES.index("ring_pip")] = 0.4
        moved = np.linalg.norm(hand.joints(one) - hand.rest_joints, axis=1) > 1e-3
        assert [JOINT_NAMES[j] for j in np.flatnonzero(moved)] == ["ring_dip", "ring_tip"]
    np.testing.assert_allclose(mano.vertices(poses, places)[1], mano.vertices(2.0 * pose), atol=1e-12)


def test_our_own_hand_in_a_file_moves_as_ours_does() -> None:
    """Our geometry and weights put into MANO's form: the same pose gives the same vertices."""
    ours = HandModel(resolution=0.005)
    count = len(ours.rest_vertices)
    order = np.argsort([0, *(1 + b for b in BONES_IN_FILE)])
    joints = ours.rest_joints[[0, *BONE_JOINTS]][order]
    homogeneous = np.concatenate([ours.rest_vertices, np.ones((count, 1))], 1)
    regressor = np.concatenate([joints, np.ones((16, 1))], 1) @ np.linalg.pinv(homogeneous)
    weights = ours.weights[:, :16].copy()
    weights[:, 0] += ours.weights[:, 16]  # the forearm, which does not bend here
    file = ManoFile(
        "right",
        ours.rest_vertices,
        np.zeros((count, 3, 10)),
        np.zeros((count, 3, 135)),
        regressor,
        weights[:, order],
        ours.faces,
        np.zeros(45),
        np.eye(45),
    )
    hand = ManoHand(file, flat_hand_mean=True)
    pose = ours.pose(finger_flexion=0.7, thumb_cmc_abduction=0.3, index_mcp_abduction=0.1)
    np.testing.assert_allclose(hand.rest_vertices, ours.rest_vertices, atol=1e-12)
    np.testing.assert_allclose(hand.vertices(pose), ours.vertices(pose), atol=1e-9)
    known = [0, *BONE_JOINTS]
    np.testing.assert_allclose(hand.joints(pose)[known], ours.joints(pose)[known], atol=1e-9)
