"""A world's model taken apart: Genesis wants hands and each object as models of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.objects.model import body_name
from dexman_pose.robot.world.build import World


@dataclass(frozen=True)
class Parts:
    """Models as MuJoCo's XML.

    Attributes:
        hands: all of them, with their motors, without objects and table.
        objects: by name, each free.
    """

    hands: str
    objects: dict[str, str]


def parts_of(world: World) -> Parts:
    """Take a world apart."""
    model, mj = world.model, mujoco()
    first = [str(model.body(i).name) for i in range(1, model.nbody) if model.body_parentid[i] == 0]
    things = {body_name(name): name for name in world.objects}
    return Parts(
        hands=_only(mj, world.xml, [name for name in first if name not in things]),
        objects={name: _only(mj, world.xml, [body]) for body, name in things.items()},
    )


def _only(mj: Any, xml: str, wanted: list[str]) -> str:
    """The model with those bodies of the first level alone, and without the table."""
    spec = mj.MjSpec.from_string(xml)
    for extra in (*spec.sensors, *spec.worldbody.geoms):
        spec.delete(extra)
    for body in list(spec.worldbody.bodies):
        if body.name not in wanted:
            spec.delete(body)
    used = {geom.meshname for geom in spec.geoms}
    for mesh in list(spec.meshes):
        if mesh.name not in used:
            spec.delete(mesh)
    spec.compile()
    return str(spec.to_xml())


@dataclass(frozen=True)
class Driven:
    """Which joint each target of Genesis is of, and how it follows from the controls.

    Genesis has no tendons: a motor of two joints becomes two servos, each of which gets half of what the motor gets.

    Attributes:
        joints: names.
        motor: (K,) index of the control.
        share: (K,) of it.
    """

    joints: tuple[str, ...]
    motor: NDArray[np.intp]
    share: Array

    def targets(self, controls: Array) -> Array:
        """Targets (..., K) of controls (..., A)."""
        return np.asarray(controls[..., self.motor] * self.share)


def driven_by(world: World) -> Driven:
    """What a world's motors drive."""
    mj, model = mujoco(), world.model
    joints: list[str] = []
    motor: list[int] = []
    share: list[float] = []
    for i in range(model.nu):
        of = int(model.actuator_trnid[i, 0])
        if model.actuator_trntype[i] == mj.mjtTrn.mjTRN_TENDON:
            first, count = int(model.tendon_adr[of]), int(model.tendon_num[of])
            ids = [int(model.wrap_objid[k]) for k in range(first, first + count)]
        else:
            ids = [of]
        joints += [str(model.joint(j).name) for j in ids]
        motor += [i] * len(ids)
        share += [1.0 / len(ids)] * len(ids)
    return Driven(tuple(joints), np.array(motor, np.intp), np.array(share))
