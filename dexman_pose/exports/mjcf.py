"""A trajectory as a MuJoCo scene: bodies with meshes, and one keyframe for each frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import JOINT_NAMES, Mesh, Trajectory
from dexman_pose.data.files import make_folder, write_bytes
from dexman_pose.data.meshes.obj import texture_file, write_obj
from dexman_pose.data.numbers import number, word
from dexman_pose.exports.scene import (
    continuous_quaternions,
    plain_names,
    stands_on_table,
    world_from_object,
    world_joints,
)
from dexman_pose.geometry import quaternion_from_matrix
from dexman_pose.meshing.colors import corner_tiles
from dexman_pose.viewer.palette import HAND_COLORS, RGB, object_colors

BODIES = ("mocap", "free")
"""Moved by nothing but keyframes and ``mocap_pos``; or falling, pushed and held, as things are."""

_JOINT_RADIUS = 0.006
_TABLE_REACH = 1.0  # metres from the origin to the edges of the table that is drawn
_GRAVITY = 9.81
_FLAT = 1e-6  # metres: a mesh thinner than this has no volume
_MUJOCO_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
_LIGHT = {"pos": "0 0 2", "dir": "0 0 -1", "directional": "true", "diffuse": ".5 .5 .5"}
_GREY = "0.75 0.73 0.7 1"


def write_mjcf(trajectory: Trajectory, path: Path, *, bodies: str = "mocap", density: float = 500.0) -> Path:
    """Write ``scene.xml`` and its meshes into a folder; returns the folder.

    The world is ours, z up with a table at z = 0 where the trajectory has one; else it is the camera's frame, without
    gravity. Keyframe ``frame_00012`` holds all poses of frame 12 and its time; in frames that are not valid the pose
    before.

    Args:
        trajectory: what to write.
        path: the folder.
        bodies: of objects, ``mocap`` or ``free``; hands are mocap balls that touch nothing.
        density: kg/m3 of free objects.

    Raises:
        InputError: neither objects nor hands; a place that cannot be written.
    """
    word(bodies, "bodies", BODIES)
    density = number(density, "density", above=0.0)
    make_folder(path)
    scene = _Scene(trajectory, path, bodies == "free", density)
    scene.build()
    ElementTree.indent(scene.root)
    write_bytes(path / "scene.xml", ElementTree.tostring(scene.root, encoding="utf-8"))
    return path


class _Scene:
    """Builds the tree of one scene, and keeps what the keyframes need in the order of its bodies."""

    def __init__(self, trajectory: Trajectory, folder: Path, free: bool, density: float) -> None:
        self.trajectory, self.folder, self.free, self.density = trajectory, folder, free, density
        self.root = ElementTree.Element("mujoco", model="dexman_pose")
        self.qpos: list[Array] = []
        self.places: list[Array] = []
        self.turns: list[Array] = []

    def build(self) -> None:
        t = self.trajectory
        on_table = stands_on_table(t)
        self.compiler = _add(self.root, "compiler", meshdir="meshes", texturedir="meshes")
        _add(self.root, "option", gravity=_text([0, 0, -_GRAVITY if on_table else 0]))
        visual = _add(self.root, "visual")
        _add(visual, "global", offwidth=str(t.camera.width), offheight=str(t.camera.height))
        _add(visual, "headlight", ambient=".35 .35 .35", diffuse=".5 .5 .5", specular="0 0 0")
        self.asset, self.world = _add(self.root, "asset"), _add(self.root, "worldbody")
        self._camera()
        if on_table:
            _add(self.world, "light", **_LIGHT)
            size = _text([_TABLE_REACH, _TABLE_REACH, 0.01])
            _add(self.world, "geom", name="table", type="plane", size=size, rgba=_GREY)
        names, colors = plain_names(t.objects), object_colors(t.objects)
        for name, obj in t.objects.items():
            self._object(names[name], obj.mesh, world_from_object(t, name), colors[name])
        for side in t.hands:
            self._hand(side)
        self._keyframes()

    def _object(self, name: str, mesh: Mesh, poses: Array, color: RGB) -> None:
        mesh = _painted(mesh)
        flat = _thickness(mesh) < _FLAT
        if flat:  # its moments of inertia miss MuJoCo's bound by rounding
            self.compiler.set("balanceinertia", "true")
        write_obj(self.folder / "meshes" / f"{name}.obj", mesh)
        _add(self.asset, "mesh", name=name, file=f"{name}.obj", inertia=_inertia(mesh, flat))
        look = {"rgba": _rgba(color)}
        if mesh.texture is not None:
            picture = texture_file(self.folder / "meshes" / name, mesh, png=True)
            _add(self.asset, "texture", name=name, type="2d", file=picture.name)
            _add(self.asset, "material", name=name, texture=name, specular="0", shininess="0")
            look = {"material": name}
        start = _pose(poses[0])
        body = _add(self.world, "body", name=name, **start, **({} if self.free else {"mocap": "true"}))
        if flat:
            look |= {"contype": "0", "conaffinity": "0"}
        turns = continuous_quaternions(poses[:, :3, :3])
        if self.free:
            _add(body, "freejoint", name=name)
            look["density"] = f"{self.density:g}"
            self.qpos.append(np.column_stack([poses[:, :3, 3], turns]))
        else:
            self.places.append(poses[:, :3, 3])
            self.turns.append(turns)
        _add(body, "geom", name=name, type="mesh", mesh=name, **look)

    def _hand(self, side: str) -> None:
        ways = world_joints(self.trajectory, side)
        for joint, way in zip(JOINT_NAMES, ways.swapaxes(0, 1)):
            name = f"{side}_{joint}"
            body = _add(self.world, "body", name=name, mocap="true", pos=_text(way[0]))
            look = {"rgba": _rgba(HAND_COLORS[side]), "contype": "0", "conaffinity": "0"}
            _add(body, "geom", name=name, type="sphere", size=_text([_JOINT_RADIUS]), **look)
            self.places.append(way)
            self.turns.append(np.tile([1.0, 0.0, 0.0, 0.0], (len(way), 1)))

    def _camera(self) -> None:
        t = self.trajectory
        camera = t.camera
        fx, fy, cx, cy = (float(camera.K[i, j]) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
        off = [cx - 0.5 * (camera.width - 1), 0.5 * (camera.height - 1) - cy]
        _add(
            self.world,
            "camera",
            name="film",
            **_pose(t.world_from_camera @ _MUJOCO_FROM_OPENCV),
            resolution=f"{camera.width} {camera.height}",
            sensorsize=_text([0.001 * camera.width, 0.001 * camera.height]),
            focalpixel=_text([fx, fy]),
            principalpixel=_text(off),
        )

    def _keyframes(self) -> None:
        keys = _add(self.root, "keyframe")
        for frame, time in enumerate(self.trajectory.frame_times.tolist()):
            values = {}
            if self.qpos:
                values["qpos"] = _text(np.concatenate([rows[frame] for rows in self.qpos]))
            if self.places:
                values["mpos"] = _text(np.concatenate([rows[frame] for rows in self.places]))
                values["mquat"] = _text(np.concatenate([rows[frame] for rows in self.turns]))
            _add(keys, "key", name=f"frame_{frame:05d}", time=repr(time), **values)


def _add(parent: ElementTree.Element, tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, tag, attributes)


def _pose(world_from_body: Array) -> dict[str, str]:
    return {
        "pos": _text(world_from_body[:3, 3]),
        "quat": _text(quaternion_from_matrix(world_from_body[:3, :3])),
    }


def _text(values: Array | list[float]) -> str:
    """Numbers with all their digits."""
    return " ".join(repr(float(x)) for x in values)


def _thickness(mesh: Mesh) -> float:
    """Metres of the mesh across its thinnest direction."""
    points = mesh.vertices[np.unique(mesh.faces)]
    centred = points - points.mean(0)
    return float(np.ptp(centred @ np.linalg.svd(centred, full_matrices=False)[2][-1]))


def _inertia(mesh: Mesh, flat: bool) -> str:
    """How MuJoCo is to weigh a mesh: by its own volume where it has one, else by its hull or its surface."""
    if flat:
        return "shell"
    solid = mesh.to_trimesh()
    solid.merge_vertices(merge_tex=True)
    return "exact" if solid.is_watertight and solid.volume > 0 else "convex"


def _painted(mesh: Mesh) -> Mesh:
    """MuJoCo knows no colours of vertices: they become a texture."""
    if mesh.vertex_colors is None or mesh.texture is not None:
        return mesh
    uv, texture = corner_tiles(mesh.vertex_colors[mesh.faces])
    return replace(mesh, uv=uv.astype(np.float32), texture=texture, vertex_colors=None)


def _rgba(color: RGB) -> str:
    return " ".join(f"{c / 255:.4f}" for c in color) + " 1"
