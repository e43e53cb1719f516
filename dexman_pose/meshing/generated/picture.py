"""The picture of an object that a network is shown: from the frame that shows it best, cut out and centred."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Mask
from dexman_pose.data import BACKGROUND, Clip, MaskSequence
from dexman_pose.errors import EstimationError
from dexman_pose.imaging.masks import mask_box


@dataclass(frozen=True)
class PictureOptions:
    """How the frame is chosen and the object cut out.

    Attributes:
        looked_at: frames that are compared at most, spread over the clip.
        enough: pixels across above which a larger object counts no more.
        hidden: exponent by which a free edge counts.
        sharp: exponent by which sharpness counts, relative to the sharpest frame.
        least: pixels of a mask that can be used.
        share: of the picture's side that the object's longer side fills.
        side: pixels of the square picture.
        widened: share of its longer side by which an object that something hides, or that leaves the picture, is
            given more room there: networks complete what they see cut off by empty space, not by the border.
    """

    looked_at: int = 60
    enough: float = 400.0
    hidden: float = 2.0
    sharp: float = 0.5
    least: int = 400
    share: float = 0.8
    side: int = 768
    widened: float = 0.15


_DEFAULTS = PictureOptions()


@dataclass(frozen=True)
class ObjectPicture:
    """An object alone.

    Attributes:
        rgba: (S, S, 4) uint8; alpha 0 off the object, colours there are white.
        hidden: (S, S) bool, pixels where a hand or another object may hide it.
        frame: that it is of.
        crop: (3,) x, y of the picture's upper left corner in pixels of the frame, and pixels of the frame per pixel.
        free: share of the object's edge that nothing else touches.
    """

    rgba: NDArray[np.uint8]
    hidden: Mask
    frame: int
    crop: Array
    free: float


def best_picture(
    clip: Clip, masks: MaskSequence, name: str, options: PictureOptions = _DEFAULTS
) -> ObjectPicture:
    """The object, cut out of the frame that shows it least hidden, sharpest and largest.

    Raises:
        EstimationError: it has no usable mask in any frame.
    """
    label = masks.label_of(name)
    count = min(clip.num_frames, masks.num_frames)
    frames = np.unique(np.linspace(0, count - 1, min(count, options.looked_at)).round().astype(int))
    found = []
    for frame in frames.tolist():
        labels = masks.labels(frame)
        area = int((labels == label).sum())
        if area < options.least or masks.confidence_of(frame, name) <= 0:
            continue
        found.append((frame, area, free_edge(labels, label), sharpness(clip.frame(frame), labels == label)))
    if not found:
        raise EstimationError(
            f"object {name!r} has no mask of {options.least} pixels in any frame; give a tighter box or a mask"
        )
    sharpest = max(one[3] for one in found)
    worth = [
        min(np.sqrt(area), options.enough)
        * free**options.hidden
        * (sharp / max(sharpest, 1e-9)) ** options.sharp
        for _, area, free, sharp in found
    ]
    frame, _, free, _ = found[int(np.argmax(worth))]
    return cut_out(clip.frame(frame), masks.labels(frame), label, frame, free, options)


def free_edge(labels: NDArray[np.uint8], label: int) -> float:
    """Share of a mask's edge that lies on the background, neither on another thing nor at the picture's border."""
    mask = np.pad((labels == label).astype(np.uint8), 1)
    around = cv2.dilate(mask, np.ones((3, 3), np.uint8)) - mask
    other = np.pad((labels != label) & (labels != BACKGROUND), 1, constant_values=True)
    return float(np.mean(~other[around > 0])) if around.any() else 0.0


def sharpness(image: NDArray[np.uint8], mask: Mask) -> float:
    """Standard deviation of the Laplacian within a mask: it falls with blur."""
    inside = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    values = cv2.Laplacian(grey, cv2.CV_64F)[inside if inside.any() else mask]
    return float(values.std()) if len(values) else 0.0


def cut_out(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    label: int,
    frame: int = 0,
    free: float = 1.0,
    options: PictureOptions = _DEFAULTS,
) -> ObjectPicture:
    """The object in the middle of a square picture, all else transparent.

    The square is that of the whole object as far as it can be told: where something hides it, or the picture ends, it
    reaches further on that side.

    Raises:
        EstimationError: the mask is empty.
    """
    mask = labels == label
    box = mask_box(mask)
    if box is None:
        raise EstimationError(f"there is no pixel of the object in frame {frame}")
    low, high = _whole(labels, label, np.asarray(box, float), options)
    longer = float((high - low).max())
    width = longer / options.share
    corner = 0.5 * (low + high) - 0.5 * width
    scale = width / options.side
    # Centres of pixels: (0, 0) of the picture lies half a pixel inside its corner.
    picture_from_frame = np.array(
        [[1 / scale, 0, -corner[0] / scale - 0.5], [0, 1 / scale, -corner[1] / scale - 0.5]]
    )
    size = (options.side, options.side)
    # Smaller than the frame it would alias.
    smooth = cv2.GaussianBlur(image, (0, 0), 0.5 * scale) if scale > 1 else image
    color = cv2.warpAffine(
        smooth, picture_from_frame, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    soft = cv2.warpAffine(mask.astype(np.float32), picture_from_frame, size, flags=cv2.INTER_LINEAR)
    other = ((labels != label) & (labels != BACKGROUND)).astype(np.uint8)
    hidden = cv2.warpAffine(other, picture_from_frame, size, flags=cv2.INTER_NEAREST, borderValue=1) > 0
    alpha = np.rint(255 * soft).astype(np.uint8)
    color = np.where(alpha[..., None] > 0, color, 255).astype(np.uint8)
    return ObjectPicture(np.dstack([color, alpha]), hidden, frame, np.array([*corner, scale]), free)


def _whole(labels: NDArray[np.uint8], label: int, box: Array, options: PictureOptions) -> tuple[Array, Array]:
    """Corners (2,) and (2,) of the object's box, in pixels of the frame, edges of pixels; wider where it is hidden."""
    height, width = labels.shape
    low, high = box[:2] - 0.5, box[2:] + 0.5
    more = options.widened * float((high - low).max())
    other = (labels != label) & (labels != BACKGROUND)
    x0, y0 = np.floor(box[:2]).astype(int)
    x1, y1 = np.ceil(box[2:]).astype(int)
    beyond = (
        x0 <= 0 or other[y0 : y1 + 1, max(x0 - 2, 0)].any(),
        y0 <= 0 or other[max(y0 - 2, 0), x0 : x1 + 1].any(),
        x1 >= width - 1 or other[y0 : y1 + 1, min(x1 + 2, width - 1)].any(),
        y1 >= height - 1 or other[min(y1 + 2, height - 1), x0 : x1 + 1].any(),
    )
    return low - more * np.array(beyond[:2]), high + more * np.array(beyond[2:])
