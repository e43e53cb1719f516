"""The table under an object of unknown shape, where the object rests on it: no camera sees what stands on it."""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import DepthSequence, MaskSequence
from dexman_pose.pose.clip.fused.options import FusedOptions
from dexman_pose.pose.clip.fused.placed import Placed
from dexman_pose.pose.observation.view import ObjectClip
from dexman_pose.scene.depth_plane import depth_planes


def floor_of(
    object_clip: ObjectClip, placed: Placed, points: Array, options: FusedOptions
) -> tuple[Array, float] | None:
    """Normal (3,) and offset of the table in the object frame; None where the object is not seen to stand on one.

    A plane that is seen beside the object is its table if it lies still against the object in several frames and the
    lowest measured point is near it.

    Args:
        object_clip: the clip.
        placed: poses.
        points: (N, 3) measured points of the object, object frame.
        options: settings.
    """
    frames = np.nonzero(placed.valid)[0]
    frames = frames[np.unique(np.linspace(0, len(frames) - 1, options.table_frames).round().astype(int))]
    planes = [plane for frame in frames.tolist() for plane in _planes(object_clip, placed, frame)]
    below = [plane for plane in planes if _stands_on(plane, points, options)]
    best: list[tuple[Array, float]] = []
    for normal, offset in below:
        same = [p for p in below if _same(p, (normal, offset), points, options)]
        if len(same) > len(best):
            best = same
    if len(best) < options.least_tables:
        return None
    mean = np.mean([n for n, _ in best], axis=0)
    length = float(np.linalg.norm(mean))
    return mean / length, float(np.mean([d for _, d in best])) / length


def _planes(object_clip: ObjectClip, placed: Placed, frame: int) -> list[tuple[Array, float]]:
    """Planes beside the object in one frame, in the object frame."""
    assert object_clip.depth is not None
    masks = object_clip.masks
    alone = MaskSequence(masks.names, masks.height, masks.width, 1)
    alone.set(0, masks.labels(frame))
    depth = DepthSequence.from_arrays([object_clip.depth.frame(frame)])
    pose = placed.camera_from_object[frame]
    found = []
    for vote in depth_planes(depth, alone, object_clip.camera):
        normal = pose[:3, :3].T @ vote.normal
        found.append((normal, float(vote.normal @ (pose[:3, 3] - vote.point))))
    return found


def _stands_on(plane: tuple[Array, float], points: Array, options: FusedOptions) -> bool:
    above = np.quantile(points @ plane[0] + plane[1], options.lowest)
    return bool(abs(above) < options.foot)


def _same(a: tuple[Array, float], b: tuple[Array, float], points: Array, options: FusedOptions) -> bool:
    middle = points.mean(0)
    turned = float(np.arccos(np.clip(a[0] @ b[0], -1.0, 1.0)))
    shifted = abs(float((a[0] - b[0]) @ middle + a[1] - b[1]))
    return turned < options.rest_turn and shifted < options.rest_shift
