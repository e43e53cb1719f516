"""A plan: a world, controls for it, and what they did when they were played."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.robot.motion.types import RATE
from dexman_pose.robot.planning.members import Difference
from dexman_pose.robot.planning.options import Limits
from dexman_pose.robot.planning.score import Score, score
from dexman_pose.robot.skill.replay import Episode, replay
from dexman_pose.robot.world.build import World, world_from_xml


@dataclass(frozen=True)
class Plan:
    """Controls at :data:`~dexman_pose.robot.motion.types.RATE` a second, and all that is needed to play them.

    Attributes:
        model: MuJoCo's XML, whole.
        start: (nq,) before the objects settle.
        controls: (T, A), on straight ways between frames.
        reference: (T, O, 7) places and quaternions wxyz that the objects were to follow, standing as they do in the
            simulation.
        measured: (T, O, 7) the same as it was measured, before objects were put where they stand.
        joints: (T, J) the retargeted motion.
        qpos: (T, nq) what happened when the controls were played.
        force: (T, P) N, normal force on each of the world's points there.
        settle: seconds at the first controls before the motion begins.
        about: plain JSON values: source, robot, hands, masses, friction, settings, notes, doubts.
    """

    model: str
    start: Array
    controls: Array
    reference: Array
    measured: Array
    joints: Array
    qpos: Array
    force: Array
    settle: float
    about: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.controls)
        for name in ("reference", "measured", "joints", "qpos", "force"):
            if len(getattr(self, name)) != count:
                raise InputError(
                    f"a plan of {count} controls has {len(getattr(self, name))} {name}; they must match"
                )
        for name in ("start", "controls", "reference", "measured", "joints"):
            if not np.isfinite(getattr(self, name)).all():
                raise InputError(f"{name} of a plan must be finite numbers")

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.controls)

    @property
    def seconds(self) -> float:
        """Length of the motion."""
        return self.num_frames / RATE

    def world(self) -> World:
        """The world, compiled anew from ``model``.

        Raises:
            InputError: MuJoCo cannot compile it, or controls and states are not of this model.
        """
        world = world_from_xml(self.model)
        wanted = (world.model.nq, world.model.nu, len(world.objects))
        given = (len(self.start), self.controls.shape[1], self.reference.shape[1])
        if wanted != given:
            raise InputError(
                f"the plan's model has {wanted} coordinates, motors and objects, its arrays {given}"
            )
        return world

    def score(self, limits: Limits | None = None) -> Score:
        """How the objects followed the reference when the controls were played."""
        return score(self.world().object_places(self.qpos), self.reference, limits)

    def replayed(self, difference: Difference | None = None, world: World | None = None) -> Episode:
        """Play the controls again, step by step."""
        return replay(
            world or self.world(), self.start, self.controls, settle=self.settle, difference=difference
        )
