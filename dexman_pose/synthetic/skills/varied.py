"""A plan in another place, with objects of another size, shape, mass and friction, ready to be played.

Moving a whole motion on the table changes nothing for free hands: base, objects and references are moved, the controls
carry over as they are. An object of another size or shape stands on the table with its own underside, so that it and
the hand that holds it are moved up or down together; fingers meet its surface a little earlier or later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import (
    matrix_from_quaternion,
    quaternion_from_matrix,
    se3,
    so3_exp,
    transform_points,
)
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.motion.window import same_sign
from dexman_pose.robot.objects.mass import mass_properties
from dexman_pose.robot.objects.model import body_name
from dexman_pose.robot.objects.pieces import PieceOptions, convex_pieces
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.robot.world.build import World
from dexman_pose.synthetic.skills.swaps import moved
from dexman_pose.synthetic.skills.variation import Variation


@dataclass(frozen=True)
class Varied:
    """A plan that differs, not played yet.

    Attributes:
        plan: with its own model, start and references; ``qpos`` and ``force`` are still those of the plan before.
        meshes: of its objects as they are seen, metres, in the objects' frames.
    """

    plan: Plan
    meshes: tuple[Mesh, ...]


def varied(
    plan: Plan, meshes: Sequence[Mesh], variation: Variation, swaps: Mapping[str, Mesh] | None = None
) -> Varied:
    """Make a plan differ.

    Args:
        plan: what is varied.
        meshes: of its objects, in its order, metres.
        variation: how.
        swaps: meshes that stand in for others, by name, put in their frames.

    Raises:
        InputError: the plan's hands are not free, or its model cannot be changed.
    """
    world = plan.world()
    spec = mujoco().MjSpec.from_string(plan.model)
    shown = shown_meshes(meshes, variation, swaps or {})
    rise = np.zeros(len(world.objects))
    for k, name in enumerate(world.objects):
        before = _pieces(world, name)
        if variation.meshes[k]:
            _reshape(spec, world, name, shown[k])
        elif variation.sizes[k] != 1.0:
            _resize(spec, name, meshes[k].center, variation.sizes[k])
        after = _spec_pieces(spec, name)
        turn = matrix_from_quaternion(plan.reference[0, k, 3:])
        rise[k] = min(float((p @ turn[2]).min()) for p in before) - min(
            float((p @ turn[2]).min()) for p in after
        )
        _weigh(spec, name, variation.masses[k])
    for geom in spec.geoms:
        geom.friction[0] *= variation.friction
    move = _placement(plan, variation)
    sides = [side for side in SIDES if spec.body(f"{side}_base") is not None]
    if not sides:
        raise InputError("only skills of free hands can be moved on the table; this plan's hands are on arms")
    for side in sides:
        base = spec.body(f"{side}_base")
        up = rise[_nearest(plan, world, side)]
        base.pos = transform_points(move, np.asarray(base.pos, np.float64)[None])[0] + [0.0, 0.0, up]
        base.quat = quaternion_from_matrix(move[:3, :3] @ matrix_from_quaternion(np.asarray(base.quat)))
    start = plan.start.copy()
    for k, at in enumerate(world.object_at):
        start[at : at + 7] = _moved(start[None, at : at + 7], move, rise[k])[0]
    spec.compile()
    made = replace(
        plan,
        model=spec.to_xml(),
        start=start,
        reference=_moved_all(plan.reference, move, rise),
        measured=_moved_all(plan.measured, move, rise),
    )
    return Varied(made, shown)


def shown_meshes(meshes: Sequence[Mesh], variation: Variation, swaps: Mapping[str, Mesh]) -> tuple[Mesh, ...]:
    """Meshes of the objects as they are seen: of a size, or others.

    Args:
        meshes: of the plan's objects, in its order.
        variation: how the demonstration differs.
        swaps: meshes that stand in for others, by name, put in their frames.
    """
    out = []
    for mesh, name, size in zip(meshes, variation.meshes, variation.sizes):
        chosen = swaps[name] if name else mesh
        out.append(moved(chosen, size * np.eye(3), (1.0 - size) * mesh.center))
    return tuple(out)


def _placement(plan: Plan, variation: Variation) -> Array:
    """(4, 4) that turns the motion about the vertical through the first object and puts that in its place."""
    turn = so3_exp(np.array([0.0, 0.0, variation.turn]))
    first = plan.reference[0, 0, :3] * [1.0, 1.0, 0.0]
    return se3(turn, np.array([*variation.place, 0.0]) - turn @ first)


def _moved(places: Array, move: Array, rise: float) -> Array:
    """Places and quaternions (T, 7) moved on the table and up."""
    turned = quaternion_from_matrix(move[:3, :3] @ matrix_from_quaternion(places[:, 3:]))
    where = transform_points(move, places[:, :3]) + [0.0, 0.0, rise]
    return np.concatenate([where, same_sign(turned)], axis=1)


def _moved_all(places: Array, move: Array, rise: Array) -> Array:
    """The same of (T, O, 7)."""
    return np.stack([_moved(places[:, k], move, float(up)) for k, up in enumerate(rise)], axis=1)


def _nearest(plan: Plan, world: World, side: str) -> int:
    """Index of the object that a hand's points come nearest to: it goes up and down with that one."""
    mj, model = mujoco(), world.model
    data = mj.MjData(model)
    points = [model.site(name).id for name in world.points if name.startswith(f"{side}_")]
    least = np.full(len(world.objects), np.inf)
    for qpos in plan.qpos[:: max(1, plan.num_frames // 30)]:
        if not np.isfinite(qpos).all():
            break
        data.qpos[:] = qpos
        mj.mj_kinematics(model, data)
        middle = data.site_xpos[points].mean(0)
        apart = np.linalg.norm(world.object_places(qpos)[:, :3] - middle, axis=1)
        least = np.minimum(least, apart)
    return int(np.argmin(least))


def _pieces(world: World, name: str) -> list[Array]:
    """Corners of an object's pieces in its frame, by the compiled model."""
    return _spec_pieces(mujoco().MjSpec.from_string(world.xml), name)


def _spec_pieces(spec: Any, name: str) -> list[Array]:
    wanted = [geom.meshname for geom in spec.body(body_name(name)).geoms]
    by_name = {mesh.name: mesh for mesh in spec.meshes}
    return [np.asarray(by_name[n].uservert, np.float64).reshape(-1, 3) for n in wanted]


def _resize(spec: Any, name: str, center: Array, size: float) -> None:
    """An object of another size about a point of its frame: as dense as it was."""
    body = spec.body(body_name(name))
    by_name = {mesh.name: mesh for mesh in spec.meshes}
    for geom in body.geoms:
        mesh = by_name[geom.meshname]
        corners = np.asarray(mesh.uservert, np.float64).reshape(-1, 3)
        mesh.uservert = (center + size * (corners - center)).astype(np.float32).reshape(-1)
    body.ipos = center + size * (np.asarray(body.ipos) - center)
    body.mass = float(body.mass) * size**3
    body.inertia = np.asarray(body.inertia) * size**5


def _reshape(spec: Any, world: World, name: str, mesh: Mesh) -> None:
    """An object of another shape: other pieces, as dense as the one it stands in for."""
    body, mj = spec.body(body_name(name)), mujoco()
    model = world.model
    old = list(body.geoms)
    friction, contact = list(old[0].friction), int(old[0].condim)
    volume = sum(_volume(piece) for piece in _pieces(world, name))
    density = float(model.body(body_name(name)).mass[0]) / volume
    gone = {geom.meshname for geom in old}
    for geom in old:
        spec.delete(geom)
    for unused in [m for m in spec.meshes if m.name in gone]:
        spec.delete(unused)
    pieces = convex_pieces(mesh, PieceOptions())
    weight = mass_properties(mesh, pieces, mass=density * sum(_volume(p) for p in pieces))
    for i, piece in enumerate(pieces):
        label = f"{body_name(name)}_{i}"
        spec.add_mesh(name=label, uservert=np.asarray(piece, np.float32).reshape(-1))
        geom = body.add_geom(name=label, type=mj.mjtGeom.mjGEOM_MESH, meshname=label, mass=0.0)
        geom.friction, geom.condim = friction, contact
    moments, axes = weight.principal()
    body.mass, body.ipos, body.inertia = weight.mass, weight.center, moments
    body.iquat, body.explicitinertial = quaternion_from_matrix(axes), True


def _volume(piece: Array) -> float:
    from scipy.spatial import ConvexHull

    return float(ConvexHull(piece).volume)


def _weigh(spec: Any, name: str, factor: float) -> None:
    body = spec.body(body_name(name))
    body.mass = float(body.mass) * factor
    body.inertia = np.asarray(body.inertia) * factor
