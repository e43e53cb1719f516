"""The simulator, MuJoCo, imported when it is first needed."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

from dexman_pose._optional import require

_log = logging.getLogger(__name__)

EXTRA = "robot"
"""The extra of this package that brings what the room needs."""


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
