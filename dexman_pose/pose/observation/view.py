"""One object in one picture, and one object in one clip: what evidence is taken from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Clip, DepthSequence, MaskSequence, _check
from dexman_pose.errors import InputError
from dexman_pose.imaging.masks import crop_box
from dexman_pose.pose.observation.crop import MAX_SIDE, CropObservation, gather
from dexman_pose.pose.observation.occlusion import label_image


def checked_labels(
    mask: NDArray[np.bool_],
    camera: Camera,
    occluders: NDArray[np.bool_] | None,
    depth: NDArray[np.float32] | None,
) -> NDArray[np.uint8]:
    size = (camera.height, camera.width)
    checked = _check.array(mask, "mask", size, np.bool_)
    others = None if occluders is None else _check.array(occluders, "occluders", size, np.bool_)
    return label_image(checked, others, depth)


def checked_picture(image: NDArray[np.uint8], camera: Camera) -> NDArray[np.uint8]:
    checked: NDArray[np.uint8] = _check.array(image, "image", (camera.height, camera.width, 3), np.uint8)
    return checked


def checked_depth(depth: NDArray[np.float32] | None, camera: Camera) -> NDArray[np.float32] | None:
    if depth is None:
        return None
    checked: NDArray[np.float32] = _check.array(depth, "depth", (camera.height, camera.width), np.float32)
    return checked


@dataclass(frozen=True)
class ObjectView:
    """One object in one picture.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8 label image.
        label: the object's value in it.
        camera: intrinsics.
        depth: (H, W) metres, 0 where not measured, or None.
        box: (4,) x0, y0, x1, y1 of the object's pixels.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    label: int
    camera: Camera
    depth: NDArray[np.float32] | None
    box: Array

    def evidence(self, margin: float, side: int = MAX_SIDE) -> CropObservation:
        """The evidence in a crop around the object, widened by ``margin``, at most ``side`` pixels long."""
        return gather(
            self.labels,
            self.label,
            self.camera,
            crop_box([self.box], margin),
            depth=self.depth,
            max_side=side,
        )


@dataclass(frozen=True)
class ObjectClip:
    """One object in a clip: all that evidence is taken from.

    Attributes:
        clip: the frames.
        masks: label images.
        name: the object.
        camera: intrinsics.
        depth: depth images, metres, or None.
    """

    clip: Clip
    masks: MaskSequence
    name: str
    camera: Camera
    depth: DepthSequence | None = None


def object_name(masks: MaskSequence, name: str | None) -> str:
    """The object asked for; the only one where none is named.

    Raises:
        InputError: several objects and no name, or no object of that name.
    """
    if name is None:
        if len(masks.names) != 1:
            raise InputError(f"say which object is meant: name= one of {', '.join(masks.names)}")
        return masks.names[0]
    masks.label_of(name)
    return name
