"""Render-and-compare: searching, refining and tracking the 6-DoF poses of objects."""

from dexman_pose.pose.api import estimate_pose, refine_pose, track
from dexman_pose.pose.clip.align import align_mesh
from dexman_pose.pose.clip.focal_length import estimate_camera
from dexman_pose.pose.clip.reconstruct import reconstruct_objects
from dexman_pose.pose.clip.smoothing import smooth_track
from dexman_pose.pose.estimate import PoseEstimate
from dexman_pose.symmetry.detect import detect_symmetry

__all__ = [
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
