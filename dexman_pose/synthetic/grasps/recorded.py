"""Measured grasps in files: an object's poses, the hand's joints, which frames hold a hand.

A file is an ``.npz`` with ``T_cam_obj`` (T, 4, 4) and ``hand_joints_cam`` (T, 21, 3), both in metres in one camera's
frame, ``hand_valid`` (T,), ``side`` and ``object``; the joints come in MANO's order where ``joint_order`` says ``HO3D``
or ``mano``, else in that of ``JOINT_NAMES``. Meshes are found by the object's name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import orthonormalize
from dexman_pose.hands.mano.layout import MANO_ORDER
from dexman_pose.meshing import load_mesh

_NEEDED = ("T_cam_obj", "hand_joints_cam", "hand_valid", "side", "object")
_MANO = ("ho3d", "mano")
_MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])
MESH_TYPES = (".obj", ".ply", ".glb", ".stl", ".off")


@dataclass(frozen=True)
class RecordedGrasp:
    """One grasp; T frames at 30 a second, metres, a camera's frame.

    Attributes:
        name: of the file, without its ending.
        object_name: what is grasped.
        mesh: of the object.
        side: of the hand.
        camera_from_object: (T, 4, 4).
        joints: (T, 21, 3) in the order of ``JOINT_NAMES``.
        valid: (T,) frames with a hand; joints of others mean nothing.
    """

    name: str
    object_name: str
    mesh: Mesh
    side: str
    camera_from_object: Array
    joints: Array
    valid: NDArray[np.bool_]

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.joints)

    def mirrored(self) -> RecordedGrasp:
        """The same grasp in a mirror: the other hand, and a mirrored object."""
        m = self.mesh
        flip = _MIRROR[:3, :3]
        uv = None if m.uv is None else m.uv[:, ::-1].copy()
        mesh = replace(m, vertices=m.vertices @ flip, faces=m.faces[:, ::-1].copy(), uv=uv)
        return replace(
            self,
            object_name=f"{self.object_name}_mirrored",
            mesh=mesh,
            side=SIDES[1 - SIDES.index(self.side)],
            camera_from_object=_MIRROR @ self.camera_from_object @ _MIRROR,
            joints=self.joints @ flip,
        )


def list_grasps(folder: str | Path) -> list[Path]:
    """The files of grasps in a folder, by name.

    Raises:
        InputError: no such folder, or no grasps in it.
    """
    found = sorted(Path(folder).glob("*.npz"))
    if not found:
        raise InputError(f"there are no grasps (.npz) in {folder}")
    return found


def read_grasp(path: str | Path, meshes: str | Path) -> RecordedGrasp:
    """Read a grasp and the mesh of its object.

    Args:
        path: of the ``.npz``.
        meshes: folder with a mesh file, or a folder with one, of the object's name; metres.

    Raises:
        InputError: no such file, an array is missing or of a wrong shape, no mesh of that name.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no file of arrays (.npz): {error}") from error
    missing = [name for name in _NEEDED if name not in arrays]
    if missing:
        raise InputError(f"{path.name} is no grasp: it lacks {', '.join(missing)}")
    poses, joints = arrays["T_cam_obj"].astype(np.float64), arrays["hand_joints_cam"].astype(np.float64)
    valid, side, name = arrays["hand_valid"].astype(np.bool_), str(arrays["side"]), str(arrays["object"])
    count = len(poses)
    if poses.shape != (count, 4, 4) or joints.shape != (count, 21, 3) or valid.shape != (count,):
        raise InputError(
            f"{path.name}: T_cam_obj must be (T, 4, 4), hand_joints_cam (T, 21, 3), hand_valid (T,), but got "
            f"{poses.shape}, {joints.shape}, {valid.shape}"
        )
    if side not in SIDES or not valid.any():
        raise InputError(f"{path.name}: side must be left or right and some frame valid, but got {side!r}")
    if str(arrays.get("joint_order", "")).lower() in _MANO:
        joints = joints[:, list(MANO_ORDER)]
    mesh = _kept_mesh(find_mesh(meshes, name))
    return RecordedGrasp(path.stem, name, mesh, side, orthonormalize(poses), joints, valid)


def find_mesh(folder: str | Path, name: str) -> Path:
    """The mesh file of an object: ``<folder>/<name>.*``, or the only one in ``<folder>/<name>/``.

    Raises:
        InputError: there is none, or there are several.
    """
    folder = Path(folder)
    near = [folder / f"{name}{ending}" for ending in MESH_TYPES]
    inside = sorted((folder / name).glob("*")) if (folder / name).is_dir() else []
    found = [p for p in [*near, *inside] if p.suffix.lower() in MESH_TYPES and p.is_file()]
    if len(found) != 1:
        names = ", ".join(p.name for p in found) or "none"
        raise InputError(
            f"{folder} should hold one mesh of {name!r}, as {name}.obj or {name}/*.obj; found: {names}"
        )
    return found[0]


@lru_cache(maxsize=8)
def _kept_mesh(path: Path) -> Mesh:
    return load_mesh(path, "m")
