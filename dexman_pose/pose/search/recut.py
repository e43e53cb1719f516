"""The mask of an object cut again about the outline of a pose."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Mask
from dexman_pose.imaging.masks import crop_box, mask_box
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.search.options import RECUT, RecutOptions
from dexman_pose.render.rasterizer import Rasterizer


def recut(
    rasterizer: Rasterizer, camera_from_object: Array, look: ObjectView, options: RecutOptions = RECUT
) -> ObjectView | None:
    """The view of an object with the mask that the picture's colours and edges make near the outline of a pose.

    Well inside the outline is object, well outside of it is not; GrabCut (Rother et al., 2004) decides between.

    Args:
        rasterizer: of the mesh.
        camera_from_object: (4, 4).
        look: the picture; other labels stay as they are.
        options: how near.

    Returns:
        The view, or None where too little of the outline is in the picture to cut along.
    """
    c = look.camera
    drawn = rasterizer.render(camera_from_object[None], c.K, c.width, c.height).mask[0] & look.free
    box = mask_box(drawn)
    if box is None or np.count_nonzero(drawn) < options.least_pixels:
        return None
    x0, y0, width, height = crop_box([box], options.margin)
    part = (slice(max(y0, 0), min(y0 + height, c.height)), slice(max(x0, 0), min(x0 + width, c.width)))
    inside = _cut(look.image[part], drawn[part], look.free[part], options)
    if inside is None:
        return None
    labels = np.where(look.own, 0, look.labels).astype(look.labels.dtype)
    labels[part][inside] = look.label
    return ObjectView(look.image, labels, look.label, c, look.depth, look.pictured, look.asked)


def _cut(image: NDArray[np.uint8], drawn: Mask, free: Mask, options: RecutOptions) -> Mask | None:
    """The object's pixels (h, w) of a part of the picture (h, w, 3); None where nothing is sure."""
    from scipy.ndimage import binary_dilation, binary_erosion  # few searches cut: not at every import

    width = max(options.least_band, options.band * float(np.sqrt(np.count_nonzero(drawn))))
    steps = round(width)
    core = binary_erosion(drawn, iterations=steps)
    near = binary_dilation(drawn, iterations=steps) & free
    if not core.any() or near.all():
        return None
    trimap = np.where(near, cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    trimap[drawn & near] = cv2.GC_PR_FGD
    trimap[core] = cv2.GC_FGD
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(image), trimap, None, *models, options.rounds, cv2.GC_INIT_WITH_MASK)
    return np.asarray((trimap & 1).astype(bool) & near)
