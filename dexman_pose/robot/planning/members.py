"""Worlds that differ a little from the one that is believed in, each with a state of its own."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.objects.model import body_name
from dexman_pose.robot.planning.options import Spread
from dexman_pose.robot.world.build import World


@dataclass(frozen=True)
class Difference:
    """How a world differs.

    Attributes:
        offset: (O, 2) metres along x and y that each object starts beside its place.
        friction: factor on all friction along surfaces.
        mass: (O,) factors on the objects' masses.
    """

    offset: Array
    friction: float
    mass: Array


def no_difference(objects: int) -> Difference:
    """The world that is believed in."""
    return Difference(np.zeros((objects, 2)), 1.0, np.ones(objects))


def drawn_differences(count: int, objects: int, spread: Spread, rng: np.random.Generator) -> list[Difference]:
    """Draw worlds evenly within the spread, each independent of the others."""
    return [
        Difference(
            rng.uniform(-spread.offset, spread.offset, (objects, 2)),
            float(rng.uniform(1.0 - spread.friction, 1.0 + spread.friction)),
            rng.uniform(1.0 - spread.mass, 1.0 + spread.mass, objects),
        )
        for _ in range(count)
    ]


def spread_differences(
    count: int, objects: int, spread: Spread, rng: np.random.Generator
) -> list[Difference]:
    """Worlds for planning: the believed one, and others at the rim of the spread that lie evenly around it.

    Things held at low friction or great mass are lost first, so those come in pairs with the other; offsets point
    into directions that are evenly apart.
    """
    out = [no_difference(objects)]
    others = count - 1
    if others <= 0:
        return out
    turn = rng.uniform(0.0, 2.0 * np.pi)
    shares = (np.arange(others) + 0.5) / others
    friction = 1.0 + spread.friction * (2.0 * rng.permutation(shares) - 1.0)
    mass = 1.0 + spread.mass * (2.0 * rng.permutation(shares) - 1.0)
    for i in range(others):
        angles = turn + 2.0 * np.pi * i / others + np.arange(objects) * np.pi
        offset = spread.offset * np.stack([np.cos(angles), np.sin(angles)], 1)
        out.append(Difference(offset, float(friction[i]), np.full(objects, mass[i])))
    return out


def different_model(world: World, difference: Difference) -> Any:
    """The world's model with other friction and masses."""
    mj = mujoco()
    model = copy.copy(world.model)
    model.geom_friction[:, 0] *= difference.friction
    for name, factor in zip(world.objects, difference.mass):
        body = model.body(body_name(name)).id
        model.body_mass[body] *= factor
        model.body_inertia[body] *= factor
    mj.mj_setConst(model, mj.MjData(model))  # what contacts are scaled by depends on masses
    return model


def different_start(world: World, start: Array, difference: Difference) -> Array:
    """``qpos`` with the objects beside their places."""
    out = start.copy()
    for at, offset in zip(world.object_at, difference.offset):
        out[at : at + 2] += offset
    return out


def different_models(world: World, differences: Sequence[Difference]) -> list[Any]:
    """Models of several worlds."""
    return [different_model(world, difference) for difference in differences]
