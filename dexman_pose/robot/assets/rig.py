"""What carries the hands of a world: nothing but slides and hinges, or a body's arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dexman_pose.arrays import Array
from dexman_pose.robot.assets.floating import FloatingOptions, add_floating_hand
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.assets.standing import BodyPlace, add_body


@dataclass(frozen=True)
class HandPlace:
    """A free hand and where it is when all its slides and hinges are at zero.

    Attributes:
        hand: what it is.
        place: (3,) metres, world.
        quaternion: (4,) wxyz.
    """

    hand: HandDescription
    place: Array
    quaternion: Array


Rig = BodyPlace | Sequence[HandPlace]
"""A body with hands on its arms, or one or two free hands."""


def hands_of(rig: Rig) -> tuple[HandDescription, ...]:
    """The hands that act."""
    return rig.hands if isinstance(rig, BodyPlace) else tuple(placed.hand for placed in rig)


def add_rig(spec: Any, rig: Rig, floating: FloatingOptions | None = None) -> None:
    """Add what acts to a model.

    Args:
        spec: an ``MjSpec``; its solver's settings are kept.
        rig: what is added.
        floating: how free hands are driven.

    Raises:
        InputError: a file is not that of its description.
    """
    if isinstance(rig, BodyPlace):
        add_body(spec, rig)
        return
    for placed in rig:
        add_floating_hand(spec, placed.hand, placed.place, placed.quaternion, floating)
