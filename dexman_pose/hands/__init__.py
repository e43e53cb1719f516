"""Hands: detection in the image, identities over time, and metric joints in the camera frame."""

from dexman_pose.hands.detect import backends, detect_hands
from dexman_pose.hands.lifting.lift import lift_hands

__all__ = ["backends", "detect_hands", "lift_hands"]
