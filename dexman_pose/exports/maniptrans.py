"""A trajectory as the dictionaries that the data classes of ManipTrans return, one per hand and object.

Names, shapes and frames by reading their public code (``main/dataset``, April 2025). Their classes hold torch
tensors; here they are numpy arrays, so that the file opens anywhere.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from scipy.spatial import cKDTree

from dexman_pose.arrays import Array
from dexman_pose.data import JOINT_NAMES, Mesh, Trajectory
from dexman_pose.data.files import make_folder, write_bytes
from dexman_pose.data.meshes.obj import write_obj
from dexman_pose.errors import InputError
from dexman_pose.exports.scene import (
    frame_rate,
    plain_names,
    stands_on_table,
    world_from_object,
    world_joints,
)
from dexman_pose.geometry import transform_points
from dexman_pose.hands.model.moving import hand_skin

POINTS = 1000
"""Points on an object's surface."""
RATE = 120.0
"""Frames a second that their velocities are computed for, divided by ``skip``."""
WRIST_BEHIND = 0.25
"""Share of the way from the middle finger's knuckle to the wrist by which they move the wrist backwards."""

_DENSITY = 500.0
_PARTS = ("proximal", "intermediate", "distal", "tip")

WRIST_FROM_MANO: dict[str, Array] = {
    "right": np.array([[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]]),
    "left": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
}
"""Axes of MANO's template in our hand's frame: x along the hand (of a right one to the wrist), y out of
its back, z to the thumb."""


def write_maniptrans(trajectory: Trajectory, path: Path) -> Path:
    """Write ``HAND_OBJECT.pkl`` for every hand and object, meshes and URDFs beside them; returns the folder.

    World frame, z up, metres, float32. All frames are there, those that are not valid with the pose before; ``valid``
    says which.

    Raises:
        InputError: no hand, no object, no table and so no gravity.
    """
    if not trajectory.objects or not trajectory.hands:
        raise InputError("ManipTrans needs a hand and an object, but the trajectory lacks one of them")
    if not stands_on_table(trajectory):
        raise InputError("ManipTrans needs gravity, but the trajectory has no table; docs/world.md says why")
    make_folder(path)
    names = plain_names(trajectory.objects)
    for name, obj in trajectory.objects.items():
        write_obj(path / "meshes" / f"{names[name]}.obj", obj.mesh)
        write_bytes(path / "meshes" / f"{names[name]}.urdf", _urdf(names[name], obj.mesh))
    for side in trajectory.hands:
        hand = _hand(trajectory, side)
        for name in trajectory.objects:
            entry = hand | _object(trajectory, name, f"meshes/{names[name]}", hand)
            entry["valid"] = trajectory.hands[side].valid & trajectory.objects[name].valid
            write_bytes(path / f"{side}_{names[name]}.pkl", pickle.dumps(entry, protocol=4))
    return path


def _hand(trajectory: Trajectory, side: str) -> dict[str, Any]:
    joints = world_joints(trajectory, side)
    at = dict(zip(JOINT_NAMES, joints.swapaxes(0, 1)))
    mano: dict[str, Any] = {}
    for finger in ("index", "middle", "pinky", "ring", "thumb"):
        own = [n for n in JOINT_NAMES if n.startswith(finger)]
        mano |= {f"{finger}_{part}": at[n].astype(np.float32) for part, n in zip(_PARTS, own)}
    wrist, middle = at["wrist"], at["middle_mcp"]
    turned = hand_skin(trajectory, side).world_from_hand[:, :3, :3] @ WRIST_FROM_MANO[side]
    return {
        "wrist_pos": (wrist - WRIST_BEHIND * (middle - wrist)).astype(np.float32),
        "wrist_joint": wrist.astype(np.float32),
        "wrist_rot": turned.astype(np.float32),
        "mano_joints": mano,
        "side": side,
        "frame_times": trajectory.frame_times,
        "skip": RATE / frame_rate(trajectory),
        "scene_objs": [],
    }


def _object(trajectory: Trajectory, name: str, stem: str, hand: dict[str, Any]) -> dict[str, Any]:
    mesh = trajectory.objects[name].mesh
    points, _ = trimesh.sample.sample_surface(mesh.to_trimesh(), POINTS, seed=0)
    poses = world_from_object(trajectory, name)
    tips = np.stack(
        [hand["mano_joints"][f"{f}_tip"] for f in ("thumb", "index", "middle", "ring", "pinky")], 1
    )
    distance = np.stack([cKDTree(transform_points(p, points)).query(t)[0] for p, t in zip(poses, tips)])
    return {
        "data_path": f"{hand['side']}_{Path(stem).name}.pkl",
        "obj_id": Path(stem).name,
        "obj_mesh_path": f"{stem}.obj",
        "obj_urdf_path": f"{stem}.urdf",
        "obj_verts": np.asarray(points, np.float32),
        "obj_trajectory": poses.astype(np.float32),
        "tips_distance": distance.astype(np.float32),
    }


def _urdf(name: str, mesh: Mesh) -> bytes:
    """One link whose mass and inertia are those of the mesh's convex hull at a usual density."""
    hull = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).convex_hull
    hull.density = _DENSITY
    i, c = hull.moment_inertia, hull.center_mass
    entries = {"ixx": i[0, 0], "iyy": i[1, 1], "izz": i[2, 2], "ixy": i[0, 1], "ixz": i[0, 2], "iyz": i[1, 2]}
    inertia = " ".join(f'{key}="{value:.9g}"' for key, value in entries.items())
    shape = f'<origin xyz="0 0 0" rpy="0 0 0"/><geometry><mesh filename="{name}.obj"/></geometry>'
    return (
        f'<?xml version="1.0"?>\n<robot name="{name}">\n  <link name="{name}">\n'
        f'    <inertial><origin xyz="{c[0]:.9g} {c[1]:.9g} {c[2]:.9g}" rpy="0 0 0"/>'
        f'<mass value="{hull.mass:.9g}"/><inertia {inertia}/></inertial>\n'
        f"    <visual>{shape}</visual>\n    <collision>{shape}</collision>\n  </link>\n</robot>\n"
    ).encode()
