"""The robots that motions can be planned for, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dexman_pose.errors import InputError
from dexman_pose.robot.assets.body import BodyDescription
from dexman_pose.robot.assets.g1 import unitree_g1
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.assets.shadow import shadow_hand

ROBOTS = ("shadow", "g1")
"""Free Shadow hands; a Unitree G1 with Shadow hands on its arms."""


@dataclass(frozen=True)
class Robot:
    """Hands, and what carries them.

    Attributes:
        name: one of ``ROBOTS``.
        describe: the hand of a side.
        body: whose arms carry them; None for free hands.
    """

    name: str
    describe: Callable[[str], HandDescription]
    body: BodyDescription | None


def find_robot(name: str, folder: str | Path | None = None) -> Robot:
    """Find a robot by its name.

    Args:
        name: one of ``ROBOTS``.
        folder: where robots' files are; None to look in the usual places.

    Raises:
        InputError: there is no such robot, or the folder does not hold it.
        MissingModelError: it is not on this machine.
    """
    if name not in ROBOTS:
        raise InputError(f"there is no robot {name!r}; there are: {', '.join(ROBOTS)}")
    body = unitree_g1(folder) if name == "g1" else None
    return Robot(name, lambda side: shadow_hand(side, folder), body)
