"""A trajectory as an animated glTF scene in one GLB file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import JOINT_NAMES, Mesh, Trajectory
from dexman_pose.data.files import write_bytes
from dexman_pose.data.meshes.glb import WHITE, add_mesh
from dexman_pose.data.meshes.gltf_parts import ARRAY_BUFFER, GltfParts
from dexman_pose.data.numbers import word
from dexman_pose.exports.scene import (
    continuous_quaternions,
    plain_names,
    stands_on_table,
    world_from_object,
    world_joints,
)
from dexman_pose.geometry import quaternion_from_matrix
from dexman_pose.hands.model.moving import PARENTS, HandSkin, hand_skin
from dexman_pose.viewer.palette import HAND_COLORS, object_colors

HANDS = ("skin", "joints", "both")
"""What is shown of hands."""

_JOINT_RADIUS = 0.004
_INFLUENCES = 4  # bones per vertex that every viewer supports
_Y_UP_FROM_Z_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
_Y_UP_FROM_CAMERA = np.diag([1.0, -1.0, -1.0])
_GLTF_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])


def write_gltf(trajectory: Trajectory, path: Path, *, hands: str = "both") -> Path:
    """Write an animated GLB, +Y up, metres, seconds; returns the path.

    The node ``world`` turns our world to glTF's axes; below it everything has its pose in our world. Objects are
    hidden (scale 0) in frames whose pose is not valid. Hands are a skinned mesh on 16 bones, and 21 small balls at
    the joints.

    Args:
        trajectory: what to write.
        path: the ``.glb``.
        hands: ``skin``, ``joints`` or ``both``.
    """
    word(hands, "hands", HANDS)
    parts = GltfParts()
    turned = _Y_UP_FROM_Z_UP if stands_on_table(trajectory) else _Y_UP_FROM_CAMERA
    root = parts.node("world", rotation=_xyzw(quaternion_from_matrix(turned)))
    times = parts.array(trajectory.frame_times)
    _add_camera(parts, trajectory, root)
    names, colors = plain_names(trajectory.objects), object_colors(trajectory.objects)
    for name, obj in trajectory.objects.items():
        shape = add_mesh(parts, names[name], obj.mesh, colors[name])
        node = parts.node(
            names[name], root, mesh=shape, extras={"name": name, "scale_source": obj.scale_source}
        )
        poses = world_from_object(trajectory, name)
        _follow(parts, node, times, poses)
        _hide(parts, node, times, obj.valid)
    ball = add_mesh(parts, "joint", _ball(), WHITE) if trajectory.hands and hands != "skin" else None
    for side, hand in trajectory.hands.items():
        holder = parts.node(f"{side}_hand", root)
        _hide(parts, holder, times, hand.valid)
        if ball is not None:
            for joint, way in zip(JOINT_NAMES, world_joints(trajectory, side).swapaxes(0, 1)):
                node = parts.node(f"{side}_{joint}", holder, mesh=ball)
                parts.animate(node, "translation", times, way)
        if hands != "joints":
            _add_skin(parts, hand_skin(trajectory, side), side, holder, times, root)
    return write_bytes(path, parts.glb(root, _extras(trajectory, names), path.stem))


def _follow(parts: GltfParts, node: int, times: int, poses: Array) -> None:
    parts.animate(node, "translation", times, poses[:, :3, 3])
    parts.animate(node, "rotation", times, _xyzw_rows(continuous_quaternions(poses[:, :3, :3])))


def _hide(parts: GltfParts, node: int, times: int, valid: NDArray[np.bool_]) -> None:
    """Make a node vanish where it is not valid: glTF itself knows no other way that all viewers show."""
    if not valid.all():
        parts.animate(node, "scale", times, np.repeat(valid[:, None].astype(float), 3, axis=1), "STEP")


def _add_skin(parts: GltfParts, skin: HandSkin, side: str, holder: int, times: int, root: int) -> None:
    model = skin.model
    joints = [parts.node(f"{side}_palm_bone", holder)]
    _follow(parts, joints[0], times, skin.world_from_hand)
    pivots, carried = skin.pivots, skin.bones()
    for b, parent in enumerate(PARENTS[1:], start=1):
        offset = (pivots[b] - pivots[parent]).tolist()
        joints.append(parts.node(f"{side}_bone_{b}", joints[parent], translation=offset))
        local = np.swapaxes(carried[:, parent, :3, :3], -1, -2) @ carried[:, b, :3, :3]
        parts.animate(joints[b], "rotation", times, _xyzw_rows(continuous_quaternions(local)))
    binds = np.tile(np.eye(4), (len(pivots), 1, 1))
    binds[:, :3, 3] = -pivots
    entry = {
        "joints": joints,
        "skeleton": joints[0],
        "inverseBindMatrices": parts.array(binds.swapaxes(-1, -2).reshape(-1, 16)),
    }
    surface = Mesh(model.rest_vertices, model.faces, vertex_colors=model.vertex_colors)
    mesh = add_mesh(parts, f"{side}_hand", surface, HAND_COLORS[side])
    bone, weight = strongest(skin.weights)
    attributes = parts.content["meshes"][mesh]["primitives"][0]["attributes"]
    attributes["JOINTS_0"] = parts.array(bone, "u1", ARRAY_BUFFER)
    attributes["WEIGHTS_0"] = parts.array(weight, target=ARRAY_BUFFER)
    parts.node(f"{side}_skin", root, mesh=mesh, skin=parts.add("skins", entry))


def strongest(weights: Array) -> tuple[NDArray[np.intp], Array]:
    """(V, 4) bones of the largest weights of each vertex, and these weights (V, 4), which add up to 1."""
    bone = np.argsort(-weights, axis=1, kind="stable")[:, :_INFLUENCES]
    kept = np.take_along_axis(weights, bone, axis=1)
    bone = np.where(kept > 0, bone, 0)
    share: Array = kept / kept.sum(1, keepdims=True)
    return bone, share


def _add_camera(parts: GltfParts, trajectory: Trajectory, root: int) -> None:
    camera = trajectory.camera
    fx, fy = float(camera.K[0, 0]), float(camera.K[1, 1])
    lens = {
        "aspectRatio": camera.width * fy / (camera.height * fx),
        "yfov": float(2.0 * np.arctan(0.5 * camera.height / fy)),
        "znear": 0.01,
    }
    entry = {"type": "perspective", "perspective": lens, "extras": {"K": camera.K.tolist()}}
    pose = trajectory.world_from_camera @ _GLTF_FROM_OPENCV
    parts.node(
        "camera",
        root,
        camera=parts.add("cameras", entry),
        translation=pose[:3, 3].tolist(),
        rotation=_xyzw(quaternion_from_matrix(pose[:3, :3])),
    )


def _extras(trajectory: Trajectory, names: dict[str, str]) -> dict[str, Any]:
    """What glTF has no place for."""
    return {
        "world": "table, z up" if stands_on_table(trajectory) else "camera",
        "valid": {names[n]: o.valid.astype(int).tolist() for n, o in trajectory.objects.items()}
        | {f"{side}_hand": hand.valid.astype(int).tolist() for side, hand in trajectory.hands.items()},
    }


def _ball() -> Mesh:
    shape = trimesh.creation.icosphere(1, _JOINT_RADIUS)
    return Mesh(np.asarray(shape.vertices), np.asarray(shape.faces))


def _xyzw(wxyz: Array) -> list[float]:
    out: list[float] = np.roll(wxyz, -1).tolist()
    return out


def _xyzw_rows(wxyz: Array) -> Array:
    out: Array = np.roll(wxyz, -1, axis=-1)
    return out
