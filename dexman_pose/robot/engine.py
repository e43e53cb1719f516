"""The simulator, MuJoCo, and its kin, imported when they are first needed."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

from dexman_pose._optional import require
from dexman_pose._stderr import silent_stderr

_log = logging.getLogger(__name__)

EXTRA = "robot"
"""The extra of this package that brings what the room needs."""
WARP_EXTRA = "mjwarp"
"""The extra that brings MuJoCo Warp, too."""


def mujoco() -> Any:
    """MuJoCo's Python package.

    Raises:
        MissingExtraError: it is not installed; the message holds the command that installs it.
    """
    found = require("mujoco", EXTRA, "simulating a robot")
    _listen(found)
    return found


@lru_cache(maxsize=1)
def _listen(mj: Any) -> None:
    """Have warnings of unstable simulations, of which a search has many, in the log.

    MuJoCo prints them, and writes a file MUJOCO_LOG.TXT wherever one happens to be.
    """
    mj.set_mju_user_warning(_log.debug)


def rollout() -> Any:
    """MuJoCo's module for many simulations on all cores.

    Raises:
        MissingExtraError: MuJoCo is not installed.
    """
    return require("mujoco.rollout", EXTRA, "simulating a robot")


def mujoco_warp() -> Any:
    """MuJoCo Warp: the same simulator on a CUDA device, or, slowly, on a core of the CPU.

    Raises:
        MissingExtraError: it is not installed.
    """
    mujoco()
    with silent_stderr():
        return require("mujoco_warp", WARP_EXTRA, "simulating a robot with MuJoCo Warp")
