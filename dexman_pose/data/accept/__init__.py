"""What callers send turned into what this package works on: one function per kind, used at every public door.

Each takes what other libraries hold such things in, where its meaning is plain, and refuses the rest by name with an
:class:`~dexman_pose.errors.InputError` of one line. Nothing inside the package calls them per frame.
"""

from dexman_pose.data.accept.cameras import as_camera
from dexman_pose.data.accept.clips import as_clip, as_depths, as_masks, clip_inputs
from dexman_pose.data.accept.depths import as_depth
from dexman_pose.data.accept.kinds import (
    CameraLike,
    ClipLike,
    DepthImageLike,
    DepthsLike,
    ImageLike,
    MaskLike,
    MasksLike,
    MeshLike,
    PathText,
    PoseLike,
)
from dexman_pose.data.accept.masks import as_mask
from dexman_pose.data.accept.pictures import as_picture
from dexman_pose.data.accept.poses import as_pose, check_in_sight
from dexman_pose.data.accept.prompts import as_prompts, by_name

__all__ = [
    "CameraLike",
    "ClipLike",
    "DepthImageLike",
    "DepthsLike",
    "ImageLike",
    "MaskLike",
    "MasksLike",
    "MeshLike",
    "PathText",
    "PoseLike",
    "as_camera",
    "as_clip",
    "as_depth",
    "as_depths",
    "as_mask",
    "as_masks",
    "as_picture",
    "as_pose",
    "as_prompts",
    "by_name",
    "check_in_sight",
    "clip_inputs",
]
