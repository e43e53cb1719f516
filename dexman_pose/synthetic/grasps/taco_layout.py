"""A grasp film in TACO's layout, so that whatever reads that data set reads films: version 1, without MANO parameters.

The first object is the tool, the second the target; more than two have no place in the layout. The one camera is
there twice: as a fixed camera, with masks of every fifth frame, and as the head's, which alone has depth.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.files import make_folder, write_json
from dexman_pose.data.masks import OCCLUDER
from dexman_pose.data.tracks import SIDES
from dexman_pose.datasets.taco.media import FRAMES_PER_MASK
from dexman_pose.datasets.taco.models import ROLES
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.meshing import load_mesh
from dexman_pose.synthetic.demo.files import write_obj
from dexman_pose.synthetic.grasps.record import FilmRecord
from dexman_pose.synthetic.tiny_datasets.taco import write_depth

SERIAL = "00000001"
"""Of the fixed camera."""
DAY = "20000101"
"""First part of the names of sequences; the second is the seed."""
MASK_LABELS = {1: "tool", 2: "target", 3: "hand", 4: "hand"}
"""What the numbers in the masks mean: 3 is the left hand, 4 the right one."""


def write_taco_film(root: str | Path, record: FilmRecord, seed: int) -> str:
    """Write a film into a folder in TACO's layout and return the sequence's name.

    Args:
        root: of the data set; several films may share it.
        record: the film.
        seed: numbers the sequence.
    """
    root, truth = Path(root), record.truth
    name = f"{DAY}_{seed:03d}"
    named = {role: _plain(thing) for role, thing in zip(ROLES, truth.objects)}
    triplet = f"(hold, {named.get('tool', 'none')}, {named.get('target', 'none')})"

    def folder(kind: str) -> Path:
        made = root / kind / triplet / name
        make_folder(made)
        return made

    _write_objects(root / "object_models_released", folder("Object_Poses"), record, named)
    np.save(folder("Hand_Poses") / "hand_joints.npy", _joints(record))
    pose = truth.camera_from_world
    write_json(
        folder("Allocentric_Camera_Parameters") / "calibration.json",
        {
            SERIAL: {
                "imgSize": [int(n) for n in truth.size],
                "K": truth.K.reshape(-1).tolist(),
                "R": pose[:3, :3].reshape(-1).tolist(),
                "T": pose[:3, 3].tolist(),
                "distCoeff": np.zeros(5).tolist(),
            }
        },
    )
    head = folder("Egocentric_Camera_Parameters")
    np.savetxt(head / "egocentric_intrinsic.txt", truth.K)
    np.save(head / "egocentric_frame_extrinsic.npy", np.tile(pose, (truth.num_frames, 1, 1)))
    shutil.copyfile(record.video, folder("Allocentric_RGB_Videos") / f"{SERIAL}.mp4")
    shutil.copyfile(record.video, folder("Egocentric_RGB_Videos") / "color.mp4")
    depth = [record.depth_image(t) for t in range(truth.num_frames)]
    write_depth(folder("Egocentric_Depth_Videos") / "egocentric_depth.avi", depth)
    np.save(folder("2D_Segmentation") / f"{SERIAL}_masks.npy", _masks(record))
    return name


def _write_objects(models: Path, poses: Path, record: FilmRecord, named: dict[str, str]) -> None:
    make_folder(models)
    world_from_camera = inverse(record.truth.camera_from_world)
    for index, (role, object_id) in enumerate(named.items()):
        path = models / f"{object_id}_cm.obj"
        if not path.exists():
            mesh = load_mesh(record.mesh_path(record.truth.objects[index]), "m")
            write_obj(path, mesh.scaled(100.0))
        np.save(poses / f"{role}_{object_id}.npy", world_from_camera @ record.truth.camera_from_object[index])


def _joints(record: FilmRecord) -> NDArray[np.float64]:
    """(T, 2, 21, 3) world, left then right; NaN where there is no such hand."""
    truth = record.truth
    out = np.full((truth.num_frames, len(SIDES), 21, 3), np.nan)
    for side, joints in zip(truth.sides, truth.joints):
        out[:, SIDES.index(side)] = transform_points(inverse(truth.camera_from_world), joints)
    return out


def _masks(record: FilmRecord) -> NDArray[np.uint8]:
    """Labels of every fifth frame, as in :data:`MASK_LABELS`."""
    labels, hands = record.labels[::FRAMES_PER_MASK], record.hand_ids[::FRAMES_PER_MASK]
    out = np.where(labels <= len(ROLES), labels, 0).astype(np.uint8)
    for index, side in enumerate(record.truth.sides, 1):
        out[(labels == OCCLUDER) & (hands == index)] = 3 + SIDES.index(side)
    return out


def _plain(name: str) -> str:
    """A name that files of the data set may have."""
    return re.sub(r"[^0-9A-Za-z_-]", "_", name) or "thing"
