"""Episodes as models of MuJoCo with a keyframe for every frame: any program that reads MJCF shows and steps them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dexman_pose.data.files import make_folder, write_bytes
from dexman_pose.errors import InputError
from dexman_pose.robot.engine import mujoco
from dexman_pose.robot.export.episodes import SavedEpisode
from dexman_pose.robot.motion.types import RATE
from dexman_pose.robot.skill.plan import Plan


def write_mujoco(out: str | Path, episodes: Sequence[SavedEpisode]) -> list[Path]:
    """Write ``<name>.xml`` for every episode; returns their paths.

    Args:
        out: folder, made when it is not there.
        episodes: what is written.

    Raises:
        InputError: a simulation broke, or the place cannot be written to.
        MissingExtraError: MuJoCo is not installed.
    """
    make_folder(Path(out))
    return [write_bytes(Path(out) / f"{e.name}.xml", with_keyframes(e.plan).encode()) for e in episodes]


def with_keyframes(plan: Plan) -> str:
    """The plan's model (MJCF, whole) with a keyframe ``frame_NNNN`` for each frame: time, places, speeds, controls.

    Speeds are those between a frame and the next.

    Raises:
        InputError: the simulation of the plan broke.
    """
    if not np.isfinite(plan.qpos).all():
        raise InputError("the simulation of this plan broke before its end: it has no keyframes")
    mj = mujoco()
    spec = mj.MjSpec.from_string(plan.model)
    model = plan.world().model
    last = plan.num_frames - 1
    for t, (qpos, controls) in enumerate(zip(plan.qpos, plan.controls)):
        speed = np.zeros(model.nv)
        if t < last:
            mj.mj_differentiatePos(model, speed, 1.0 / RATE, qpos, plan.qpos[t + 1])
        spec.add_key(name=f"frame_{t:04d}", time=t / RATE, qpos=qpos, qvel=speed, ctrl=controls)
    spec.compile()
    text: str = spec.to_xml()
    return text
