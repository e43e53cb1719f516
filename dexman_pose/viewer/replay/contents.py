"""What the page knows of every frame it shows: poses, hands, contacts, quality; and of the whole clip."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import JOINT_NAMES, JOINT_PARENTS, Camera, Trajectory
from dexman_pose.data.doubt import DOUBT_TEXT
from dexman_pose.data.tracks import SIDES
from dexman_pose.geometry import quaternion_from_matrix, transform_points
from dexman_pose.viewer.palette import AXIS_COLORS, GREY, HAND_COLORS, hex_color, object_colors
from dexman_pose.viewer.replay.charts import ends
from dexman_pose.viewer.replay.meshes import add_shape, add_skin
from dexman_pose.viewer.replay.pack import Pack
from dexman_pose.viewer.replay.shown import ReplayOptions
from dexman_pose.viewer.table_grid import GridOptions

Frames = NDArray[np.int64]
_TIME_DIGITS = 5
_BOUNDS_FRAMES = 60
_BOUNDS_POINTS = 300
_NEAR = 1.0  # metres that a pose in doubt may lie off all valid ones, and still be shown
_FARTHEST = 20.0  # metres from the camera; what lies beyond does not widen the side view


def contents(
    trajectory: Trajectory, frames: Frames, camera: Camera, pack: Pack, options: ReplayOptions
) -> dict[str, Any]:
    """Fill the page's arrays.

    Args:
        trajectory: what is shown.
        frames: (S,) those of its frames that are.
        camera: of the pictures in the page.
        pack: takes the arrays.
        options: how fine it all is.

    Returns:
        The rest, plain JSON values.
    """
    t = trajectory
    names = list(t.objects)
    pairs = [] if t.contacts is None else list(t.contacts.pairs)
    for k in range(len(pairs)):
        _add_contact(pack, f"pair{k}", t, k, frames)
    grid = GridOptions()
    return {
        "total": t.num_frames,
        "frames": frames.tolist(),
        "times": np.round(t.frame_times[frames], _TIME_DIGITS).tolist(),
        "axis": list(ends(t.frame_times)),
        "size": [camera.width, camera.height],
        "focal": [camera.fx, camera.fy, camera.cx, camera.cy],
        "skew": float(camera.K[0, 1]),
        "world_from_camera": t.world_from_camera.tolist(),
        "table": None if t.table is None else {"step": grid.step, "half": grid.half},
        "objects": [_object(pack, k, t, name, frames, options) for k, name in enumerate(names)],
        "hands": [_hand(pack, side, t, frames, options) for side in SIDES if side in t.hands],
        "pairs": [[side, names.index(name) if name in names else -1, name] for side, name in pairs],
        "bounds": _bounds(t, frames),
        "parents": list(JOINT_PARENTS),
        "fingers": [name.split("_")[0] for name in JOINT_NAMES],
        "doubts": [[int(doubt), words] for doubt, words in DOUBT_TEXT.items()],
        "axis_colors": [hex_color(color) for color in AXIS_COLORS],
        "grey": hex_color(GREY),
    }


def _object(
    pack: Pack, k: int, t: Trajectory, name: str, frames: Frames, options: ReplayOptions
) -> dict[str, Any]:
    obj, key = t.objects[name], f"object{k}"
    track, poses = obj.track, obj.camera_from_object[frames]
    pack.rounded(f"{key}.at", poses[:, :3, 3], _placed(poses[:, :3, 3], obj.valid[frames]))
    pack.rounded(f"{key}.turn", quaternion_from_matrix(poses[:, :3, :3]))
    pack.whole(f"{key}.valid", obj.valid[frames].astype(np.uint8))
    pack.rounded(f"{key}.confidence", obj.confidence[frames])
    if track.mask_iou is not None:
        pack.rounded(f"{key}.iou", track.mask_iou[frames])
    if track.doubt is not None:
        pack.whole(f"{key}.doubt", track.doubt[frames].astype(np.uint16))
    color = hex_color(object_colors(t.objects)[name])
    return {"name": name, "color": color, **add_shape(pack, key, obj.mesh, options)}


def _placed(at: Array, valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Frames whose place (T, 3) is kept: valid ones, and others near them; a wild one would make all steps coarse."""
    low, high = np.full(3, -_FARTHEST), np.full(3, _FARTHEST)
    if valid.any():
        low, high = at[valid].min(0) - _NEAR, at[valid].max(0) + _NEAR
    near = np.asarray(((at > low) & (at < high)).all(1))
    return np.logical_or(valid, near)


def _hand(pack: Pack, side: str, t: Trajectory, frames: Frames, options: ReplayOptions) -> dict[str, Any]:
    hand = t.hands[side]
    valid, bridged = hand.valid[frames], hand.bridged[frames]
    pack.whole(f"{side}.state", (valid.astype(np.uint8) + (valid & bridged)).astype(np.uint8))
    pack.rounded(f"{side}.joints", hand.joints[frames], valid)
    add_skin(pack, side, t, side, frames, options)
    return {"side": side, "color": hex_color(HAND_COLORS[side])}


def _add_contact(pack: Pack, key: str, t: Trajectory, k: int, frames: Frames) -> None:
    assert t.contacts is not None
    bits = np.left_shift(np.uint32(1), np.arange(len(JOINT_NAMES), dtype=np.uint32))
    touching = t.contacts.touching[k, frames]
    pack.whole(f"{key}.touching", (touching * bits).sum(1).astype(np.uint32))


def _bounds(t: Trajectory, frames: Frames) -> list[float] | None:
    """Least and greatest distance and height of what the side view shows: (x0, y0, x1, y1), metres."""
    some = frames[:: max(1, len(frames) // _BOUNDS_FRAMES)]
    found = [np.zeros((0, 3))]
    for obj in t.objects.values():
        points = obj.mesh.vertices[:: max(1, len(obj.mesh.vertices) // _BOUNDS_POINTS)]
        found += [transform_points(obj.camera_from_object[i], points) for i in some if obj.valid[i]]
    for hand in t.hands.values():
        found += [hand.joints[i] for i in some if hand.valid[i]]
    points = np.concatenate(found)
    points = points[(np.abs(points) < _FARTHEST).all(1)]
    if not len(points):
        return None
    seen = side_points(points, t)
    low, high = seen.min(0), seen.max(0)
    if t.table is not None:
        low[1] = min(low[1], 0.0)
    return [*low.tolist(), *high.tolist()]


def side_points(points: Array, trajectory: Trajectory) -> Array:
    """(N, 2) of camera-frame points (N, 3): how far away, how high; in the camera's frame z and -y are these."""
    if trajectory.table is not None:
        return transform_points(trajectory.world_from_camera, points)[:, 1:]
    return points[:, [2, 1]] * [1.0, -1.0]
