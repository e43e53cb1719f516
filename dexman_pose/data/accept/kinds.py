"""What callers may give where this package means a picture, a mask, a mesh, ...: the types of arguments."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from dexman_pose.data.camera import Camera
    from dexman_pose.data.clip import Clip
    from dexman_pose.data.depth import DepthSequence
    from dexman_pose.data.masks import MaskSequence
    from dexman_pose.data.mesh import Mesh

PathText: TypeAlias = str | PathLike[str]
"""A path."""

Foreign: TypeAlias = Any
"""An object of another library: a torch tensor, a picture of PIL, a mesh of trimesh. Told apart when called."""

ImageLike: TypeAlias = "ArrayLike | PathText | Foreign"
"""A picture: array, tensor, PIL picture, or the path of a file. See :func:`~dexman_pose.data.accept.as_picture`."""

MaskLike: TypeAlias = "ArrayLike | Foreign"
"""A mask. See :func:`~dexman_pose.data.accept.as_mask`."""

DepthImageLike: TypeAlias = "ArrayLike | Foreign"
"""A depth image in metres. See :func:`~dexman_pose.data.accept.as_depth`."""

PoseLike: TypeAlias = "ArrayLike | Foreign"
"""A rigid transform. See :func:`~dexman_pose.data.accept.as_pose`."""

CameraLike: TypeAlias = "Camera | ArrayLike | PathText | Foreign"
"""Intrinsics: a camera, a 3x3 matrix, (fx, fy, cx, cy), or a camera file. See
:func:`~dexman_pose.data.accept.as_camera`."""

MeshLike: TypeAlias = "Mesh | PathText | Foreign"
"""A mesh, the path of one, or one of trimesh. See :func:`~dexman_pose.meshing.convert.as_mesh`."""

ClipLike: TypeAlias = "Clip | PathText | ArrayLike | Sequence[ImageLike] | Foreign"
"""A clip, the path of a video or of a folder of pictures, or frames in memory. See
:func:`~dexman_pose.data.accept.as_clip`."""

MasksLike: TypeAlias = "MaskSequence | Mapping[str, ArrayLike] | ArrayLike | Sequence[MaskLike] | Foreign"
"""Masks of a clip. See :func:`~dexman_pose.data.accept.as_masks`."""

DepthsLike: TypeAlias = "DepthSequence | PathText | ArrayLike | Sequence[DepthImageLike] | Foreign"
"""Depth images of a clip. See :func:`~dexman_pose.data.accept.as_depths`."""
