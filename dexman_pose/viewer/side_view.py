"""The scene as seen from the side, 90 degrees to the camera: what a camera alone cannot show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from dexman_pose.arrays import Array
from dexman_pose.data import Trajectory
from dexman_pose.data.numbers import instance
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.geometry import transform_points
from dexman_pose.viewer.palette import HAND_COLORS, hex_color, object_colors
from dexman_pose.viewer.plots import INK, note, single_figure, styled


@dataclass(frozen=True)
class SideOptions:
    """How the side view is drawn.

    Attributes:
        frames: drawn, spread over the clip, the last one strongest.
        points: of a mesh whose outline is drawn.
        height: of the figure, inches.
    """

    frames: int = 6
    points: int = 1500
    height: float = 4.2


@styled
def plot_side_view(trajectory: Trajectory, options: SideOptions | None = None) -> Any:
    """Objects and hands from the left of the camera: away from it to the right, heights upwards.

    Args:
        trajectory: with a world; without a table heights are those over the camera.
        options: what is drawn.

    Returns:
        A matplotlib figure, metres.
    """
    instance(trajectory, Trajectory, "trajectory", "dexman_pose.reconstruct gives one, or Trajectory.load")
    o = options or SideOptions()
    figure, ax = single_figure(o.height, "from the side, metres")
    world = trajectory.world_from_camera
    frames = np.unique(np.linspace(0, max(trajectory.num_frames - 1, 0), o.frames).astype(int))
    shades = np.linspace(0.5 / o.frames, 1.0, len(frames))
    colors = object_colors(trajectory.objects)
    for frame, shade in zip(frames if trajectory.num_frames else (), shades):
        for name, obj in trajectory.objects.items():
            if obj.valid[frame]:
                step = max(1, len(obj.mesh.vertices) // o.points)
                pose = world @ obj.camera_from_object[frame]
                outline = _outline(_seen(transform_points(pose, obj.mesh.vertices[::step]), trajectory))
                ax.fill(
                    *outline.T,
                    facecolor="none",
                    edgecolor=hex_color(colors[name]),
                    alpha=shade,
                    linewidth=1.2,
                )
        for side, hand in trajectory.hands.items():
            if hand.valid[frame]:
                joints = _seen(transform_points(world, hand.joints[frame]), trajectory)
                for joint, parent in enumerate(JOINT_PARENTS):
                    if parent >= 0:
                        pair = joints[[joint, parent]]
                        ax.plot(*pair.T, color=hex_color(HAND_COLORS[side]), alpha=shade, linewidth=0.9)
    if trajectory.table is not None:
        ax.axhline(0.0, color=INK, linewidth=1.6)
        note(
            ax,
            f"table: +-{np.degrees(trajectory.table.normal_std):.1f} degrees; the camera looks from the left",
        )
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xlabel("away from the camera (m)")
    ax.set_ylabel("height (m)")
    return figure


def _seen(points: Array, trajectory: Trajectory) -> Array:
    """(N, 2) of points (N, 3) of the world: how far away, how high; in the camera's frame z and -y are these."""
    if trajectory.table is not None:
        return points[:, 1:]
    return points[:, [2, 1]] * [1.0, -1.0]


def _outline(points: Array) -> Array:
    """The corners of the convex hull of points (N, 2), in order."""
    try:
        out: Array = points[ConvexHull(points).vertices]
    except QhullError:
        return points
    return out
