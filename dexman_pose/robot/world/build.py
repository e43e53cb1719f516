"""One model of hands, objects and the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import matrix_from_quaternion, quaternion_from_matrix, se3
from dexman_pose.robot.assets.attached import site_name
from dexman_pose.robot.assets.floating import FloatingOptions
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.assets.rig import Rig, add_rig, hands_of
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.objects.model import (
    ContactOptions,
    SimulatedObject,
    add_object,
    add_table,
    body_name,
    friction_of,
)
from dexman_pose.robot.world.physics import PhysicsOptions, new_spec

POSE = 7
"""Numbers of a free body in a model's ``qpos``: place, quaternion wxyz."""
TIME = 1
"""Numbers before ``qpos`` in a state of the simulator."""


@dataclass(frozen=True)
class WorldOptions:
    """How the world is made.

    Attributes:
        physics: settings of the simulator.
        contact: friction.
        floating: how free hands are driven.
    """

    physics: PhysicsOptions = field(default_factory=PhysicsOptions)
    contact: ContactOptions = field(default_factory=ContactOptions)
    floating: FloatingOptions = field(default_factory=FloatingOptions)


@dataclass(frozen=True)
class World:
    """A model and where in it things are.

    Attributes:
        model: MuJoCo's, compiled.
        xml: the same, whole: no other file is needed to compile it again.
        objects: names.
        object_at: (O,) where each object's place begins in ``qpos``.
        joints: names of the other joints, in the order of ``qpos``.
        joint_at: (J,) where they are in ``qpos``.
        points: names of the touching points, ``<side>_<joint>``, in the order of the sensors.
        steps: of the simulation per control.
    """

    model: Any
    xml: str
    objects: tuple[str, ...]
    object_at: NDArray[np.intp]
    joints: tuple[str, ...]
    joint_at: NDArray[np.intp]
    points: tuple[str, ...]
    steps: int

    def start(self, joints: Array, poses: dict[str, Array]) -> Array:
        """``qpos`` for joints (J,) and world-from-object poses (4, 4)."""
        qpos = np.array(self.model.qpos0, np.float64)
        qpos[self.joint_at] = joints
        for name, at in zip(self.objects, self.object_at):
            qpos[at : at + 3] = poses[name][:3, 3]
            qpos[at + 3 : at + POSE] = quaternion_from_matrix(poses[name][:3, :3])
        return qpos

    def object_places(self, qpos: Array) -> Array:
        """Places and quaternions (..., O, 7) of the objects in ``qpos`` (..., nq)."""
        return np.asarray(qpos[..., self.object_at[:, None] + np.arange(POSE)])

    def object_poses(self, qpos: Array) -> Array:
        """World-from-object (..., O, 4, 4)."""
        numbers = self.object_places(qpos)
        return se3(matrix_from_quaternion(numbers[..., 3:]), numbers[..., :3])


def build_world(
    rig: Rig,
    things: Sequence[SimulatedObject],
    poses: dict[str, Array],
    options: WorldOptions | None = None,
) -> World:
    """Put hands and objects on a table.

    Args:
        rig: one or two free hands, or a body.
        things: the objects.
        poses: (4, 4) world from object at the beginning.
        options: settings.

    Raises:
        InputError: MuJoCo cannot make a model of them.
    """
    o = options or WorldOptions()
    spec = new_spec(o.physics)
    add_rig(spec, rig, o.floating)
    for geom in spec.geoms:
        geom.friction, geom.condim = friction_of(o.contact, o.contact.friction), o.contact.dimensions
    add_table(spec, o.contact)
    for thing in things:
        add_object(spec, thing, poses[thing.name], o.contact)
    _add_sensors(spec, hands_of(rig))
    _drop_unused_meshes(spec)
    _inline_meshes(spec)
    try:
        spec.compile()
        xml = spec.to_xml()
    except ValueError as error:
        raise InputError(
            f"no model could be made of hands and objects: {' '.join(str(error).split())}"
        ) from error
    return world_from_xml(xml)


def world_from_xml(xml: str) -> World:
    """The world of a model that :func:`build_world` made.

    Raises:
        InputError: it is no such model.
    """
    mj = mujoco()
    try:
        model = mj.MjModel.from_xml_string(xml)
    except ValueError as error:
        raise InputError(f"the model cannot be compiled: {' '.join(str(error).split())}") from error
    free: list[int] = []
    others: list[int] = []
    for i in range(model.njnt):
        (free if model.jnt_type[i] == mj.mjtJoint.mjJNT_FREE else others).append(i)
    names = [model.joint(i).name for i in free]
    start = body_name("")
    if not names or not all(name.startswith(start) for name in names):
        raise InputError("the model holds no free object")
    rate = 1.0 / PhysicsOptions().rate
    return World(
        model=model,
        xml=xml,
        objects=tuple(name.removeprefix(start) for name in names),
        object_at=np.array([model.jnt_qposadr[i] for i in free], np.intp),
        joints=tuple(model.joint(i).name for i in others),
        joint_at=np.array([model.jnt_qposadr[i] for i in others], np.intp),
        points=tuple(model.sensor(i).name for i in range(model.nsensor)),
        steps=round(rate / model.opt.timestep),
    )


def _add_sensors(spec: Any, hands: Sequence[HandDescription]) -> None:
    """Places of the points that touch, which simulations report without further work."""
    mj = mujoco()
    for hand in hands:
        for point in hand.touching:
            site = site_name(hand, point.joint)
            spec.add_sensor(
                name=site, type=mj.mjtSensor.mjSENS_FRAMEPOS, objtype=mj.mjtObj.mjOBJ_SITE, objname=site
            )


def _drop_unused_meshes(spec: Any) -> None:
    used = {geom.meshname for geom in spec.geoms}
    for mesh in list(spec.meshes):
        if mesh.name not in used:
            spec.delete(mesh)
    for material in list(spec.materials):
        spec.delete(material)


def _inline_meshes(spec: Any) -> None:
    """Put the corners of meshes from files into the model itself: they collide as convex hulls."""
    from dexman_pose.robot.world.mesh_files import hull_corners

    for mesh in spec.meshes:
        if mesh.file:
            mesh.uservert, mesh.file, mesh.scale = hull_corners(mesh), "", [1.0, 1.0, 1.0]
