"""Hands: detection in the image, identities over time, and metric joints in the camera frame."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names

if TYPE_CHECKING:
    from dexman_pose.hands.detect import backends, detect_hands
    from dexman_pose.hands.lifting.lift import lift_hands

__all__ = ["backends", "detect_hands", "lift_hands"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "backends": "dexman_pose.hands.detect",
        "detect_hands": "dexman_pose.hands.detect",
        "lift_hands": "dexman_pose.hands.lifting.lift",
    },
)
