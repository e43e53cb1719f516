"""A trajectory in BOP's files: millimetres, rotations row by row, camera frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Clip, RigidObject, Trajectory
from dexman_pose.data.files import write_json
from dexman_pose.data.meshes.ply import write_ply
from dexman_pose.datasets.bop.results import BopEstimate, write_bop_results
from dexman_pose.exports.scene import plain_names
from dexman_pose.geometry import inverse
from dexman_pose.metrics import diameter

MM = 1000.0
"""Millimetres in a metre."""
SCENE = 0
"""Number of the one scene."""
SPLIT = "test"
"""Folder of the scene."""


def write_bop(trajectory: Trajectory, path: Path, *, clip: Clip | None = None) -> Path:
    """Write a data set of one scene; returns the folder.

    ``models/obj_000001.ply`` and so on in the order of the objects, ``models/models_info.json`` with diameter, box and
    symmetries, ``test/000000/scene_gt.json`` with the poses of valid frames, ``scene_camera.json`` with intrinsics
    and the world. Image numbers are frames. The object frame stays the trajectory's: BOP's own models are centred.

    Args:
        trajectory: what to write.
        path: the folder.
        clip: its pictures, written as ``rgb/000000.png`` ...; undistorted as ``trajectory.camera`` has them.
    """
    scene = path / SPLIT / f"{SCENE:06d}"
    info: dict[str, Any] = {}
    names = plain_names(trajectory.objects)
    for number, (name, obj) in enumerate(trajectory.objects.items(), start=1):
        write_ply(path / "models" / f"obj_{number:06d}.ply", obj.mesh.scaled(MM))
        info[str(number)] = {"name": names[name], **_info(obj)}
    write_json(path / "models" / "models_info.json", info)
    write_json(scene / "scene_camera.json", _cameras(trajectory))
    write_json(scene / "scene_gt.json", _truth(trajectory))
    if clip is not None:
        _write_pictures(scene / "rgb", clip)
    return path


def write_bop_csv(trajectory: Trajectory, path: Path) -> Path:
    """Write BOP's file of results, a row per object and valid frame, scores the confidences; returns the path."""
    return write_bop_results(
        path,
        [
            BopEstimate(SCENE, frame, number, float(obj.confidence[frame]), obj.camera_from_object[frame])
            for frame, number, obj in _valid(trajectory)
        ],
    )


def _valid(trajectory: Trajectory) -> Iterator[tuple[int, int, RigidObject]]:
    """Frame, number and object wherever a pose is valid, frame by frame."""
    for frame in range(trajectory.num_frames):
        for number, obj in enumerate(trajectory.objects.values(), start=1):
            if obj.valid[frame]:
                yield frame, number, obj


def _truth(trajectory: Trajectory) -> dict[str, list[dict[str, Any]]]:
    out: dict[str, list[dict[str, Any]]] = {str(frame): [] for frame in range(trajectory.num_frames)}
    for frame, number, obj in _valid(trajectory):
        pose = obj.camera_from_object[frame]
        entry = {"cam_R_m2c": _row_major(pose), "cam_t_m2c": (MM * pose[:3, 3]).tolist(), "obj_id": number}
        out[str(frame)].append(entry)
    return out


def _cameras(trajectory: Trajectory) -> dict[str, dict[str, Any]]:
    camera_from_world = inverse(trajectory.world_from_camera)
    entry = {
        "cam_K": trajectory.camera.K.reshape(-1).tolist(),
        "depth_scale": 1.0,
        "cam_R_w2c": _row_major(camera_from_world),
        "cam_t_w2c": (MM * camera_from_world[:3, 3]).tolist(),
    }
    return {str(frame): entry for frame in range(trajectory.num_frames)}


def _info(obj: RigidObject) -> dict[str, Any]:
    points = MM * obj.mesh.vertices[np.unique(obj.mesh.faces)]
    low, size = points.min(0).tolist(), np.ptp(points, axis=0).tolist()
    out: dict[str, Any] = {"diameter": diameter(points)}
    out |= {f"min_{axis}": value for axis, value in zip("xyz", low)}
    out |= {f"size_{axis}": value for axis, value in zip("xyz", size)}
    others = obj.symmetry[1:].copy()  # the first is the identity, which BOP leaves out
    if len(others):
        others[:, :3, 3] *= MM
        out["symmetries_discrete"] = others.reshape(len(others), -1).tolist()
    return out


def _row_major(pose: Array) -> list[float]:
    out: list[float] = pose[:3, :3].reshape(-1).tolist()
    return out


def _write_pictures(folder: Path, clip: Clip) -> None:
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for frame in range(clip.num_frames):
        Image.fromarray(clip.frame(frame)).save(folder / f"{frame:06d}.png")
