"""Outlines against the projected mesh."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import RigidObject, Trajectory
from dexman_pose.geometry import se3, transform_points
from dexman_pose.viewer.outline import SceneOutlines

Array = NDArray[np.float64]


def distance_to_loop(points: Array, loop: Array) -> Array:
    """Distance of points (N, 2) to a closed polygon (M, 2)."""
    a, b = loop, np.roll(loop, -1, 0)
    t = np.einsum("nmk,mk->nm", points[:, None] - a, b - a) / ((b - a) ** 2).sum(1)
    foot = a + np.clip(t, 0, 1)[..., None] * (b - a)
    return np.linalg.norm(points[:, None] - foot, axis=-1).min(1)


def silhouette(trajectory: Trajectory, name: str, index: int) -> Array:
    """The exact outline of a convex object: the hull of its projected vertices."""
    obj = trajectory.objects[name]
    pixels = trajectory.camera.project(transform_points(obj.camera_from_object[index], obj.mesh.vertices))
    hull: Array = cv2.convexHull(pixels.astype(np.float32))[:, 0].astype(np.float64)
    return hull


@pytest.mark.parametrize("index", [0, 5, 11])
def test_the_outline_lies_on_the_projected_cube(trajectory: Trajectory, index: int) -> None:
    (curve,) = SceneOutlines(trajectory.objects, trajectory.camera).trace(index)["cube"]
    truth = silhouette(trajectory, "cube", index)
    assert distance_to_loop(curve, truth).max() < 1.0
    inside = [cv2.pointPolygonTest(truth.astype(np.float32), (float(x), float(y)), True) for x, y in curve]
    assert abs(np.mean(inside)) < 0.15
    dense = np.concatenate([np.linspace(a, b, 50) for a, b in zip(truth, np.roll(truth, -1, 0))])
    assert distance_to_loop(dense, curve).max() < 1.5  # corners, too, but for their smoothing


def test_the_nearer_object_cuts_the_outline_of_the_farther(trajectory: Trajectory) -> None:
    frame = 14
    curves = SceneOutlines(trajectory.objects, trajectory.camera).trace(frame)
    cube, ball = silhouette(trajectory, "cube", frame), silhouette(trajectory, "ball", frame)
    both = np.concatenate(curves["ball"])
    inside = [cv2.pointPolygonTest(cube.astype(np.float32), (float(x), float(y)), True) for x, y in both]
    assert max(inside) < 1.5  # nothing of the ball is drawn over the cube
    assert (np.minimum(distance_to_loop(both, ball), distance_to_loop(both, cube)) < 1.6).all()
    assert distance_to_loop(np.concatenate(curves["cube"]), cube).max() < 1.0


def test_an_invalid_pose_hides_nothing(trajectory: Trajectory) -> None:
    last = trajectory.num_frames - 1
    trajectory.objects["cube"].track.valid[last] = False
    (curve,) = SceneOutlines(trajectory.objects, trajectory.camera).trace(last)["ball"]
    assert distance_to_loop(silhouette(trajectory, "ball", last), curve).max() < 1.5


@pytest.mark.parametrize("position", [[0.0, 0.0, -0.5], [5.0, 0.0, 0.5]])
def test_objects_out_of_sight_have_no_outline(trajectory: Trajectory, position: list[float]) -> None:
    moved = _at(trajectory.objects["cube"], position)
    assert SceneOutlines({"cube": moved}, trajectory.camera).trace(0)["cube"] == []


def test_object_around_the_camera_does_not_fail(trajectory: Trajectory) -> None:
    moved = _at(trajectory.objects["cube"], [0.0, 0.0, 0.03])
    (curve,) = SceneOutlines({"cube": moved}, trajectory.camera).trace(0)["cube"]
    assert np.ptp(curve, 0).tolist() == pytest.approx([320, 240], abs=2)


def _at(obj: RigidObject, position: list[float]) -> RigidObject:
    poses = np.tile(se3(np.eye(3), position), (len(obj.track), 1, 1))
    return replace(obj, track=replace(obj.track, camera_from_object=poses))


def test_curves_traced_ahead_are_those_of_their_frames(trajectory: Trajectory) -> None:
    fresh, known = (SceneOutlines(trajectory.objects, trajectory.camera) for _ in range(2))
    known.trace_ahead([5, 3])
    for index in (3, 4, 5, 3):
        expected, found = fresh.trace(index), known.trace(index)
        assert found.keys() == expected.keys()
        for name, curves in expected.items():
            assert len(curves) == len(found[name])
            for one, other in zip(curves, found[name]):
                np.testing.assert_array_equal(one, other)
