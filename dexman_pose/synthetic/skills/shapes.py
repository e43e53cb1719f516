"""A robot's hand as it is drawn: the shapes of a model's bodies, posed by its joints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.geometry.clustering import clustered
from dexman_pose.geometry.se3 import matrix_from_quaternion
from dexman_pose.robot.engine import mujoco
from dexman_pose.synthetic.scenes.shape_parts import corner_normals
from dexman_pose.synthetic.studio.colors import FloatImage, linear

_DIGITS = 6  # to which corners are alike


@dataclass(frozen=True)
class ShapeOptions:
    """How shapes are drawn.

    Attributes:
        cell: metres, of the grid on which fine meshes are made coarser.
        edge: metres, longest edge of a face: light is found at corners.
        sides: of round things.
        plain: colour of what has none, grey levels 0..1.
    """

    cell: float = 0.0025
    edge: float = 0.01
    sides: int = 24
    plain: tuple[float, float, float] = (0.32, 0.33, 0.36)


@dataclass(frozen=True)
class BodyShape:
    """What is seen of one body.

    Attributes:
        body: its index in the model.
        vertices: (V, 3) metres, the body's frame; at edges one for each side.
        faces: (F, 3) of them.
        normals: (V, 3) unit, outward.
        colors: (V, 3) linear light that is given back.
    """

    body: int
    vertices: Array
    faces: NDArray[np.int32]
    normals: Array
    colors: FloatImage


def hand_shapes(
    model: Any, side: str, file: Path | None = None, options: ShapeOptions | None = None
) -> tuple[BodyShape, ...]:
    """Find the shapes of a hand's bodies.

    Args:
        model: MuJoCo's, of a plan's world.
        side: of the hand; its bodies' names begin with it.
        file: the robot's own description: what it holds to be seen is drawn; None to draw what collides.
        options: how fine.
    """
    o = options or ShapeOptions()
    seen = _visual(file, o) if file is not None else {}
    out = []
    for body in range(model.nbody):
        name = model.body(body).name
        if not name.startswith(f"{side}_"):
            continue
        parts = seen.get(name.removeprefix(f"{side}_")) or _parts(model, body, o, lambda geom: True)
        if parts:
            out.append(_joined(body, parts, o))
    return tuple(out)


def coarse_mesh(model: Any, side: str, options: ShapeOptions | None = None) -> list[tuple[int, Mesh]]:
    """What collides of a hand, body by body: few faces, which cast its shadow."""
    o = options or ShapeOptions()
    out = []
    for body in range(model.nbody):
        if not model.body(body).name.startswith(f"{side}_"):
            continue
        out += [(body, Mesh(v, f)) for v, f, _ in _parts(model, body, o, lambda geom: True)]
    return out


Part = tuple[Array, NDArray[np.int32], Array]
"""Vertices (V, 3) in the body's frame, faces (F, 3), colour (3,)."""


def _visual(file: Path, o: ShapeOptions) -> dict[str, list[Part]]:
    """Parts that are only to be seen, by body, of a robot's own description."""
    mj = mujoco()
    model = mj.MjModel.from_xml_path(str(file))

    def only_seen(geom: int) -> bool:
        return not model.geom_contype[geom] and not model.geom_conaffinity[geom]

    found = {model.body(b).name: _parts(model, b, o, only_seen) for b in range(model.nbody)}
    return {name: parts for name, parts in found.items() if parts}


def _parts(model: Any, body: int, o: ShapeOptions, wanted: Callable[[int], bool]) -> list[Part]:
    out = []
    for geom in np.flatnonzero(model.geom_bodyid == body):
        if not wanted(int(geom)):
            continue
        shape = _shape(model, int(geom), o)
        if shape is None:
            continue
        vertices, faces = shape
        turn = matrix_from_quaternion(np.asarray(model.geom_quat[geom], np.float64))
        out.append((vertices @ turn.T + model.geom_pos[geom], faces, _color(model, int(geom), o)))
    return out


def _color(model: Any, geom: int, o: ShapeOptions) -> Array:
    """Of a geom or its material; MuJoCo's plain grey stands for none."""
    material = int(model.geom_matid[geom])
    rgba = model.mat_rgba[material] if material >= 0 else model.geom_rgba[geom]
    unset = material < 0 and np.allclose(rgba[:3], 0.5)
    return np.asarray(o.plain if unset else rgba[:3], np.float64)


def _shape(model: Any, geom: int, o: ShapeOptions) -> tuple[Array, NDArray[np.int32]] | None:
    """Vertices and faces of a geom in its own frame; None of a plane and other endless things."""
    import trimesh

    mj = mujoco()
    kind, size = int(model.geom_type[geom]), np.asarray(model.geom_size[geom], np.float64)
    kinds = mj.mjtGeom
    if kind == kinds.mjGEOM_MESH:
        return _mesh(model, int(model.geom_dataid[geom]), o)
    if kind == kinds.mjGEOM_BOX:
        made = trimesh.creation.box(2.0 * size)
    elif kind == kinds.mjGEOM_SPHERE:
        made = trimesh.creation.icosphere(3, size[0])
    elif kind == kinds.mjGEOM_ELLIPSOID:
        made = trimesh.creation.icosphere(3, 1.0)
        made.apply_scale(size)
    elif kind == kinds.mjGEOM_CYLINDER:
        made = trimesh.creation.cylinder(size[0], 2.0 * size[1], sections=o.sides)
    elif kind == kinds.mjGEOM_CAPSULE:
        made = trimesh.creation.capsule(2.0 * size[1], size[0], count=[o.sides, o.sides])
        made.apply_translation(-made.bounds.mean(0))
    else:
        return None
    return np.asarray(made.vertices, np.float64), np.asarray(made.faces, np.int32)


def _mesh(model: Any, mesh: int, o: ShapeOptions) -> tuple[Array, NDArray[np.int32]]:
    """A mesh of the model; one without faces of its own as the hull of its corners."""
    at, count = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
    first, faces = int(model.mesh_faceadr[mesh]), int(model.mesh_facenum[mesh])
    vertices = np.asarray(model.mesh_vert[at : at + count], np.float64)
    triangles = np.asarray(model.mesh_face[first : first + faces], np.int32)
    cells = int(np.ceil(np.ptp(vertices, axis=0).max() / o.cell))
    coarse = clustered(vertices, triangles, max(cells, 1))
    if coarse is None or len(coarse[1]) >= len(triangles):
        return vertices, triangles
    return coarse[0], np.asarray(coarse[1], np.int32)


def _joined(body: int, parts: list[Part], o: ShapeOptions) -> BodyShape:
    """The parts of a body, edges short enough; corners of a place and a normal are one."""
    import trimesh

    corners = []
    for points, faces, color in parts:
        finer = trimesh.remesh.subdivide_to_size(points, faces, o.edge)
        vertices, triangles = np.asarray(finer[0], np.float64), np.asarray(finer[1])
        normals = corner_normals(vertices, triangles).reshape(-1, 3)
        light = np.tile(linear(np.asarray(color)), (3 * len(triangles), 1))
        corners.append(np.concatenate([vertices[triangles].reshape(-1, 3), normals, light], axis=1))
    every = np.concatenate(corners)
    _, first, index = np.unique(np.round(every, _DIGITS), axis=0, return_index=True, return_inverse=True)
    kept = every[first]
    return BodyShape(
        body,
        kept[:, :3],
        index.reshape(-1, 3).astype(np.int32),
        kept[:, 3:6],
        kept[:, 6:].astype(np.float32),
    )


class PosedRobotHand:
    """A robot's hand in the world, as it is drawn.

    Args:
        shapes: of its bodies.
        coarse: what casts its shadow, body by body.
        rotations: (B, 3, 3) of the model's bodies, world from body.
        places: (B, 3) metres.
    """

    both_sides = True

    def __init__(
        self,
        shapes: tuple[BodyShape, ...],
        coarse: list[tuple[int, Mesh]],
        rotations: Array,
        places: Array,
    ) -> None:
        self.vertices: Array = np.concatenate(
            [s.vertices @ rotations[s.body].T + places[s.body] for s in shapes]
        )
        self.normals: Array = np.concatenate([s.normals @ rotations[s.body].T for s in shapes])
        self._colors = np.concatenate([s.colors for s in shapes])
        before = np.cumsum([0, *(len(s.vertices) for s in shapes)])
        self._faces: NDArray[np.int32] = np.concatenate(
            [s.faces + np.int32(count) for s, count in zip(shapes, before)]
        )
        self.shadow = _merged(coarse, rotations, places)

    @property
    def faces(self) -> NDArray[np.int32]:
        """(F, 3) of the vertices."""
        return self._faces

    def cloth(self) -> Array:
        """(V,) 1: nothing of it is skin."""
        return np.ones(len(self.vertices))

    def albedo(self) -> FloatImage:
        """(V, 3) linear colours."""
        return self._colors


def _merged(parts: list[tuple[int, Mesh]], rotations: Array, places: Array) -> Mesh:
    vertices, faces, count = [], [], 0
    for body, mesh in parts:
        vertices.append(mesh.vertices @ rotations[body].T + places[body])
        faces.append(mesh.faces + count)
        count += len(mesh.vertices)
    return Mesh(np.concatenate(vertices), np.concatenate(faces))
