"""Text goes where objects and hands are least."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.data import Clip, Trajectory
from dexman_pose.viewer.corners import CORNERS, Corner, freest_corner, shown_at
from dexman_pose.viewer.overlay import OverlayRenderer


def standing(trajectory: Trajectory, x: float, y: float) -> Trajectory:
    """The ball alone, at a place of the picture (-1 to 1 across and down)."""
    ball, camera = trajectory.objects["ball"], trajectory.camera
    poses = np.tile(np.eye(4), (trajectory.num_frames, 1, 1))
    poses[:, :3, 3] = [0.7 * x * camera.width / 2 / camera.fx, 0.7 * y * camera.height / 2 / camera.fy, 1.0]
    poses[:, :3, 3] *= 0.6
    return replace(
        trajectory,
        objects={"ball": replace(ball, track=replace(ball.track, camera_from_object=poses))},
        hands={},
        contacts=None,
    )


@pytest.mark.parametrize(
    ("x", "y", "corner"),
    [(-1, -1, Corner(True, False)), (1, 1, Corner(False, False)), (0, -1, Corner(False, True))],
)
def test_the_corner_is_one_without_the_object(
    trajectory: Trajectory, x: float, y: float, corner: Corner
) -> None:
    moved = standing(trajectory, x, y)
    frames = shown_at(moved)
    sizes = np.tile([180, 90], (len(frames), 1))
    assert freest_corner(moved, moved.camera, frames, sizes) == corner


def test_the_text_is_drawn_there_and_stays_there(trajectory: Trajectory, clip: Clip) -> None:
    moved = standing(trajectory, -0.9, -0.9)
    renderer, bare = OverlayRenderer(moved), OverlayRenderer(moved, panel=False)
    for index in (0, 17):
        changed = (renderer.draw(clip.frame(index), index) != bare.draw(clip.frame(index), index)).any(-1)
        rows, columns = np.nonzero(changed)
        assert rows.max() == moved.camera.height - 1 and columns.min() == 0
        assert rows.min() > moved.camera.height / 2, "the ball is at the top left, the text wide"


def test_nothing_to_hide_and_no_frame(trajectory: Trajectory) -> None:
    empty = replace(trajectory, objects={}, hands={}, contacts=None)
    frames = shown_at(empty)
    assert freest_corner(empty, empty.camera, frames, np.tile([9, 9], (len(frames), 1))) == CORNERS[0]
    assert freest_corner(empty, empty.camera, frames[:0], np.zeros((0, 2), int)) == CORNERS[0]
