"""Controls played in a simulation step by step, blindly: nothing of the planner is used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array, Bools
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.objects.model import body_name
from dexman_pose.robot.planning.members import Difference, different_model, different_start
from dexman_pose.robot.world.build import World


@dataclass(frozen=True)
class Episode:
    """What happened.

    Attributes:
        qpos: (T, nq) at each frame; no numbers from where the simulation broke.
        places: (T, O, 7) of the objects.
        touching: (T, P) whether the body of each of the world's points touches an object.
        force: (T, P) N, the normal force there.
    """

    qpos: Array
    places: Array
    touching: Bools
    force: Array


def replay(
    world: World, start: Array, controls: Array, *, settle: float, difference: Difference | None = None
) -> Episode:
    """Play controls.

    Args:
        world: the model.
        start: (nq,) before the objects settle.
        controls: (T, A), on straight ways between frames.
        settle: seconds at the first controls before the episode begins.
        difference: from the world, None for none.
    """
    mj = mujoco()
    model = world.model if difference is None else different_model(world, difference)
    data = mj.MjData(model)
    data.qpos[:] = start if difference is None else different_start(world, start, difference)
    data.ctrl[:] = controls[0]
    for _ in range(round(settle / model.opt.timestep)):
        mj.mj_step(model, data)
    bodies = _bodies(world)
    objects = {model.body(body_name(name)).id for name in world.objects}
    qpos, force = np.full((len(controls), model.nq), np.nan), np.zeros((len(controls), len(bodies)))
    for t in range(len(controls)):
        if _is_broken(data):
            break  # all things are back at their places
        qpos[t] = data.qpos
        force[t] = _forces(model, data, bodies, objects)
        ahead = controls[min(t + 1, len(controls) - 1)] - controls[t]
        for k in range(world.steps):
            data.ctrl[:] = controls[t] + ahead * (k / world.steps)
            mj.mj_step(model, data)
    return Episode(qpos, world.object_places(qpos), force > 0.0, force)


def _is_broken(data: object) -> bool:
    """Whether a state came to no number, upon which MuJoCo begins anew and goes on."""
    kinds = mujoco().mjtWarning
    bad = (kinds.mjWARN_BADQPOS, kinds.mjWARN_BADQVEL, kinds.mjWARN_BADQACC)
    return any(data.warning[int(kind)].number for kind in bad)  # type: ignore[attr-defined]


def _bodies(world: World) -> list[int]:
    """Body of each of the world's points."""
    model = world.model
    return [int(model.site_bodyid[model.sensor(name).objid[0]]) for name in world.points]


def _forces(model: object, data: object, bodies: list[int], objects: set[int]) -> Array:
    """(P,) N, normal forces between each point's body and objects."""
    mj = mujoco()
    out, one = np.zeros(len(bodies)), np.zeros(6)
    for i in range(data.ncon):  # type: ignore[attr-defined]
        contact = data.contact[i]  # type: ignore[attr-defined]
        first, second = (int(model.geom_bodyid[g]) for g in (contact.geom1, contact.geom2))  # type: ignore[attr-defined]
        if not ({first, second} & objects):
            continue
        other = second if first in objects else first
        if other in bodies:
            mj.mj_contactForce(model, data, i, one)
            out[bodies.index(other)] += one[0]
    return out
