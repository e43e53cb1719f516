"""A free object in a model: convex pieces that collide, mass and inertia that are stated, friction that is stated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.geometry.se3 import quaternion_from_matrix
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.objects.mass import DENSITY, MassProperties, mass_properties
from dexman_pose.robot.objects.pieces import PieceOptions, convex_pieces


@dataclass(frozen=True)
class ContactOptions:
    """What happens where things touch. MuJoCo takes the larger friction of a pair.

    Attributes:
        friction: along the surface, of hands and objects.
        table_friction: of the table.
        torsion: metres, against turning on the spot.
        rolling: metres, against rolling.
        dimensions: of the contact: 4 knows sliding and turning, 6 rolling too.
    """

    friction: float = 1.0
    table_friction: float = 1.0
    torsion: float = 0.01
    rolling: float = 0.0005
    dimensions: int = 4


@dataclass(frozen=True)
class SimulatedObject:
    """An object ready to be simulated.

    Attributes:
        name: its name.
        pieces: corners (N, 3) of its convex pieces, metres, object frame.
        mass: how heavy it is.
    """

    name: str
    pieces: tuple[Array, ...]
    mass: MassProperties

    def lowest(self, rotation: Array) -> float:
        """Height of the lowest corner above the object's origin when turned by (3, 3) world from object, metres."""
        return float(min((piece @ rotation[2]).min() for piece in self.pieces))


@dataclass(frozen=True)
class ObjectOptions:
    """How objects are made.

    Attributes:
        pieces: how meshes are cut.
        density: kg/m3 of objects whose mass is not given.
        masses: kg by object's name.
    """

    pieces: PieceOptions = field(default_factory=PieceOptions)
    density: float = DENSITY
    masses: dict[str, float] = field(default_factory=dict)


def simulated_object(name: str, mesh: Mesh, options: ObjectOptions | None = None) -> SimulatedObject:
    """Cut an object into pieces and weigh it.

    Raises:
        MeshError: the mesh has no volume.
        MissingExtraError: it is not convex, and ``coacd`` is not installed.
    """
    o = options or ObjectOptions()
    pieces = convex_pieces(mesh, o.pieces)
    return SimulatedObject(
        name, pieces, mass_properties(mesh, pieces, mass=o.masses.get(name), density=o.density)
    )


def body_name(name: str) -> str:
    """Name of an object's body in a model; no hand's begins like it."""
    return f"object_{name}"


def add_object(spec: Any, thing: SimulatedObject, world_from_object: Array, contact: ContactOptions) -> None:
    """Add a free object to a model.

    Args:
        spec: an ``MjSpec``.
        thing: the object.
        world_from_object: (4, 4) at the beginning.
        contact: friction.
    """
    mj = mujoco()
    name = body_name(thing.name)
    quaternion = quaternion_from_matrix(world_from_object[:3, :3])
    body = spec.worldbody.add_body(name=name, pos=world_from_object[:3, 3], quat=quaternion)
    body.add_freejoint(name=name)
    moments, axes = thing.mass.principal()
    body.mass, body.ipos, body.inertia = thing.mass.mass, thing.mass.center, moments
    body.iquat, body.explicitinertial = quaternion_from_matrix(axes), True
    for i, piece in enumerate(thing.pieces):
        mesh = f"{name}_{i}"
        spec.add_mesh(name=mesh, uservert=np.asarray(piece, np.float32).reshape(-1))
        geom = body.add_geom(name=mesh, type=mj.mjtGeom.mjGEOM_MESH, meshname=mesh, mass=0.0)
        geom.friction, geom.condim = friction_of(contact, contact.friction), contact.dimensions


def add_table(spec: Any, contact: ContactOptions) -> None:
    """Add the table: the plane z = 0."""
    table = spec.worldbody.add_geom(name="table", type=mujoco().mjtGeom.mjGEOM_PLANE, size=[1.0, 1.0, 0.1])
    table.friction, table.condim = friction_of(contact, contact.table_friction), contact.dimensions


def friction_of(contact: ContactOptions, sliding: float) -> list[float]:
    """The three frictions of a geom."""
    return [sliding, contact.torsion, contact.rolling]
