"""How large hands are by what they hold: one size for a person's hands in all frames.

A single picture does not tell the size of a hand, so it is lifted with that of an average adult, and as much too far
as it is taken too large. An object of known size in its grip tells it, for the frames without a grip and for the other
hand as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dexman_pose.hands.model.system import HandState
from dexman_pose.interaction.along_sight import Grip
from dexman_pose.interaction.hand_picture import HandPicture, bone_lengths
from dexman_pose.interaction.options import SizeOptions

_FROM_HANDS = ("hand", "contact", "unknown")
"""Sources of an object's size that rest on a hand's, or on nothing."""


def tell_size(grips: Sequence[Grip]) -> bool:
    """Whether what is held has a size of its own: one that came from the hand tells nothing of the hand's."""
    return any(grip.thing.scale_source not in _FROM_HANDS for grip in grips)


def size_change(picture: HandPicture, state: HandState, o: SizeOptions) -> float:
    """Logarithm of the factor by which a hand is likely larger than it was lifted.

    Args:
        picture: of the hand.
        state: with the shape that an object of known size told; it is drawn to the size that was lifted, as far as that
            is sure.
        o: how sure both are.
    """
    told = float(bone_lengths(picture.joints_of(state)).sum())
    share = o.person**2 / (o.person**2 + o.gripped**2)
    return float(share * np.log(told / float(bone_lengths(picture.joints).sum())))


def size_sigma(o: SizeOptions) -> float:
    """Standard deviation of its logarithm."""
    return float(o.person * o.gripped / np.hypot(o.person, o.gripped))
