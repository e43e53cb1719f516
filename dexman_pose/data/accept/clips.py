"""Clips, masks and depth images of callers, opened where they are paths, and whether they belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.accept.cameras import as_camera
from dexman_pose.data.accept.depths import check_metres
from dexman_pose.data.accept.masks import as_mask
from dexman_pose.data.accept.pictures import as_picture
from dexman_pose.data.camera import Camera
from dexman_pose.data.clip import Clip
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.masks import MaskSequence
from dexman_pose.data.numbers import count, described, plain, text
from dexman_pose.errors import InputError

ONLY = "object"
"""Name of the object whose masks come without one."""


def as_clip(value: Any, max_frames: int | None = None, name: str = "clip") -> Clip:
    """A clip: one that is open, the path of a video or of a folder of pictures, or frames in memory.

    Args:
        value: a clip, a path, (T, H, W, 3) or a list of pictures.
        max_frames: use the first frames only; not for clips that are open and longer.
        name: what messages call it.

    Raises:
        VideoError: nothing there, or nothing that can be decoded.
        InputError: none of these.
    """
    if max_frames is not None:
        max_frames = count(max_frames, "max_frames", least=1)
    if isinstance(value, Clip):
        if max_frames is not None and max_frames < value.num_frames:
            raise InputError("max_frames is for a video file; open the clip itself with max_frames")
        return value
    if isinstance(value, (str, PathLike)):
        path = Path(value).expanduser()
        if path.is_dir():
            return Clip.from_images(path, max_frames=max_frames)
        return Clip.open(path, max_frames=max_frames)
    return Clip.from_frames(_pictures(value, name)[:max_frames])


def as_masks(value: Any, clip: Clip, name: str | None = None) -> MaskSequence:
    """Masks of a clip: a mask sequence, masks (T, H, W) of one object, or a dict of them by name.

    Args:
        value: the masks.
        clip: the frames they are of.
        name: of the object, where there is one and no dict names it.

    Raises:
        InputError: none of these, or masks of another size or number than the frames.
    """
    if not isinstance(value, MaskSequence):
        value = _mask_sequence(value if isinstance(value, Mapping) else {name or ONLY: value}, clip)
    if (value.num_frames, value.width, value.height) != (clip.num_frames, clip.width, clip.height):
        raise InputError(
            f"clip and masks must have one length and size, but got {clip.num_frames} frames of "
            f"{clip.width}x{clip.height} and {value.num_frames} masks of {value.width}x{value.height}"
        )
    return value


def as_depths(value: Any, clip: Clip, name: str = "depth") -> DepthSequence:
    """Depth images of a clip: a sequence, a folder, a ``.npy`` file, or arrays (T, H, W) in metres.

    Files of a folder are taken in natural order, in millimetres; the engine's functions match them by name
    (:func:`~dexman_pose.given.depth.read_depth`).

    Raises:
        InputError: none of these, other sizes or fewer images than frames, or no metres.
    """
    if isinstance(value, (str, PathLike)):
        value = DepthSequence.from_folder(Path(value).expanduser())
    elif not isinstance(value, DepthSequence):
        value = DepthSequence.from_arrays(_stack(value, name))
    if len(value) < clip.num_frames:
        raise InputError(f"there are {len(value)} depth images, but the clip has {clip.num_frames} frames")
    if (value.width, value.height) != (clip.width, clip.height):
        raise InputError(
            f"depth images are {value.width}x{value.height}, but the frames are {clip.width}x{clip.height}; "
            "give depth registered to the colour camera, at its resolution"
        )
    check_metres(value.frame(0), name)
    return value


def clip_inputs(
    clip: Any, masks: Any, camera: Any, depth: Any = None, name: str | None = None
) -> tuple[Clip, MaskSequence, Camera, DepthSequence | None]:
    """Clip, masks, camera and depth of one call, each converted, all of one size and length."""
    opened = as_clip(clip)
    return (
        opened,
        as_masks(masks, opened, name),
        as_camera(camera, (opened.height, opened.width)),
        None if depth is None else as_depths(depth, opened),
    )


def _pictures(value: Any, name: str) -> Sequence[NDArray[np.uint8]]:
    frames = _stack(value, name)
    if isinstance(frames, np.ndarray) and frames.ndim != 4:
        raise InputError(f"{name} must have shape (frames, height, width, 3), but got {frames.shape}")
    pictures = [as_picture(frame, name=f"frame {i} of the {name}") for i, frame in enumerate(frames)]
    if not pictures:
        raise InputError(f"{name} must have at least one frame, but got none")
    return pictures


def _stack(value: Any, name: str) -> Any:
    """Images one after the other: a list as it is, all else as one array."""
    if isinstance(value, (list, tuple)):
        return value
    if value is None or not (hasattr(value, "__array__") or hasattr(value, "detach")):
        raise InputError(f"{name} must be images of all frames, or a path, but got {described(value)}")
    return plain(value, name)


def _mask_sequence(value: Mapping[Any, Any], clip: Clip) -> MaskSequence:
    for name, masks in value.items():
        text(name, "an object's name in masks")
        if not isinstance(masks, (list, tuple)) and np.ndim(_stack(masks, "masks")) != 3:
            raise InputError(
                f"masks must be a MaskSequence, (frames, height, width), or a dict of these by name, "
                f"but got {described(masks)}"
            )
        if len(masks) != clip.num_frames:
            raise InputError(
                f"clip and masks must have one length, but got {clip.num_frames} and {len(masks)} frames"
            )
    size = clip.height, clip.width
    out = MaskSequence(tuple(value), clip.height, clip.width, clip.num_frames)
    out.confidence[:] = 1.0
    for t in range(clip.num_frames):
        labels = np.zeros(size, np.uint8)
        for label, (name, masks) in enumerate(value.items(), 1):
            labels[as_mask(masks[t], size, f"mask of {name!r} in frame {t}")] = label
        out.set(t, labels)
    return out
