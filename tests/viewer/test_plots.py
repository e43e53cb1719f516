"""What the figures hold."""

from __future__ import annotations

import io
from collections.abc import Callable

import matplotlib
import numpy as np
import pytest
from PIL import Image

from dexman_pose.data import Camera, Trajectory
from dexman_pose.errors import InputError
from dexman_pose.geometry import rotation_angle
from dexman_pose.viewer import plot_contacts, plot_distances, plot_hands, plot_object
from dexman_pose.viewer.palette import HAND_COLORS, OBJECT_COLORS, hex_color, object_colors
from dexman_pose.viewer.plots import figure_png


def test_object_curves_are_the_track_with_gaps(trajectory: Trajectory) -> None:
    obj = trajectory.objects["cube"]
    position, rotation, quality = plot_object(trajectory, "cube").axes
    for k in range(3):
        y = position.lines[k].get_ydata()
        assert np.isnan(y[10:14]).all()
        np.testing.assert_allclose(y[obj.valid], obj.camera_from_object[obj.valid, k, 3])
    angle = rotation_angle(obj.camera_from_object[0, :3, :3].T @ obj.camera_from_object[:, :3, :3])
    np.testing.assert_allclose(rotation.lines[0].get_ydata()[obj.valid], np.degrees(angle)[obj.valid])
    np.testing.assert_allclose(quality.lines[0].get_ydata(), obj.confidence)
    (shade,) = quality.patches
    assert shade.get_x() == pytest.approx(10 / 25) and shade.get_width() == pytest.approx(4 / 25)


def test_hand_bars(trajectory: Trajectory) -> None:
    (ax,) = plot_hands(trajectory).axes
    spans = [[tuple(np.round(np.ptp(p.vertices, 0)[:1] * 25)) for p in c.get_paths()] for c in ax.collections]
    assert spans == [[(2.0,), (14.0,)], [(3.0,)], [(2.0,), (19.0,)], [(3.0,)]]


def test_contact_rows_and_distances(trajectory: Trajectory) -> None:
    contacts = trajectory.contacts
    assert contacts is not None
    labels = [t.get_text() for t in plot_contacts(trajectory).axes[0].get_yticklabels()]
    assert labels == [f"{side} - {name}" for side, name in contacts.pairs]
    curve = plot_distances(trajectory).axes[0].lines[2].get_ydata()
    known = contacts.valid[2]
    np.testing.assert_allclose(curve[known], 1000 * contacts.distance[2].min(-1)[known])
    assert np.isnan(curve[~known]).all()


def test_every_figure_becomes_a_png(
    trajectory_named: Callable[[str, str], Trajectory], hostile_name: str
) -> None:
    trajectory = trajectory_named(hostile_name, "_hidden $\\frac{")
    figures = [plot_object(trajectory, name) for name in trajectory.objects]
    for figure in [*figures, plot_hands(trajectory), plot_contacts(trajectory), plot_distances(trajectory)]:
        with Image.open(io.BytesIO(figure_png(figure))) as image:
            assert image.width == 1040 and image.height >= 150
    assert figures[0].axes[0].get_title(loc="left") == hostile_name
    legend = plot_distances(trajectory).axes[0].get_legend()
    assert [t.get_text() for t in legend.get_texts()][1] == "left - _hidden $\\frac{"


def test_plots_of_little(trajectory: Trajectory) -> None:
    trajectory.objects["cube"].track.valid[:] = False
    figure_png(plot_object(trajectory, "cube"), dpi=40)
    one = Trajectory(Camera.from_focal(500, 640, 480), np.zeros(1))
    for plot in (plot_hands, plot_contacts, plot_distances):
        figure_png(plot(one), dpi=40)
    with pytest.raises(InputError, match="no object named 'cup'"):
        plot_object(trajectory, "cup")


def test_the_settings_of_the_user_stay(trajectory: Trajectory) -> None:
    before = dict(matplotlib.rcParams)
    plot_hands(trajectory)
    changed = [k for k, v in matplotlib.rcParams.items() if v != before[k]]
    assert set(changed) <= {"backend"}  # matplotlib settles it when first asked


def test_colours_tell_objects_and_hands_apart() -> None:
    colors = [hex_color(c) for c in (*HAND_COLORS.values(), *OBJECT_COLORS)]
    assert len(set(colors)) == 10 and colors[0] == "#56b4e9"
    assert object_colors(str(i) for i in range(9))["8"] == OBJECT_COLORS[0]
