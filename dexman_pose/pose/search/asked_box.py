"""The box that somebody drew around an object: what is visible of it reaches all four sides, and no farther.

A mask may be a part of an object, and a mesh drawn small and far away may agree with a part of its picture by chance.
A box tells how much of the picture the object takes, whatever its colours are.
"""

from __future__ import annotations

import numpy as np

from dexman_pose.arrays import Array, Bools, Mask
from dexman_pose.imaging.masks import mask_box
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.search.viewpoints import projected_boxes
from dexman_pose.render import Rasterizer

LOOSE = 6.0
"""Pixels by which a box that is drawn around an object is loose on every side, at most."""
_LEAST_LOOSE, _LOOSE_SHARE = 2.0, 0.08
"""Where poses are ranked by it: share of the box's longer side by which it is loose, at least so many pixels, at most
``LOOSE``. Six pixels are a fifth of a box of thirty."""

_BESIDE, _COVERED = 0.15, 0.15
"""Share of a box's longer side that is looked at beside it, and share of that which is covered where it may go on."""


def closely(box: Array) -> float:
    """Pixels by which a box (4,) is loose on every side, as poses that agree otherwise are ranked."""
    return float(np.clip(_LOOSE_SHARE * (box[2:] - box[:2]).max(), _LEAST_LOOSE, LOOSE))


def off_box(
    visible: Mask, box: Array | None, *, whole: Mask | None = None, loose: float = LOOSE
) -> float | None:
    """Share of a box's side by which an object misses it on the worst side; None without a box.

    A box is around what is visible, or around all of an object that a hand covers in part: a side between the two
    misses by nothing. What hides it may not be known: it counts as far as it reaches out of the box.

    Args:
        visible: (H, W) what is seen of the object.
        box: (4,) x0, y0, x1, y1 pixels.
        whole: (H, W) what would be seen if nothing covered it, or None where that is not known.
        loose: pixels by which a side may miss for nothing.
    """
    found = mask_box(visible)
    if box is None or found is None:
        return None
    widest = found if whole is None else mask_box(whole)
    assert widest is not None
    missed = np.maximum(_short(widest, box), -_short(found, box))
    sides = np.tile(box[2:] - box[:2], 2)
    return float((np.maximum(missed - loose, 0.0) / sides).max())


def covered_sides(look: ObjectView) -> Bools:
    """(4,) whether the object may go on beyond the left, upper, right, lower side of the box that somebody drew.

    It may where another thing, or the end of the picture, covers part of what lies just outside: a box around what is
    visible ends there.
    """
    assert look.asked is not None
    x0, y0, x1, y1 = np.round(look.asked).astype(int).tolist()
    reach = max(int(_BESIDE * max(x1 - x0, y1 - y0)), 1)
    covered = np.pad(~look.free, reach, constant_values=True)
    rows, columns = slice(y0 + reach, y1 + reach + 1), slice(x0 + reach, x1 + reach + 1)
    beside = (
        covered[rows, x0 : x0 + reach],
        covered[y0 : y0 + reach, columns],
        covered[rows, x1 + reach + 1 : x1 + 2 * reach + 1],
        covered[y1 + reach + 1 : y1 + 2 * reach + 1, columns],
    )
    return np.array([part.mean() > _COVERED if part.size else True for part in beside])


def poses_off_box(poses: Array, extremes: Array, look: ObjectView) -> Array:
    """(B,) what :func:`pose_off_box` ranks poses (B, 4, 4) by, told by extreme points alone: nothing is drawn.

    What is hidden is not known then, so that it costs nothing to reach out over a side beyond which something else is.

    Args:
        poses: camera_from_object.
        extremes: (V, 3) points of the mesh that reach farthest, object frame.
        look: the picture.
    """
    box = look.asked
    if box is None:
        return np.zeros(len(poses))
    found = projected_boxes(poses, extremes, look.camera)
    short = np.concatenate([found[:, :2] - box[:2], box[2:] - found[:, 2:]], 1)
    missed = np.maximum(short, np.where(covered_sides(look), 0.0, -short))
    return np.asarray((np.maximum(missed - closely(box), 0.0) / np.tile(box[2:] - box[:2], 2)).max(1))


def _short(found: Array, box: Array) -> Array:
    """(4,) pixels by which a box lies within another one on the left, above, on the right and below."""
    return np.concatenate([found[:2] - box[:2], box[2:] - found[2:]])


def pose_off_box(
    rasterizer: Rasterizer, camera_from_object: Array, look: ObjectView, *, ranked: bool = False
) -> float | None:
    """:func:`off_box` of a mesh at a pose (4, 4), in the picture for which the box was drawn; None without a box.

    Args:
        rasterizer: of the mesh.
        camera_from_object: (4, 4).
        look: the picture.
        ranked: whether poses are ranked by it, which a closer look tells apart.
    """
    if look.asked is None:
        return None
    c = look.camera
    drawn = rasterizer.render(camera_from_object[None], c.K, c.width, c.height).mask[0]
    loose = closely(look.asked) if ranked else LOOSE
    return off_box(drawn & look.free, look.asked, whole=drawn, loose=loose)
