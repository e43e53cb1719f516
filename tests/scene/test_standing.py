"""Objects at rest brought onto the table, as far as their own poses are unsure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.data import RigidObject
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry.se3 import rotation_angle, transform_points
from dexman_pose.optimize.problem import move_poses
from dexman_pose.scene.standing import settled_turn, standing_objects
from tests.scene.staged import CAMERA, OFFSET, UP, moved, still

SURE = TablePlane(UP, OFFSET, np.diag([1e-6, 1e-6, 1e-6, 1e-6]))
TIMES = np.arange(60) / 30.0


def _off(obj: RigidObject, twist: list[float], sigmas: list[float]) -> RigidObject:
    """The object off by a twist in all frames, and as unsure as that."""
    poses = move_poses(obj.camera_from_object, np.tile(twist, (60, 1)), obj.mesh.center)
    covariance = np.tile(np.diag(np.square(sigmas)) / 9.0, (60, 1, 1))
    return replace(obj, track=replace(obj.track, camera_from_object=poses, covariance=covariance))


def _along(obj: RigidObject, metres: float) -> list[float]:
    ray = obj.camera_from_object[0, :3, 3] / np.linalg.norm(obj.camera_from_object[0, :3, 3])
    return [*(metres * ray), 0.0, 0.0, 0.0]


def _middle(obj: RigidObject, frame: int = 0) -> Array:
    return transform_points(obj.camera_from_object[frame], obj.mesh.center[None])[0]


def test_what_seems_too_far_comes_back_along_the_way_it_is_unsure() -> None:
    true = still("box", 0.1, 0.05)
    ray = _middle(true) / np.linalg.norm(_middle(true))
    wrong = _off(true, _along(true, 0.03), [0.001, 0.001, 0.001, 0.01, 0.01, 0.01])
    along = np.zeros((6, 6))
    along[:3, :3] = (0.03**2 / 9.0) * np.outer(ray, ray) + 1e-8 * np.eye(3)
    along[3:, 3:] = 1e-6 * np.eye(3)
    wrong = replace(wrong, track=replace(wrong.track, covariance=np.tile(along, (60, 1, 1))))
    found = standing_objects({"box": wrong}, SURE, CAMERA, {}, TIMES)["box"]
    assert np.linalg.norm(_middle(wrong) - _middle(true)) == pytest.approx(0.03)
    assert np.linalg.norm(_middle(found) - _middle(true)) < 0.004


def test_what_is_tipped_stands_up() -> None:
    true = still("box", 0.1, 0.05)
    wrong = _off(true, [0.0, 0.0, 0.0, 0.12, 0.05, 0.0], [0.003, 0.003, 0.003, 0.2, 0.2, 0.2])
    found = standing_objects({"box": wrong}, SURE, CAMERA, {}, TIMES)["box"]
    tipped = np.degrees(np.arccos([float((obj.camera_from_object[0, :3, 2]) @ UP) for obj in (wrong, found)]))
    assert tipped[0] > 4 and tipped[1] < 1


@pytest.mark.parametrize("case", ["sure", "far above", "no table", "no covariance", "made"])
def test_what_is_known_or_does_not_stand_there_stays(case: str) -> None:
    true = still("box", 0.1, 0.05)
    wide = [0.02] * 3 + [0.05] * 3
    wrong = _off(true, [*(0.01 * UP), 0, 0, 0], [1e-4] * 6 if case == "sure" else wide)
    if case == "far above":
        wrong = _off(true, [*(0.2 * UP), 0, 0, 0], wide)
    if case == "no covariance":
        wrong = replace(wrong, track=replace(wrong.track, covariance=None))
    if case == "made":
        wrong = replace(wrong, mesh=replace(wrong.mesh, source="silhouette"))
    found = standing_objects({"box": wrong}, None if case == "no table" else SURE, CAMERA, {}, TIMES)["box"]
    np.testing.assert_array_equal(found.camera_from_object, wrong.camera_from_object)


def test_a_table_that_is_known_worse_says_nothing() -> None:
    wrong = _off(still("box", 0.1, 0.05), [*(0.01 * UP), 0, 0, 0], [0.005] * 3 + [0.02] * 3)
    loose = TablePlane(UP, OFFSET, np.diag([1e-3, 1e-3, 1e-3, 4e-4]))
    found = standing_objects({"box": wrong}, loose, CAMERA, {}, TIMES)["box"]
    np.testing.assert_array_equal(found.camera_from_object, wrong.camera_from_object)


def test_what_is_carried_away_keeps_its_correction_for_a_moment() -> None:
    true = moved()
    wrong = _off(true, _along(true, 0.02), [0.02] * 3 + [0.02] * 3)
    found = standing_objects({"box": wrong}, SURE, CAMERA, {}, TIMES)["box"]
    shift = np.linalg.norm(found.camera_from_object[:, :3, 3] - wrong.camera_from_object[:, :3, 3], axis=1)
    assert shift[5] > 0.005 and shift[21] > 0.5 * shift[5]
    assert shift[30] < 0.8 * max(shift[5], shift[55])
    assert np.abs(np.diff(shift)).max() < 0.15 * shift.max()


def test_settling_lays_a_box_on_its_foot_and_leaves_what_leans_far() -> None:
    box = still("box", 0.0, 0.0)
    for angle, stands in ((0.1, True), (0.7, False)):
        tipped = move_poses(
            box.camera_from_object[:1], np.array([[0, 0, 0, angle, 0, 0.0]]), box.mesh.center
        )[0]
        points = transform_points(tipped, box.mesh.vertices)
        turn = settled_turn(points, tipped, box.mesh.center, UP, 0.4)
        if stands:
            assert turn is not None
            up = turn @ tipped[:3, 2]
            assert up @ UP > np.cos(0.01) and rotation_angle(turn) < 0.11
        else:
            assert turn is None or rotation_angle(turn) > 0.4
