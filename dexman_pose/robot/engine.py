"""The simulator, MuJoCo, imported when it is first needed."""

from __future__ import annotations

from typing import Any

from dexman_pose._optional import require

EXTRA = "robot"
"""The extra of this package that brings what the room needs."""


def mujoco() -> Any:
    """MuJoCo's Python package.

    Raises:
        MissingExtraError: it is not installed; the message holds the command that installs it.
    """
    return require("mujoco", EXTRA, "simulating a robot")


def rollout() -> Any:
    """MuJoCo's module for many simulations on all cores.

    Raises:
        MissingExtraError: MuJoCo is not installed.
    """
    return require("mujoco.rollout", EXTRA, "simulating a robot")
