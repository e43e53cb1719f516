"""Which way is down, told by an object that stands."""

from __future__ import annotations

import numpy as np
import trimesh

from dexman_pose.data import Mesh
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.synthetic.demo.files import DemoTruth
from dexman_pose.synthetic.grasps.recorded import RecordedGrasp
from dexman_pose.synthetic.grasps.standing import (
    StandingOptions,
    _settled,
    resting_frames,
    standing_pose,
    world_from_camera,
)


def test_the_table_is_the_true_one(recorded: RecordedGrasp, tin_truth: DemoTruth) -> None:
    world = world_from_camera(recorded)
    true_up = tin_truth.camera_from_world[:3, 2]
    assert np.degrees(np.arccos(world[2, :3] @ true_up)) < 0.5
    first = transform_points(world @ recorded.camera_from_object[0], recorded.mesh.vertices)
    assert abs(first[:, 2].min()) < 1e-6
    np.testing.assert_allclose(
        transform_points(world @ recorded.camera_from_object[0], recorded.mesh.center[None])[0, :2],
        0.0,
        atol=1e-6,
    )


def test_rest_ends_when_the_object_moves(recorded: RecordedGrasp) -> None:
    rest = resting_frames(recorded)
    moved = np.linalg.norm(np.diff(recorded.camera_from_object[:, :3, 3], axis=0), axis=1)
    assert 2 < rest < recorded.num_frames and moved[: rest - 1].max() < 0.004 and moved[rest:].max() > 0.004


def test_a_plate_lies_on_its_broad_face() -> None:
    box = trimesh.creation.box((0.02, 0.2, 0.3))
    mesh = Mesh(np.asarray(box.vertices) + [0.1, 0.0, 0.0], np.asarray(box.faces))
    points = transform_points(standing_pose(mesh), mesh.vertices)
    np.testing.assert_allclose([points[:, 2].min(), points[:, 2].max()], [0.0, 0.02], atol=1e-9)
    np.testing.assert_allclose(points.mean(0)[:2], 0.0, atol=1e-9)


def test_what_is_rounded_at_one_side_stands_on_its_foot_not_on_the_mean_of_both() -> None:
    # A profile with a level foot to the left and a slope of 8 degrees to the right of it, both equally broad.
    rise = 0.1 * np.tan(np.radians(8.0))
    profile = np.array([[-0.1, 0.0], [0.01, 0.0], [0.11, rise], [0.11, 0.05], [-0.1, 0.05]])
    corners = np.array([[x, y, z] for x, z in profile for y in (-0.06, 0.06)])
    hull = trimesh.convex.convex_hull(corners)
    mesh = Mesh(np.asarray(hull.vertices), np.asarray(hull.faces))
    down = _settled(mesh, np.array([np.sin(0.07), 0.0, -np.cos(0.07)]), StandingOptions())
    np.testing.assert_allclose(down, [0.0, 0.0, -1.0], atol=1e-9)
    far = np.array([1.0, 0.0, -1.0]) / np.sqrt(2)  # nothing near carries it
    np.testing.assert_array_equal(_settled(mesh, far, StandingOptions()), far)
