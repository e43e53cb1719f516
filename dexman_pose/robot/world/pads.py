"""Which side of a robot's finger is its inner one: where its end goes when the finger bends."""

from __future__ import annotations

from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.world.build import World

_SHORT = 1e-3  # metres; a point that near to its joint says nothing of where the finger goes


def pad_directions(world: World) -> Array:
    """Unit directions (P, 3) out of the inner sides of the world's points, each in the frame of its body.

    A finger bends about its last joint, towards the longer part of the joint's range: there its end goes, and there its
    inner side looks.

    Raises:
        InputError: a point is on no finger.
    """
    return np.stack([pad_direction(world.model, name) for name in world.points])


def pad_direction(model: Any, name: str) -> Array:
    """The unit direction (3,) of one point.

    Raises:
        InputError: it is on no finger.
    """
    site = model.site(name)
    body = int(model.site_bodyid[site.id])
    joint = _last_hinge(model, body)
    if joint is None:
        raise InputError(f"the point {name!r} is on no finger: its body has no hinge")
    along = np.array(model.site_pos[site.id]) - model.jnt_pos[joint]
    if np.linalg.norm(along) < _SHORT:
        along = _next_body(model, body, name)
    low, high = model.jnt_range[joint]
    bent = np.cross(model.jnt_axis[joint], along) * (1.0 if high >= -low else -1.0)
    return np.asarray(bent / np.linalg.norm(bent))


def _last_hinge(model: Any, body: int) -> int | None:
    first, count = int(model.body_jntadr[body]), int(model.body_jntnum[body])
    kind = mujoco().mjtJoint.mjJNT_HINGE
    hinges = [j for j in range(first, first + count) if model.jnt_type[j] == kind]
    return hinges[-1] if hinges else None


def _next_body(model: Any, body: int, name: str) -> Array:
    after = np.flatnonzero(model.body_parentid == body)
    after = after[after != body]
    if not len(after):
        raise InputError(
            f"the point {name!r} lies on its finger's last joint: which way it bends is not known"
        )
    return np.array(model.body_pos[after[0]])
