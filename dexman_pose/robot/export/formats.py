"""Formats of plans and demonstrations by name."""

from __future__ import annotations

from pathlib import Path

from dexman_pose.errors import InputError
from dexman_pose.robot.export.episodes import saved_episodes
from dexman_pose.robot.export.keyframes import write_mujoco
from dexman_pose.robot.export.lerobot import write_lerobot

FORMATS = ("lerobot", "mujoco")


def export_plans(source: str | Path, name: str, out: str | Path) -> tuple[str, ...]:
    """Write a plan, or all demonstrations of a folder, in a format; what was written, one line each.

    Args:
        source: ``plan.npz``, its folder, or a folder that ``synth --skill`` has made.
        name: one of :data:`FORMATS`.
        out: folder; for ``lerobot`` a new one.

    Raises:
        InputError: no such format, or nothing that can be written in it.
        MissingExtraError: what the format needs is not installed.
    """
    if name not in FORMATS:
        raise InputError(f"plans are written as {' or '.join(FORMATS)}, but got {name!r}")
    episodes = saved_episodes(source)
    if name == "mujoco":
        return tuple(str(path) for path in write_mujoco(out, episodes))
    folder = write_lerobot(out, episodes)
    frames = sum(e.plan.num_frames for e in episodes)
    return (f"{folder}: {len(episodes)} episodes, {frames} frames",)
