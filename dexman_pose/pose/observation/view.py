"""One object in one picture, and one object in one clip: what evidence is taken from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, FloatImage, Gray, Mask
from dexman_pose.data import BACKGROUND, Camera, Clip, DepthSequence, MaskSequence
from dexman_pose.data.accept import DepthImageLike, ImageLike, MaskLike, as_depth, as_mask, as_picture
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.imaging.flow import to_gray
from dexman_pose.imaging.masks import crop_box, mask_box
from dexman_pose.imaging.undistort import undistortion_of, without_harmless_skew
from dexman_pose.pose.observation.crop import MAX_SIDE, CropObservation, crop_like, gather
from dexman_pose.pose.observation.occlusion import label_image
from dexman_pose.pose.observation.options import VIEW

NEAREST_DEPTH = 0.02
"""Metres before the camera from which points are projected: nearer ones leave every picture. The renderer clips at
half of it."""


def in_front(points: Array) -> bool:
    """Whether all points (N, 3), camera frame, lie before the camera, so that they can be projected."""
    return bool((points[..., 2] > NEAREST_DEPTH).all())


def checked_labels(
    mask: MaskLike,
    camera: Camera,
    occluders: MaskLike | None,
    depth: NDArray[np.float32] | None,
) -> NDArray[np.uint8]:
    """The label image of a user's mask and occluders (H, W).

    Raises:
        InputError: another size than the camera's, or no masks.
    """
    size = (camera.height, camera.width)
    others = None if occluders is None else as_mask(occluders, size, "occluders")
    return label_image(as_mask(mask, size), others, depth)


def checked_picture(image: ImageLike, camera: Camera) -> NDArray[np.uint8]:
    """A user's picture (H, W, 3) uint8; an InputError tells another size than the camera's, or another type."""
    return as_picture(image, (camera.height, camera.width))


def checked_depth(depth: DepthImageLike | None, camera: Camera) -> NDArray[np.float32] | None:
    """A user's depth image (H, W) float32; an InputError tells another size than the camera's, or another type."""
    return None if depth is None else as_depth(depth, (camera.height, camera.width))


@dataclass(frozen=True, eq=False)
class ObjectView:
    """One object in one picture: made once and passed whole; what is worked out from it is worked out once.

    Attributes:
        image: (H, W, 3) uint8 RGB; a black one where ``pictured`` is False.
        labels: (H, W) uint8 label image.
        label: the object's value in it.
        camera: intrinsics.
        depth: (H, W) metres, 0 where not measured, or None.
        pictured: whether there is a picture, or the mask alone.
        asked: (4,) x0, y0, x1, y1 pixels, the box that somebody drew around what is visible of the object, a little
            loose; None where nobody did.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    label: int
    camera: Camera
    depth: NDArray[np.float32] | None = None
    pictured: bool = True
    asked: Array | None = None

    @cached_property
    def own(self) -> Mask:
        """(H, W) the object's pixels."""
        return np.asarray(self.labels == self.label)

    @cached_property
    def free(self) -> Mask:
        """(H, W) pixels that no other label covers."""
        return np.asarray(self.own | (self.labels == BACKGROUND))

    @cached_property
    def mask_box(self) -> Array | None:
        """(4,) x0, y0, x1, y1 of the object's pixels, or None where it has none."""
        return mask_box(self.own)

    @property
    def box(self) -> Array:
        """(4,) x0, y0, x1, y1 of the object's pixels.

        Raises:
            EstimationError: the mask is empty.
        """
        if self.mask_box is None:
            raise EstimationError(
                "a pose needs a mask with at least one pixel, but the object's mask is empty; "
                "give a frame that shows the object, or a better prompt"
            )
        return self.mask_box

    @cached_property
    def gray(self) -> Gray:
        """(H, W) uint8 brightness of the picture."""
        return to_gray(self.image)

    @cached_property
    def _crops(self) -> dict[tuple[float, int], CropObservation]:
        return {}

    @cached_property
    def _pictures(self) -> dict[tuple[tuple[int, int], tuple[int, int], tuple[float, ...]], FloatImage]:
        return {}

    def evidence(self, margin: float = VIEW.margin, side: int = MAX_SIDE) -> CropObservation:
        """The evidence in a crop around the object, widened by ``margin``, at most ``side`` pixels long.

        Raises:
            EstimationError: the mask is empty.
        """
        key = margin, side
        if key not in self._crops:
            around = crop_box([self.box], margin)
            self._crops[key] = gather(
                self.labels, self.label, self.camera, around, depth=self.depth, max_side=side
            )
        return self._crops[key]

    def picture(self, crop: CropObservation) -> FloatImage:
        """The picture (h, w, 3) in a crop of this frame, RGB in 0..1."""
        key = crop.origin, crop.size, tuple(crop.factors.tolist())
        if key not in self._pictures:
            self._pictures[key] = crop_like(self.image, crop)
        return self._pictures[key]

    @classmethod
    def of(
        cls,
        labels: NDArray[np.uint8],
        label: int,
        camera: Camera,
        image: NDArray[np.uint8] | None = None,
        depth: NDArray[np.float32] | None = None,
    ) -> ObjectView:
        """The view of an object with or without a picture."""
        blank = np.zeros((*labels.shape, 3), np.uint8) if image is None else image
        return cls(blank, labels, label, camera, depth, image is not None)


def undistorted_view(view: ObjectView) -> ObjectView:
    """The view of the ideal pinhole: the door of functions on single pictures. A pinhole's is given back as it is."""
    camera = without_harmless_skew(view.camera)
    found = undistortion_of(camera)
    if found is None:
        return view if camera is view.camera else replace(view, camera=camera)
    return replace(
        view,
        image=found.picture(view.image) if view.pictured else view.image,
        labels=found.labels(view.labels),
        camera=found.camera,
        depth=None if view.depth is None else found.depth(view.depth),
        asked=None,  # what was a box is none without the lens
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
    return masks.names[masks.label_of(name) - 1]
