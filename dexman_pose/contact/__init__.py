"""Who touches what: signed distances of hand joints to objects, contact flags over time, who holds what and when."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names
from dexman_pose._optional import require_engine

if TYPE_CHECKING:
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

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Handling": "dexman_pose.contact.phases",
        "JOINT_RADIUS": "dexman_pose.contact.detect",
        "PhaseOptions": "dexman_pose.contact.phases",
        "SurfaceQuery": "dexman_pose.contact.distance",
        "detect_contacts": "dexman_pose.contact.detect",
        "handling_phases": "dexman_pose.contact.phases",
        "hysteresis": "dexman_pose.contact.hysteresis",
        "signed_distance": "dexman_pose.contact.distance",
    },
)

require_engine("telling contacts")
