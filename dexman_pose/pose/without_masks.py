"""A known object followed through a clip from a pose alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, MaskSequence, Mesh, PoseTrack
from dexman_pose.data.accept import CameraLike, ClipLike, DepthsLike, MeshLike, PoseLike, as_clip
from dexman_pose.errors import InputError
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.imaging.undistorted_inputs import undistorted_views
from dexman_pose.pose.observation.checked import (
    checked_frame,
    checked_mesh,
    checked_start,
    checked_symmetry,
    checked_views,
)
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.tracking.region_clip import track_by_region
from dexman_pose.pose.tracking.track_record import TrackStart
from dexman_pose.pose.tracking.verdict import judged_again
from dexman_pose.render.devices import device_name
from dexman_pose.symmetry.cache import symmetry_of

_NAME = "object"


def track_without_masks(
    mesh: MeshLike,
    clip: ClipLike,
    camera: CameraLike,
    start: PoseLike | None,
    start_frame: int,
    *,
    depth: DepthsLike | None = None,
    symmetry: SymmetryGroup | None = None,
    device: str = "cpu",
) -> PoseTrack:
    """Follow a known object from a known pose; see :func:`~dexman_pose.pose.api.track`.

    Raises:
        InputError: there is no start, the device is no CPU, or something does not fit the clip.
    """
    if start is None:
        raise InputError("track without masks follows the object from a pose: give start=(4, 4), or masks")
    if device_name(device) != "cpu":
        raise InputError(f"track without masks runs on the CPU, but got device={device!r}")
    opened = as_clip(clip)
    nothing = MaskSequence((_NAME,), opened.height, opened.width, opened.num_frames)
    opened, nothing, found, depths = checked_views(opened, nothing, camera, depth, _NAME)
    start_frame, shape = checked_frame(start_frame, opened), checked_mesh(mesh)
    group, pose = checked_symmetry(symmetry), checked_start(start, shape, found, "start")
    opened, nothing, found, depths = undistorted_views(opened, nothing, found, depths)
    begin = TrackStart(
        refiner_for(shape, outline_box(shape, pose, found)),
        start_frame,
        pose,
        symmetry=symmetry_of(shape) if group is None else group,
        given=True,
    )
    tracks = track_by_region(opened, found, {_NAME: begin}, depth=depths)
    return judged_again(tracks[_NAME], resized=False)


def outline_box(mesh: Mesh, pose: Array, camera: Camera) -> NDArray[np.bool_]:
    """(H, W) the box around a mesh at a pose (4, 4) in sight: as large as the object is seen."""
    pixels = camera.project(mesh.vertices @ pose[:3, :3].T + pose[:3, 3])
    limit = np.array([camera.width - 1, camera.height - 1])
    x0, y0 = np.floor(pixels.min(0)).clip(0, limit).astype(int)
    x1, y1 = np.ceil(pixels.max(0)).clip(0, limit).astype(int)
    out = np.zeros((camera.height, camera.width), np.bool_)
    out[y0 : y1 + 1, x0 : x1 + 1] = True
    return out
