"""Sizes from the table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.data import RigidObject
from dexman_pose.data.tracks import PoseTrack
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry import transform_points
from dexman_pose.geometry.se3 import scaled_translations
from dexman_pose.scene import estimate_scene
from dexman_pose.scene.sizes import sized_by_table, sizes_on_table
from tests.scene.staged import CAMERA, OFFSET, UP, moved, still

TABLE = TablePlane(UP, OFFSET, np.diag([1e-4, 1e-4, 1e-4, 1e-6]))
TIMES = np.arange(60) / 30.0


def _unsized(obj: RigidObject, factor: float, *, made: bool = False) -> RigidObject:
    """The object a factor too large and too far, and nobody knows."""
    track = replace(obj.track, camera_from_object=scaled_translations(obj.camera_from_object, factor))
    mesh = obj.mesh.scaled(factor)
    if made:
        mesh = replace(mesh, source="silhouette", seen=np.ones(12, np.bool_))
    return replace(obj, mesh=mesh, track=track, scale_source="unknown")


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.6])
def test_what_stands_on_the_table_gets_its_size_and_its_distance(factor: float) -> None:
    true = still("box", 0.1, 0.05)
    wrong = {"box": _unsized(true, factor)}
    sizes = sizes_on_table(wrong, TABLE, CAMERA, {})
    assert sizes["box"] == pytest.approx(1 / factor)
    mended = sized_by_table(wrong, sizes)["box"]
    np.testing.assert_allclose(mended.camera_from_object, true.camera_from_object, atol=1e-9)
    np.testing.assert_allclose(mended.mesh.vertices, true.mesh.vertices, atol=1e-12)
    assert mended.scale_source == "table" and mended.scale == pytest.approx(1 / factor)


def test_the_picture_stays_the_same_and_the_covariance_grows_with_the_size() -> None:
    obj = _unsized(still("box", 0.1, 0.05), 1.5)
    track = PoseTrack(
        obj.camera_from_object, obj.valid, obj.confidence, covariance=np.tile(np.eye(6), (60, 1, 1))
    )
    obj = replace(obj, track=track)
    mended = sized_by_table({"box": obj}, {"box": 0.5})["box"]
    for before, after in zip(obj.camera_from_object[:3], mended.camera_from_object[:3]):
        np.testing.assert_allclose(
            CAMERA.project(transform_points(before, obj.mesh.vertices)),
            CAMERA.project(transform_points(after, mended.mesh.vertices)),
        )
    assert mended.track.covariance is not None
    np.testing.assert_allclose(np.diagonal(mended.track.covariance[0]), [0.25] * 3 + [1.0] * 3)


def test_known_sizes_and_what_never_rests_are_left_alone() -> None:
    flying = _unsized(moved(), 1.3)
    flying.track.valid[:20] = flying.track.valid[40:] = False
    assert sizes_on_table({"a": still("a", 0.1, 0.0), "b": flying}, TABLE, CAMERA, {}) == {}


def test_what_stands_higher_in_another_place_is_not_sized() -> None:
    obj = _unsized(moved(), 1.3)
    assert "box" in sizes_on_table({"box": obj}, TABLE, CAMERA, {})
    obj.track.camera_from_object[40:, :3, 3] += 0.1 * UP
    assert sizes_on_table({"box": obj}, TABLE, CAMERA, {}) == {}


def test_a_made_shape_beside_a_known_one_gets_its_distance() -> None:
    true = still("jug", -0.15, 0.1)
    objects = {"jug": _unsized(true, 1.4, made=True), "box": moved()}
    scene = estimate_scene(objects, {}, CAMERA, TIMES)
    assert scene.table is not None and scene.sizes["jug"] == pytest.approx(1 / 1.4, rel=0.01)
    mended = sized_by_table(objects, scene.sizes)
    for name, right in (("jug", true), ("box", moved())):
        off = mended[name].camera_from_object[0, :3, 3] - right.camera_from_object[0, :3, 3]
        assert np.linalg.norm(off) < 0.006
    origin = transform_points(scene.world_from_camera, true.camera_from_object[:1, :3, 3])[0]
    np.testing.assert_allclose(origin[:2], 0.0, atol=0.006)  # the first object is the jug


def test_without_anything_sized_nothing_is() -> None:
    objects = {"box": _unsized(moved(), 1.3), "other": _unsized(still("other", -0.15, 0.1), 1.3)}
    scene = estimate_scene(objects, {}, CAMERA, TIMES)
    assert scene.sizes == {}
    if scene.table is not None:  # gravity needs no size
        assert float(scene.table.normal @ UP) > np.cos(np.radians(2))
