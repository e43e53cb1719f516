"""Why a pose of a track is not to be used, or its mask is not: small codes that a trajectory file can hold."""

from __future__ import annotations

from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

Doubts = NDArray[np.uint16]
"""(T,) sums of :class:`Doubt`, one per frame."""


class Doubt(IntFlag):
    """Reasons against a pose; they add up. :attr:`MASK_LOST` alone leaves the pose valid."""

    NONE = 0
    NO_POSE = 1
    """The object was not in sight, or no pose explained the frame."""
    COLORS = 2
    """The picture does not show the colours of the object, or of the mesh, where the pose puts it."""
    EDGES = 4
    """The picture has no edges where the pose puts the outline."""
    DEPTH = 8
    """Measured depth disagrees with the pose."""
    OVERLAP = 16
    """The outline at the pose does not cover the mask, and nothing else confirms the pose."""
    JUMP = 32
    """The pose is farther from the last one than an object can move, and nothing else confirms it."""
    OUTLIER = 64
    """The pose is off the way between its neighbours."""
    MESH = 128
    """The mesh explains hardly any frame: it may be another object's."""
    START = 256
    """The track began at a pose that was in doubt, and nothing has confirmed it since."""
    MASK_LOST = 512
    """The mask shows something else, but the pose is confirmed without it."""
    CAMERA = 1024
    """The camera moved, and the shape was made on the assumption that it stands still."""


DOUBT_TEXT: dict[Doubt, str] = {
    Doubt.NO_POSE: "not in sight",
    Doubt.COLORS: "colours disagree",
    Doubt.EDGES: "outline has no edges in the picture",
    Doubt.DEPTH: "depth disagrees",
    Doubt.OVERLAP: "outline misses the mask",
    Doubt.JUMP: "jumps farther than an object moves",
    Doubt.OUTLIER: "leaves the way of its neighbours",
    Doubt.MESH: "the mesh explains hardly any frame",
    Doubt.START: "start in doubt",
    Doubt.CAMERA: "the camera moved",
    Doubt.MASK_LOST: "mask lost but pose kept",
}
"""Each reason in words."""


def pose_doubted(doubt: Doubts) -> NDArray[np.bool_]:
    """(T,) frames in which something speaks against the pose itself."""
    return (doubt & ~np.uint16(Doubt.MASK_LOST)) != 0
