"""The solver comes back to the truth from beside it, the same way every time, and survives what says nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.geometry import rotation_angle, so3_exp
from dexman_pose.pose.region._layout import LineReport
from dexman_pose.pose.region._room import POINT_ROOM
from dexman_pose.pose.region.window import window_around
from dexman_pose.pose.solver.residuals import PointMatches

TRUE = ((0.6, 0.7, 0.2), (0.004, -0.003, 0.25))


class Solved:
    """A cube before a plain ground, its colours learnt at the true pose."""

    def __init__(self, shapes: Any) -> None:
        self.mesh, self.true = shapes.cube(), shapes.pose_at(*TRUE)
        self.solver = shapes.solver_of(self.mesh)
        self.image = shapes.picture_of(self.mesh, self.true)
        window = window_around(self.mesh.vertices, self.true, shapes.camera, self.solver.options.window)
        self.solver.look_at(window, self.image)
        self.solver.examine(self.true)
        self.solver.learn(1.0)

    def start(self, seed: int = 0) -> Any:
        """The truth, moved by 5 mm and turned by 5 degrees."""
        rng = np.random.default_rng(seed)
        shift, turn = rng.standard_normal(3), rng.standard_normal(3)
        pose = self.true.copy()
        pose[:3, :3] = so3_exp(0.087 * turn / np.linalg.norm(turn)) @ pose[:3, :3]
        pose[:3, 3] += 0.005 * shift / np.linalg.norm(shift)
        return pose

    def error(self, pose: Any) -> tuple[float, float]:
        """Millimetres and degrees from the truth."""
        turn = float(rotation_angle(pose[:3, :3] @ self.true[:3, :3].T))
        return 1e3 * float(np.linalg.norm(pose[:3, 3] - self.true[:3, 3])), float(np.degrees(turn))


def test_outline_alone_leads_back_to_the_truth(shapes: Any) -> None:
    solved = Solved(shapes)
    errors = []
    for seed in range(6):
        pose = solved.solver.solve(solved.start(seed), None)
        pose = solved.solver.solve(pose, None)
        errors.append(solved.error(pose))
    shift, turn = np.median(errors, axis=0)
    assert shift < 1.0  # of 5
    assert turn < 1.5
    matrix = solved.solver.hessian
    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-9)
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_points_and_outline_together_are_exact(shapes: Any) -> None:
    solved = Solved(shapes)
    rng = np.random.default_rng(0)
    points = solved.mesh.vertices[rng.integers(0, 8, 60)] * rng.uniform(0.3, 1.0, (60, 1))
    pixels = shapes.camera.project(points @ solved.true[:3, :3].T + solved.true[:3, 3])
    for seed in range(3):
        matches = PointMatches(points, pixels, np.ones(60))
        pose = solved.solver.solve(solved.start(seed), None, matches)
        shift, turn = solved.error(pose)
        assert shift < 0.5
        assert turn < 0.3
        assert solved.solver.inlier_share > 0.95
    room = np.ones(3 * POINT_ROOM)  # more than there is room for: the first ones count
    many = PointMatches(np.tile(points, (7, 1))[: len(room)], np.tile(pixels, (7, 1))[: len(room)], room)
    assert solved.error(solved.solver.solve(solved.start(), None, many))[0] < 0.5


def test_the_same_input_gives_the_same_bits(shapes: Any) -> None:
    first, second = Solved(shapes), Solved(shapes)
    poses = [s.solver.solve(s.start(), s.start(), radius=0.04) for s in (first, second, first)]
    np.testing.assert_array_equal(poses[0], poses[1])
    np.testing.assert_array_equal(poses[0], poses[2])  # nothing is left of the call before
    np.testing.assert_array_equal(first.solver.hessian, second.solver.hessian)


def test_the_prior_holds_where_nothing_is_to_be_seen(shapes: Any) -> None:
    solved = Solved(shapes)
    height, width = shapes.camera.height, shapes.camera.width
    window = solved.solver.window
    solved.solver.look_at(window, solved.image, np.ones((height, width), bool))
    start = solved.start()
    np.testing.assert_allclose(solved.solver.solve(start, start, radius=0.04), start, atol=1e-9)
    said = solved.solver.examine(start)
    assert said[LineReport.OUTLINE] == 0
    assert said[LineReport.HIDDEN] > 50
    np.testing.assert_allclose(solved.solver.solve(start, solved.true, radius=0.04), solved.true, atol=2e-4)


@pytest.mark.parametrize("points", [None, PointMatches(np.zeros((0, 3)), np.zeros((0, 2)), np.zeros(0))])
def test_no_points_are_no_points(shapes: Any, points: PointMatches | None) -> None:
    solved = Solved(shapes)
    pose = solved.solver.solve(solved.start(), None, points)
    np.testing.assert_array_equal(pose, Solved(shapes).solver.solve(solved.start(), None))


def test_a_window_beside_the_picture_is_empty(shapes: Any) -> None:
    solved = Solved(shapes)
    for x in (5.0, -5.0):
        away = shapes.pose_at((0, 0, 0), (x, 0.0, 0.3))
        window = window_around(solved.mesh.vertices, away, shapes.camera, solved.solver.options.window)
        solved.solver.look_at(window, solved.image, np.zeros(solved.image.shape[:2], bool))
        assert np.isfinite(solved.solver.solve(away, away, radius=0.04)).all()
        assert solved.solver.said[LineReport.OUTLINE] == 0
