"""A trajectory in TACO's files: poses and joints in the world as ``.npy``, meshes in centimetres."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Trajectory
from dexman_pose.data.files import make_folder, write_json
from dexman_pose.data.meshes.obj import write_obj
from dexman_pose.data.tracks import SIDES
from dexman_pose.datasets.taco.models import ROLES
from dexman_pose.errors import InputError
from dexman_pose.exports.scene import plain_names
from dexman_pose.geometry import inverse, transform_points

SERIAL = "00000001"
"""Of the one camera."""

_CM = 100.0
_SEQUENCE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")


def write_taco(trajectory: Trajectory, path: Path, *, sequence: str = "20000101_001") -> Path:
    """Write one sequence into a folder in TACO's layout, version 1; several may share it; returns the folder.

    The first object is the tool, the second the target. Rows of frames that are not valid are NaN. Joints are in the
    order of our ``JOINT_NAMES``, which is that of version 1.

    Args:
        trajectory: of one or two objects.
        path: root of the data set.
        sequence: name of the sequence, letters, digits, ``_`` and ``-``.

    Raises:
        InputError: no object or more than two, a name that no file may have, a place that cannot be written.
    """
    if not _SEQUENCE.fullmatch(sequence):
        raise InputError(f"a sequence is named by letters, digits, _ and -, but got {sequence!r}")
    if not 0 < len(trajectory.objects) <= len(ROLES):
        raise InputError(
            f"TACO's layout holds a tool and a target, but there are {len(trajectory.objects)} objects: "
            f"{', '.join(trajectory.objects) or 'none'}; keep one or two"
        )
    ids = plain_names(trajectory.objects)
    named = dict(zip(ROLES, ids.values()))
    triplet = f"(hold, {named['tool']}, {named.get('target', 'none')})"

    def folder(kind: str) -> Path:
        made = path / kind / triplet / sequence
        make_folder(made)
        return made

    models = path / "Object_Models"
    make_folder(models)
    for role, (name, obj) in zip(ROLES, trajectory.objects.items()):
        write_obj(models / f"{ids[name]}_cm.obj", obj.mesh.scaled(_CM))
        poses = trajectory.world_from_camera @ obj.camera_from_object
        poses[~obj.valid] = np.nan
        np.save(folder("Object_Poses") / f"{role}_{ids[name]}.npy", poses)
    np.save(folder("Hand_Poses") / "hand_joints.npy", _joints(trajectory))
    write_json(folder("Allocentric_Camera_Parameters") / "calibration.json", {SERIAL: _camera(trajectory)})
    return path


def _joints(trajectory: Trajectory) -> Array:
    """(T, 2, 21, 3) world, left then right."""
    out = np.full((trajectory.num_frames, len(SIDES), 21, 3), np.nan)
    for side, hand in trajectory.hands.items():
        seen = transform_points(trajectory.world_from_camera, hand.joints)
        out[hand.valid, SIDES.index(side)] = seen[hand.valid]
    return out


def _camera(trajectory: Trajectory) -> dict[str, list[float]]:
    camera, pose = trajectory.camera, inverse(trajectory.world_from_camera)
    return {
        "imgSize": [camera.width, camera.height],
        "K": camera.K.reshape(-1).tolist(),
        "R": pose[:3, :3].reshape(-1).tolist(),
        "T": pose[:3, 3].tolist(),
        "distCoeff": [0.0] * 5,
    }
