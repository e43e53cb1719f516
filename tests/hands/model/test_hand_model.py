"""The hand model: rest geometry, kinematics, mesh, mirror, limits."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from dexman_pose.data.tracks import JOINT_NAMES, JOINT_PARENTS
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import se3, so3_exp
from dexman_pose.hands.model.hand_model import HandModel, vertex_normals
from dexman_pose.hands.model.skeleton import ANGLE_LIMITS, ANGLE_NAMES, BONE_NAMES

RESOLUTION = 0.003


@pytest.fixture(scope="module")
def right() -> HandModel:
    return HandModel(resolution=RESOLUTION)


def random_pose(hand: HandModel, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return hand.pose_from_angles(rng.uniform(ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1]))


def test_zero_pose_is_the_rest_geometry(right: HandModel) -> None:
    np.testing.assert_array_equal(right.joints(), right.rest_joints)
    np.testing.assert_allclose(right.vertices(), right.rest_vertices, atol=1e-12)
    assert right.joints().shape == (21, 3) and len(BONE_NAMES) == 15 and len(ANGLE_NAMES) == 21


def test_the_rest_hand_lies_as_documented(right: HandModel) -> None:
    j = dict(zip(JOINT_NAMES, right.rest_joints))
    np.testing.assert_array_equal(j["wrist"], 0.0)
    assert j["middle_tip"][0] > 0.18  # distal is +x
    assert j["thumb_tip"][1] > j["index_mcp"][1] > j["pinky_mcp"][1]  # radial is +y
    normals = vertex_normals(right.rest_vertices, right.faces)
    middle = np.linalg.norm(right.rest_vertices[:, :2] - j["middle_tip"][:2], axis=1) < 0.008
    nails = right.vertex_colors[middle & (normals[:, 2] > 0.8)].astype(float).mean(0)
    pads = right.vertex_colors[middle & (normals[:, 2] < -0.8)].astype(float).mean(0)
    assert nails[1] > pads[1] + 10 and nails[2] > pads[2] + 10  # dorsal is +z: the nail is paler than the pad


def test_one_bent_joint_against_a_rotation_by_hand(right: HandModel) -> None:
    angle = 0.7
    posed = right.joints(right.pose(index_pip_flexion=angle))
    rest = right.rest_joints
    spread = np.radians(7.0)
    along = np.array([np.cos(spread), np.sin(spread), 0.0])
    # Flexion turns the finger from its direction towards the palm, -z.
    bent = np.cos(angle) * along - np.array([0, 0, np.sin(angle)])
    np.testing.assert_allclose(posed[6], rest[6], atol=1e-12)
    np.testing.assert_allclose(posed[7], rest[6] + bent * np.linalg.norm(rest[7] - rest[6]), atol=1e-12)
    np.testing.assert_allclose(posed[8], rest[6] + bent * np.linalg.norm(rest[8] - rest[6]), atol=1e-12)
    others = [j for j in range(21) if j not in (7, 8)]
    np.testing.assert_allclose(posed[others], rest[others], atol=1e-12)


def test_chained_joints_add_their_angles(right: HandModel) -> None:
    posed = right.joints(right.pose(middle_mcp_flexion=0.5, middle_pip_flexion=0.4, middle_dip_flexion=0.3))
    last = posed[12] - posed[11]
    down = -last[2] / np.linalg.norm(last)
    assert down == pytest.approx(np.sin(1.2), abs=1e-12)


def test_abduction_spreads_to_the_thumb_side(right: HandModel) -> None:
    posed = right.joints(right.pose(index_mcp_abduction=0.2))
    assert posed[8, 1] > right.rest_joints[8, 1] + 0.01
    assert posed[8, 2] == pytest.approx(right.rest_joints[8, 2], abs=1e-9)


def test_thumb_opposes_over_the_palm(right: HandModel) -> None:
    bent = right.joints(right.pose(thumb_cmc_abduction=0.8, thumb_mcp_flexion=0.6, thumb_ip_flexion=0.6))
    assert bent[4, 2] < right.rest_joints[4, 2] - 0.02


@pytest.mark.parametrize("seed", range(3))
def test_bone_lengths_never_change(right: HandModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    joints = right.joints(rng.normal(size=(4, 15, 3)), se3(so3_exp([0.3, -0.8, 1.0]), [0.1, 0.2, 0.5]))
    parents = np.maximum(JOINT_PARENTS, 0)
    lengths = np.linalg.norm(joints - joints[:, parents], axis=-1)
    np.testing.assert_allclose(lengths, np.tile(right.bone_lengths, (4, 1)), atol=1e-12)


def test_mesh_is_closed_faces_outwards_and_has_a_hands_volume(right: HandModel) -> None:
    mesh = trimesh.Trimesh(right.rest_vertices, right.faces, process=False)
    assert mesh.is_watertight and mesh.is_winding_consistent and mesh.body_count == 1
    assert mesh.volume > 0
    # Flattening everything behind the wrist onto the plane x = 0 leaves the hand alone.
    hand = trimesh.Trimesh(np.maximum(right.rest_vertices, [0, -9, -9]), right.faces, process=False)
    assert 250e-6 < hand.volume < 500e-6


def test_adult_size(right: HandModel) -> None:
    length = right.rest_vertices[:, 0].max()
    x, y, _ = right.rest_vertices.T
    knuckles = np.ptp(y[(np.abs(x - 0.085) < 0.006) & (y < 0.042)])  # without the thumb
    assert 0.175 < length < 0.205
    assert 0.075 < knuckles < 0.105


def test_skin_follows_its_bone_and_weights_sum_to_one(right: HandModel) -> None:
    np.testing.assert_allclose(right.weights.sum(1), 1.0, atol=1e-12)
    assert (right.weights >= 0).all()
    pose = random_pose(right, 1)
    tip = np.argmin(np.linalg.norm(right.rest_vertices - right.rest_joints[8], axis=1))
    moved, joint = right.vertices(pose)[tip], right.joints(pose)[8]
    before = np.linalg.norm(right.rest_vertices[tip] - right.rest_joints[8])
    assert np.linalg.norm(moved - joint) == pytest.approx(before, abs=5e-4)


def test_fingers_do_not_drag_their_neighbours(right: HandModel) -> None:
    posed = right.vertices(right.pose(middle_mcp_flexion=1.2))
    ring_tip = np.linalg.norm(right.rest_vertices - right.rest_joints[16], axis=1) < 0.012
    assert np.linalg.norm(posed[ring_tip] - right.rest_vertices[ring_tip], axis=1).max() < 1e-6


def test_left_mirrors_right(right: HandModel) -> None:
    left = HandModel("left", resolution=RESOLUTION)
    angles = np.random.default_rng(3).uniform(ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1])
    flip = np.array([1.0, -1.0, 1.0])
    a, b = right.pose_from_angles(angles), left.pose_from_angles(angles)
    np.testing.assert_allclose(left.joints(b), right.joints(a) * flip, atol=1e-12)
    np.testing.assert_allclose(left.vertices(b), right.vertices(a) * flip, atol=1e-12)
    np.testing.assert_allclose(left.angles(b), angles, atol=1e-12)
    assert trimesh.Trimesh(left.rest_vertices, left.faces, process=False).volume > 0


def test_angles_are_held_within_limits_and_come_back(right: HandModel) -> None:
    wild = np.random.default_rng(0).uniform(-4, 4, (5, 21))
    back = right.angles(right.pose_from_angles(wild))
    np.testing.assert_allclose(back, np.clip(wild, ANGLE_LIMITS[:, 0], ANGLE_LIMITS[:, 1]), atol=1e-12)
    sideways = np.zeros((15, 3))
    sideways[BONE_NAMES.index("index_pip")] = [0.0, 0.0, 0.5]  # a PIP joint cannot bend sideways
    np.testing.assert_allclose(right.limited(sideways), 0.0, atol=1e-12)
    hyper = right.limited(right.pose_from_angles(np.full(21, 3.0), limited=False))
    np.testing.assert_allclose(right.angles(hyper), ANGLE_LIMITS[:, 1], atol=1e-12)


def test_scale_and_finger_lengths(right: HandModel) -> None:
    big = HandModel(scale=1.2, resolution=RESOLUTION)
    pose = random_pose(right, 5)
    np.testing.assert_allclose(big.joints(pose), 1.2 * right.joints(pose), atol=1e-12)
    np.testing.assert_allclose(big.vertices(pose), 1.2 * right.vertices(pose), atol=1e-12)
    long = HandModel(finger_lengths=(1, 1.2, 1, 1, 1), resolution=RESOLUTION)
    np.testing.assert_allclose(long.bone_lengths[6:9], 1.2 * right.bone_lengths[6:9], rtol=1e-12)
    np.testing.assert_allclose(long.bone_lengths[9:], right.bone_lengths[9:], rtol=1e-12)
    assert trimesh.Trimesh(long.rest_vertices, long.faces, process=False).is_watertight


def test_placement_and_forearm(right: HandModel) -> None:
    pose = random_pose(right, 2)
    place = se3(so3_exp([1.0, 0.2, -0.4]), [0.1, -0.2, 0.6])
    np.testing.assert_allclose(
        right.vertices(pose, place), right.vertices(pose) @ place[:3, :3].T + place[:3, 3], atol=1e-12
    )
    bent = right.vertices(forearm=[0.0, 0.5, 0.0])
    elbow = right.rest_vertices[:, 0] < -0.08
    turned = right.rest_vertices[elbow] @ so3_exp([0.0, 0.5, 0.0]).T
    np.testing.assert_allclose(bent[elbow], turned, atol=1e-6)
    fingers = right.rest_vertices[:, 0] > 0.06
    np.testing.assert_allclose(bent[fingers], right.rest_vertices[fingers], atol=1e-6)


def test_mesh_carries_colours_and_is_deterministic(right: HandModel) -> None:
    mesh = right.mesh(random_pose(right, 4))
    assert mesh.vertex_colors is not None and mesh.vertex_colors.shape == mesh.vertices.shape
    again = HandModel(resolution=RESOLUTION)
    assert again.rest_vertices is not None
    np.testing.assert_array_equal(again.rest_vertices, right.rest_vertices)


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="'middle'"):
        HandModel("middle")
    with pytest.raises(InputError, match="positive"):
        HandModel(scale=-1)
    with pytest.raises(InputError, match="forearm_length"):
        HandModel(forearm_length=0.0)
    hand = HandModel(resolution=RESOLUTION)
    with pytest.raises(InputError, match="no such angles: elbow"):
        hand.pose(elbow=1.0)
    with pytest.raises(InputError, match=r"15, 3\) rotation vectors"):
        hand.joints(np.zeros((16, 3)))
