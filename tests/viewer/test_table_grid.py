"""The grid on the table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dexman_pose.data import Trajectory
from dexman_pose.data.world.table import TablePlane
from dexman_pose.scene.world import world_on_table
from dexman_pose.viewer.overlay import overlay_frame
from dexman_pose.viewer.table_grid import GridOptions, grid_curves
from tests.scene.staged import CAMERA, OFFSET, UP


def _on_table(trajectory: Trajectory) -> Trajectory:
    world = world_on_table(UP, OFFSET, np.array([0.0, 0.0, 0.6]))
    return replace(trajectory, world_from_camera=world, table=TablePlane(UP, OFFSET, np.zeros((4, 4))))


def test_lines_lie_on_the_table_a_step_apart(trajectory: Trajectory) -> None:
    t = _on_table(trajectory)
    curves = grid_curves(t, CAMERA, GridOptions(step=0.1, half=0.3, points=7))
    assert len(curves) == 14 and all(len(c) == 7 for c in curves)
    depth = -OFFSET / (CAMERA.unproject(curves[0], np.ones(7)) @ UP)
    points = CAMERA.unproject(curves[0], depth)
    np.testing.assert_allclose(np.linalg.norm(np.diff(points, axis=0), axis=1), 0.1, atol=1e-9)


def test_lines_behind_the_camera_are_cut(trajectory: Trajectory) -> None:
    curves = grid_curves(_on_table(trajectory), CAMERA, GridOptions(half=3.0, step=0.5, points=61))
    assert curves and all(np.isfinite(c).all() for c in curves)
    assert min(len(c) for c in curves) < 61


def test_there_is_a_grid_only_with_a_table(trajectory: Trajectory) -> None:
    assert grid_curves(trajectory, trajectory.camera) == []
    picture = np.full((241, 321, 3), 40, np.uint8)
    plain = overlay_frame(trajectory, picture, 0)
    drawn = overlay_frame(_on_table(trajectory), picture, 0)
    changed = (plain != drawn).any(-1)
    assert 0.001 < changed.mean() < 0.5
