"""Contacts of hands with moving objects."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from dexman_pose.contact import JOINT_RADIUS, detect_contacts
from dexman_pose.data import JOINT_NAMES, HandTrack, Mesh, PoseTrack, RigidObject
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp, transform_points

Array = NDArray[np.float64]
TIP = JOINT_NAMES.index("index_tip")


def cube(poses: Array, valid: Array | None = None, name: str = "cube") -> RigidObject:
    box = trimesh.creation.box((0.1, 0.1, 0.1))
    mesh = Mesh(np.asarray(box.vertices), np.asarray(box.faces))
    ok = np.ones(len(poses), bool) if valid is None else np.asarray(valid, bool)
    return RigidObject(name, mesh, PoseTrack(poses, ok, np.ones(len(poses))))


def hand(joints: Array, valid: Array | None = None, side: str = "right") -> HandTrack:
    n = len(joints)
    ok = np.ones(n, bool) if valid is None else np.asarray(valid, bool)
    return HandTrack(side, joints, np.zeros((n, 21, 2)), ok, np.zeros(n, bool), np.ones(n), np.full(21, 0.03))


def still(count: int) -> Array:
    return np.tile(se3(np.eye(3), [0.0, 0.0, 0.5]), (count, 1, 1))


def joints_with_tip(offsets: list[float]) -> Array:
    """All joints far away; the index tip ``offset`` metres right of the cube's +x face."""
    joints = np.full((len(offsets), 21, 3), 2.0)
    joints[:, TIP] = [[0.05 + x, 0.0, 0.5] for x in offsets]
    return joints


def test_distance_is_measured_in_the_moving_frame_of_the_object() -> None:
    rng = np.random.default_rng(0)
    poses = se3(so3_exp(rng.normal(size=(6, 3))), rng.normal(size=(6, 3)))
    in_object = rng.uniform(-0.1, 0.1, (21, 3))
    joints = transform_points(poses, in_object[None])
    found = detect_contacts({"cube": cube(poses)}, {"right": hand(joints)})
    q = np.abs(in_object) - 0.05
    truth = np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(1), 0)
    np.testing.assert_allclose(found.distance[0], np.tile(truth, (6, 1)), atol=1e-6)
    gap = np.linalg.norm(found.nearest[0] - in_object, axis=-1)
    np.testing.assert_allclose(gap, np.abs(found.distance[0]), atol=1e-6)


def test_the_skin_touches_before_the_joint_does() -> None:
    radius = JOINT_RADIUS[TIP]
    joints = joints_with_tip([radius + 0.009] * 4 + [radius + 0.019] * 3 + [radius + 0.021] * 3)
    found = detect_contacts({"cube": cube(still(10))}, {"right": hand(joints)})
    assert found.touching[0, :, TIP].tolist() == [True] * 7 + [False] * 3
    assert not np.delete(found.touching[0], TIP, axis=1).any()
    assert found.distance[0, 0, TIP] == pytest.approx(radius + 0.009, abs=1e-6)
    bare = detect_contacts({"cube": cube(still(10))}, {"right": hand(joints)}, joint_radius=0.0)
    assert not bare.touching.any()


def test_a_contact_needs_valid_frames_and_a_minimum_duration() -> None:
    joints = joints_with_tip([0.0] * 10)
    valid = np.array([1, 1, 1, 0, 1, 1, 1, 1, 1, 1], bool)
    seen = np.array([1, 1, 1, 1, 1, 1, 0, 1, 1, 1], bool)
    found = detect_contacts({"cube": cube(still(10), valid)}, {"right": hand(joints, seen)})
    assert found.valid[0].tolist() == (valid & seen).tolist()
    assert found.touching[0, :, TIP].tolist() == [True] * 3 + [False] * 4 + [True] * 3
    short = detect_contacts({"cube": cube(still(10), valid)}, {"right": hand(joints, seen)}, min_frames=2)
    assert short.touching[0, 4:6, TIP].all()


def test_every_pair_has_its_own_rows() -> None:
    a, b = still(3), still(3)
    b[:, 0, 3] = 1.0
    left = np.full((3, 21, 3), 2.0)
    left[:, TIP] = [1.06, 0.0, 0.5]
    objects = {"a": cube(a, name="a"), "b": cube(b, name="b")}
    hands = {"left": hand(left, side="left"), "right": hand(joints_with_tip([0.005] * 3))}
    found = detect_contacts(objects, hands)
    assert found.pairs == (("left", "a"), ("left", "b"), ("right", "a"), ("right", "b"))
    expected = [1.01, 0.01, 0.005, 0.895]
    np.testing.assert_allclose(found.distance[:, 0, TIP], expected, atol=1e-6)
    assert found.touching[:, :, TIP].all(1).tolist() == [False, True, True, False]


def test_nothing_to_touch() -> None:
    assert detect_contacts({}, {"right": hand(joints_with_tip([0.0] * 4))}).distance.shape == (0, 4, 21)
    assert detect_contacts({"cube": cube(still(4))}, {}).pairs == ()
    assert detect_contacts({}, {}).distance.shape == (0, 0, 21)


def test_bad_input() -> None:
    objects = {"cube": cube(still(3))}
    with pytest.raises(InputError, match=r"same frames.*3.*right hand: 4"):
        detect_contacts(objects, {"right": hand(joints_with_tip([0.0] * 4))})
    hands = {"right": hand(joints_with_tip([0.0] * 3))}
    with pytest.raises(InputError, match="threshold_on"):
        detect_contacts(objects, hands, threshold_on=0.03)
    with pytest.raises(InputError, match="joint_radius"):
        detect_contacts(objects, hands, joint_radius=[0.01, 0.02])
