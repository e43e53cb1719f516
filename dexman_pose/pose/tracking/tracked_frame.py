"""What one frame says of one object, each part worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Gray
from dexman_pose.data import BACKGROUND, Camera
from dexman_pose.imaging.flow import to_gray
from dexman_pose.imaging.masks import mask_box
from dexman_pose.pose.matching.keyframes import EvenedCrop, evened_crop
from dexman_pose.pose.observation.view import ObjectView


@dataclass(frozen=True, eq=False)
class FramePicture:
    """The picture of one frame, whichever object is looked for in it.

    Attributes:
        image: (H, W, 3) uint8 RGB.
    """

    image: NDArray[np.uint8]

    @cached_property
    def gray(self) -> Gray:
        """(H, W) uint8, made when it is first asked for: an object followed by its colours needs none."""
        return to_gray(self.image)


@dataclass(frozen=True, eq=False)
class TrackedFrame:
    """One frame, as one object is looked for in it.

    Attributes:
        picture: of the frame.
        labels: (H, W) uint8 label image.
        label: the object's value in it.
        camera: intrinsics.
        depth: (H, W) float32 metres, 0 where not measured, or None.
    """

    picture: FramePicture
    labels: NDArray[np.uint8]
    label: int
    camera: Camera
    depth: NDArray[np.float32] | None

    @property
    def image(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB."""
        return self.picture.image

    @property
    def gray(self) -> Gray:
        """(H, W) uint8."""
        return self.picture.gray

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W) pixels that the label image gives to the object."""
        return self.labels == self.label

    @cached_property
    def box(self) -> Array | None:
        """(4,) x0, y0, x1, y1 of the mask; None where it is empty."""
        return mask_box(self.mask)

    @cached_property
    def evened(self) -> EvenedCrop | None:
        """The object cut out and evened in brightness; None where hardly anything of it is seen."""
        return evened_crop(self.gray, self.labels, self.label, self.camera)

    @cached_property
    def view(self) -> ObjectView:
        """The same for the tools that look at one picture."""
        return ObjectView(self.image, self.labels, self.label, self.camera, self.depth)

    def own(self, *, beyond_mask: bool) -> NDArray[np.bool_]:
        """(H, W) pixels that may show the object: its mask, and with ``beyond_mask`` the background too."""
        return self.mask | (self.labels == BACKGROUND) if beyond_mask else self.mask
