"""Who touches what: signed distances of hand joints to objects, and contact flags over time."""

from dexman_pose.contact.detect import JOINT_RADIUS, detect_contacts
from dexman_pose.contact.distance import SurfaceQuery, signed_distance
from dexman_pose.contact.hysteresis import hysteresis

__all__ = ["JOINT_RADIUS", "SurfaceQuery", "detect_contacts", "hysteresis", "signed_distance"]
