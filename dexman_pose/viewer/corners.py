"""The corner of the pictures of a clip in which text hides least of objects and hands."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Trajectory
from dexman_pose.geometry import transform_points

_FRAMES = 120
_NEAR = 0.01  # metres
_ENDS = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])


class Corner(NamedTuple):
    """A corner of the picture."""

    right: bool
    bottom: bool


CORNERS = (Corner(False, False), Corner(True, False), Corner(False, True), Corner(True, True))
"""In the order in which they are preferred."""


def shown_at(trajectory: Trajectory) -> NDArray[np.int64]:
    """Frames, spread over the clip, by which the corner is chosen."""
    return np.arange(0, trajectory.num_frames, max(1, trajectory.num_frames // _FRAMES))


def freest_corner(
    trajectory: Trajectory, camera: Camera, frames: NDArray[np.int64], sizes: NDArray[np.int64]
) -> Corner:
    """Choose the corner in which text covers least of the boxes around objects and hands.

    Args:
        trajectory: what the pictures show.
        camera: of the pictures.
        frames: (N,) those looked at.
        sizes: (N, 2) width and height of the text there, pixels.
    """
    if not len(frames):
        return CORNERS[0]
    boxes = [_boxes(trajectory, camera, int(frame)) for frame in frames]
    covered = []
    for corner in CORNERS:
        total = 0.0
        for (width, height), around in zip(sizes, boxes):
            x0 = camera.width - width if corner.right else 0
            y0 = camera.height - height if corner.bottom else 0
            total += sum(_common(box, (x0, y0, x0 + width, y0 + height)) for box in around)
        covered.append(total)
    return CORNERS[int(np.argmin(covered))]


def _boxes(trajectory: Trajectory, camera: Camera, frame: int) -> list[Array]:
    """(x0, y0, x1, y1) of everything that a frame shows, within the picture."""
    clouds = []
    for obj in trajectory.objects.values():
        if obj.valid[frame]:
            ends = obj.mesh.center + _ENDS * obj.mesh.extents
            clouds.append(transform_points(obj.camera_from_object[frame], ends))
    clouds += [hand.joints[frame] for hand in trajectory.hands.values() if hand.valid[frame]]
    size = np.array([camera.width, camera.height], dtype=np.float64)
    out = []
    for points in clouds:
        front = points[points[:, 2] > _NEAR]
        if len(front):
            pixels = np.clip(camera.project_finite(front), 0.0, size)
            out.append(np.concatenate([pixels.min(0), pixels.max(0)]))
    return out


def _common(box: Array, other: tuple[float, float, float, float]) -> float:
    """Area that two boxes share, pixels."""
    low, high = np.maximum(box[:2], other[:2]), np.minimum(box[2:], other[2:])
    return float(np.prod(np.maximum(high - low, 0.0)))
