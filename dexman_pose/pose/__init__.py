"""Render-and-compare: searching, refining and tracking the 6-DoF poses of objects."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names
from dexman_pose._optional import require_engine

if TYPE_CHECKING:
    from dexman_pose.pose.api import estimate_pose, refine_pose, track
    from dexman_pose.pose.clip.align import align_mesh
    from dexman_pose.pose.clip.focal_length import estimate_camera
    from dexman_pose.pose.clip.reconstruct import reconstruct_objects
    from dexman_pose.pose.clip.smoothing import smooth_track
    from dexman_pose.pose.estimate import PoseEstimate
    from dexman_pose.pose.live import LivePose, LiveTracker
    from dexman_pose.pose.tracking.live_verdict import LiveOptions
    from dexman_pose.symmetry.detect import detect_symmetry

__all__ = [
    "LiveOptions",
    "LivePose",
    "LiveTracker",
    "PoseEstimate",
    "align_mesh",
    "detect_symmetry",
    "estimate_camera",
    "estimate_pose",
    "reconstruct_objects",
    "refine_pose",
    "smooth_track",
    "track",
]

# A single picture does not pay for what whole clips need.
__getattr__, __dir__ = lazy_names(
    __name__,
    dict.fromkeys(("estimate_pose", "refine_pose", "track"), "dexman_pose.pose.api")
    | {
        "LiveOptions": "dexman_pose.pose.tracking.live_verdict",
        "LivePose": "dexman_pose.pose.live",
        "LiveTracker": "dexman_pose.pose.live",
        "PoseEstimate": "dexman_pose.pose.estimate",
        "align_mesh": "dexman_pose.pose.clip.align",
        "detect_symmetry": "dexman_pose.symmetry.detect",
        "estimate_camera": "dexman_pose.pose.clip.focal_length",
        "reconstruct_objects": "dexman_pose.pose.clip.reconstruct",
        "smooth_track": "dexman_pose.pose.clip.smoothing",
    },
)

require_engine("finding poses")
