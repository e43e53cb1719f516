"""The scene from the side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dexman_pose.data import Trajectory
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry import inverse
from dexman_pose.viewer.plots import figure_png
from dexman_pose.viewer.side_view import plot_side_view
from tests.scene.staged import CAMERA, CAMERA_FROM_WORLD, OFFSET, UP, moved


def _scene() -> Trajectory:
    obj = moved()
    return Trajectory(
        CAMERA,
        np.arange(60) / 30.0,
        {"box": obj},
        world_from_camera=inverse(CAMERA_FROM_WORLD),
        table=TablePlane(UP, OFFSET, np.zeros((4, 4))),
    )


def test_what_stands_on_the_table_is_drawn_on_it() -> None:
    (ax,) = plot_side_view(_scene()).axes
    outlines = [patch.get_xy() for patch in ax.patches]
    assert len(outlines) == 6
    low, high = min(o[:, 1].min() for o in outlines), max(o[:, 1].max() for o in outlines)
    assert abs(low) < 1e-9 and 0.2 < high < 0.35
    assert np.isclose(np.ptp(outlines[0][:, 1]), 0.12)
    assert outlines[-1][:, 0].mean() - outlines[0][:, 0].mean() > 0.1  # it was carried away from the camera


def test_without_a_table_it_is_drawn_in_the_camera_frame(trajectory: Trajectory) -> None:
    figure = plot_side_view(trajectory)
    assert len(figure.axes[0].patches) > 2
    assert figure_png(figure, dpi=40).startswith(b"\x89PNG")


def test_an_empty_trajectory_is_drawn() -> None:
    figure_png(plot_side_view(replace(_scene(), objects={})), dpi=40)
    figure_png(plot_side_view(Trajectory(CAMERA, np.zeros(0))), dpi=40)
