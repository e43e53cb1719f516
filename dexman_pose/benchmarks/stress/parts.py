"""Many-coloured objects: masks from a box alone, and whether a part was taken for the whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Bools
from dexman_pose.benchmarks.stress.case import OBJECT, StressCase
from dexman_pose.data import ObjectPrompt
from dexman_pose.errors import InputError
from dexman_pose.render import Rasterizer
from dexman_pose.segmentation import segment_clip

FROM_BOX = ("boxed_print", "colorful")
"""Conditions whose masks are those of the default segmentation, prompted by the box in the first frame."""

BOX_GIVEN = ("boxed_print",)
"""Of these, those whose single pictures are searched with the box given too."""

COUNTED = 0.1
"""Least share of the object in sight from which on a part of it counts."""

COVERED = 0.3
"""Share of a part that has to be covered, or the part is missed."""


def prompted(case: StressCase) -> StressCase:
    """The case with the labels that the default segmentation makes of the first box, where its condition asks for it.

    Raises:
        InputError: nothing of the object is seen in any frame.
    """
    if case.condition not in FROM_BOX:
        return case
    boxes = case.boxes()
    first = next((k for k, box in enumerate(boxes) if box is not None), None)
    if first is None:
        raise InputError(
            f"case {case.condition}/{case.shape}/{case.seed}: the object is in sight in none of its frames, "
            "so that there is no box to start from; take another seed"
        )
    masks = segment_clip(case.clip(), {OBJECT: ObjectPrompt(box=boxes[first], frame=first)})
    labels = [_labels(exact, masks.mask(k, OBJECT)) for k, exact in enumerate(case.exact_labels)]
    return replace(case, labels=labels)


def _labels(exact: NDArray[np.uint8], mask: Bools) -> NDArray[np.uint8]:
    """Labels (H, W) of a mask, and of the occluders that stand in the exact ones."""
    out = np.where(exact == 1, 0, exact).astype(np.uint8)
    out[mask & (out == 0)] = 1
    return out


def parts_missed(case: StressCase, covered: Iterable[Bools]) -> Bools | None:
    """(T,) frames in which a part of the object in sight is not covered; None for an object without parts.

    Args:
        case: with ``face_parts``.
        covered: T of (H, W), a mask or the silhouette of a pose.
    """
    if case.face_parts is None:
        return None
    rasterizer, c = Rasterizer(case.mesh), case.camera
    out = []
    for exact, pose, cover in zip(case.exact_labels, case.camera_from_object, covered):
        seen = rasterizer.render(pose, c.K, c.width, c.height, attributes=("face_id",))
        assert seen.face_id is not None
        own = (exact == 1) & seen.mask[0]
        part = case.face_parts[seen.face_id[0][own]]
        whole = np.bincount(part)
        hit = np.bincount(part, cover[own], minlength=len(whole))
        counted = whole >= max(COUNTED * len(part), 1)
        out.append(bool((hit[counted] < COVERED * whole[counted]).any()))
    return np.array(out)


def silhouettes(case: StressCase, poses: Array) -> Iterable[Bools]:
    """T of (H, W): where the object is seen under poses (T, 4, 4)."""
    rasterizer, c = Rasterizer(case.mesh), case.camera
    for pose in poses:
        yield rasterizer.render(pose, c.K, c.width, c.height).mask[0]
