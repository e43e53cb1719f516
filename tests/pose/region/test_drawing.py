"""Drawings are made anew where a pose has moved, and not before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.geometry import so3_exp
from dexman_pose.pose.region._layout import Line
from dexman_pose.pose.region.drawing import ContourDrawing
from dexman_pose.pose.region.options import LineRound
from dexman_pose.pose.region.window import window_around
from dexman_pose.pose.solver.problem import state_row


class Drawn:
    """A cube drawn by a solver, and how often that happens."""

    def __init__(self, shapes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mesh, self.pose = shapes.cube(), shapes.pose_at((0.6, 0.7, 0.2), (0.0, 0.0, 0.25))
        self.solver, self.image = shapes.solver_of(self.mesh), shapes.picture_of(self.mesh, self.pose)
        self.window = window_around(self.mesh.vertices, self.pose, shapes.camera, self.solver.options.window)
        self.drawn: list[bool] = []
        draw = ContourDrawing.draw

        def counted(drawing: ContourDrawing, *arguments: Any) -> None:
            self.drawn.append(True)
            draw(drawing, *arguments)

        monkeypatch.setattr(ContourDrawing, "draw", counted)

    def examined(self, pose: Any) -> int:
        """Drawings that examining a pose takes."""
        self.drawn.clear()
        self.solver.examine(pose)
        return len(self.drawn)


def test_a_pose_is_drawn_again_where_it_or_its_window_has_changed(
    shapes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    d = Drawn(shapes, monkeypatch)
    d.solver.look_at(d.window, d.image)
    assert d.examined(d.pose) == 1
    d.solver.look_at(d.window, d.image)  # the next picture
    assert d.examined(d.pose) == 0
    near, far = d.pose.copy(), d.pose.copy()
    near[0, 3] += 0.25 * 0.25 / 300  # a quarter of a pixel
    far[0, 3] += 2.0 * 0.25 / 300
    assert d.examined(near) == 0
    assert d.examined(far) == 1
    other = window_around(d.mesh.vertices, far, shapes.camera, d.solver.options.window)
    d.solver.look_at(other, d.image)
    assert d.examined(far) == 1


@pytest.mark.parametrize(
    "twist", [(0.002, 0, 0, 0, 0, 0), (0, 0, 0.004, 0, 0, 0), (0, 0, 0, 0.02, 0.01, 0), (0, 0, 0, 0, 0, 0.03)]
)
def test_motion_is_an_upper_limit_of_that_of_the_corners(
    shapes: Any, monkeypatch: pytest.MonkeyPatch, twist: tuple[float, ...]
) -> None:
    d = Drawn(shapes, monkeypatch)
    moved = d.pose.copy()
    moved[:3, :3] = so3_exp(np.array(twist[3:], float)) @ moved[:3, :3]
    moved[:3, 3] += twist[:3]
    states = [state_row(pose, np.ones(3), d.mesh.center) for pose in (d.pose, moved)]
    pixels = [shapes.camera.project(d.mesh.vertices @ p[:3, :3].T + p[:3, 3]) for p in (d.pose, moved)]
    most = np.linalg.norm(pixels[1] - pixels[0], axis=1).max()
    found = d.solver._drawing.motion(*states, d.window)
    assert 0.99 * most < found < 4.0 * most
    assert d.solver._drawing.motion(states[0], states[0], d.window) == 0.0


def test_other_lines_are_laid_in_the_same_drawing(shapes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    d = Drawn(shapes, monkeypatch)
    d.solver.look_at(d.window, d.image)
    d.solver.set_pose(d.pose)
    kinds = []
    for round_ in (LineRound(8, 8.0, outline=50), LineRound(1, 1.0), LineRound(1, 1.0)):
        d.solver._show(round_)
        kinds.append(d.solver._host["lines"].reshape(-1, Line.SIZE)[:, Line.KIND].copy())
    assert len(d.drawn) == 1
    assert (kinds[0] > 0.5).sum() <= 60 < (kinds[1] > 0.5).sum()
    assert not (kinds[0] == 0.0).any()  # coarse rounds look at no inner edges
    assert (kinds[1] == 0.0).sum() > 20
    np.testing.assert_array_equal(kinds[1], kinds[2])
