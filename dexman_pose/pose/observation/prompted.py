"""Where the object is in a single picture: a mask as it was given, or the one that a box around it leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Mask
from dexman_pose.data import Camera, ObjectPrompt
from dexman_pose.data.accept import MaskLike, as_mask
from dexman_pose.errors import InputError
from dexman_pose.pose.observation.options import PROMPT, PromptOptions

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_OBJECT = "object"


def mask_or_box(
    mask: MaskLike | None,
    box: ArrayLike | None,
    image: NDArray[np.uint8],
    camera: Camera,
    *,
    occluders: MaskLike | None = None,
    options: PromptOptions = PROMPT,
) -> Mask:
    """The visible pixels of an object that the caller points at.

    Args:
        mask: (H, W) visible pixels, or None. It counts where a box is given too, which must agree with it.
        box: (4,) x0, y0, x1, y1 image pixels, a little loose around what is visible, or None. Without a mask the
            object is told from its surroundings there, as in the first frame of a clip.
        image: (H, W, 3) RGB.
        camera: of the picture.
        occluders: (H, W) pixels that are not the object's, or None.
        options: when box and mask agree.

    Returns:
        (H, W) bool.

    Raises:
        InputError: neither is given, one is malformed or out of the picture, or both are given and disagree.
        EstimationError: nothing in the box could be told from its surroundings.
    """
    size = (camera.height, camera.width)
    if mask is None and box is None:
        raise InputError(
            "estimate_pose needs to know which object is meant, but got neither mask nor box: give "
            "box=(x0, y0, x1, y1) in pixels around it, or mask=, its visible pixels"
        )
    given = None if mask is None else as_mask(mask, size)
    if box is None:
        assert given is not None
        return given
    prompt = ObjectPrompt(box=box)
    prompt.check_inside(_OBJECT, camera.width, camera.height, 1)
    assert prompt.box is not None
    if given is not None:
        _check_agreement(given, prompt.box, options)
        return given
    found = _segmented(image, prompt)
    return found if occluders is None else found & ~as_mask(occluders, size, "occluders")


def _segmented(image: NDArray[np.uint8], prompt: ObjectPrompt) -> Mask:
    """The mask that the default segmentation finds by a prompt on one picture."""
    from dexman_pose.data import Clip
    from dexman_pose.segmentation import segment_clip  # not before a box is given

    return segment_clip(Clip.from_frames([image]), {_OBJECT: prompt}).mask(0, _OBJECT)


def _check_agreement(mask: Mask, box: Array, options: PromptOptions) -> None:
    """Raise :class:`InputError` where too little of a mask (H, W) lies in a box (4,); an empty mask is told later."""
    y, x = np.nonzero(mask)
    if not len(x):
        return
    inside = (x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])
    if inside.mean() < options.agreeing:
        raise InputError(
            f"mask and box disagree: {100 * inside.mean():.0f} % of the mask lies in the box {box.tolist()}, but the "
            f"mask spans {[int(x.min()), int(y.min()), int(x.max()), int(y.max())]}; give one of them"
        )
