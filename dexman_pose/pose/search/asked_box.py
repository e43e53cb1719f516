"""The box that somebody drew around an object: what is visible of it reaches all four sides, and no farther.

A mask may be a part of an object, and a mesh drawn small and far away may agree with a part of its picture by chance.
A box tells how much of the picture the object takes, whatever its colours are.
"""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array, Mask
from dexman_pose.imaging.masks import mask_box
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.render import Rasterizer

LOOSE = 6.0
"""Pixels by which a box that is drawn around an object is loose on every side, at most."""


def off_box(visible: Mask, box: Array | None) -> float | None:
    """Share of a box's side by which what is visible (H, W) misses it on the worst side; None without a box.

    What is hidden does not count: the box is around what is visible. What hides it may not be known: it counts as far
    as it reaches out of the box.
    """
    found = mask_box(visible)
    if box is None or found is None:
        return None
    short = np.concatenate([found[:2] - box[:2], box[2:] - found[2:]])
    sides = np.tile(box[2:] - box[:2], 2)
    return float((np.maximum(np.abs(short) - LOOSE, 0.0) / sides).max())


def pose_off_box(rasterizer: Rasterizer, camera_from_object: Array, look: ObjectView) -> float | None:
    """:func:`off_box` of a mesh at a pose (4, 4), in the picture for which the box was drawn; None without a box."""
    if look.asked is None:
        return None
    c = look.camera
    drawn = rasterizer.render(camera_from_object[None], c.K, c.width, c.height).mask[0]
    return off_box(drawn & look.free, look.asked)
