"""Who touches what: signed distances of hand joints to objects, contact flags over time, who holds what and when."""

from dexman_pose.contact.detect import JOINT_RADIUS, detect_contacts
from dexman_pose.contact.distance import SurfaceQuery, signed_distance
from dexman_pose.contact.hysteresis import hysteresis
from dexman_pose.contact.phases import Handling, PhaseOptions, handling_phases

__all__ = [
    "JOINT_RADIUS",
    "Handling",
    "PhaseOptions",
    "SurfaceQuery",
    "detect_contacts",
    "handling_phases",
    "hysteresis",
    "signed_distance",
]
