"""Settings of the tracker and what it says of a frame."""

from __future__ import annotations

from dataclasses import dataclass

from dexman_pose.arrays import Array


@dataclass(frozen=True)
class TrackOptions:
    """Settings of the tracker.

    Attributes:
        points: surface points followed at a time.
        lost_iou: outline overlap below which a frame is not valid.
        lost_ncc: colour correlation below which a frame of a coloured mesh is not valid unless points confirm it.
        search_every: while lost, a full search after this many frames, then twice as many, and so on.
        rotation_sigma: motion prior in radians per frame.
        least_seen: share of the object's outline that must be in sight for a pose to be valid.
        keyframes: earlier views kept to be recognised, against drift; 0 for none.
    """

    points: int = 80
    lost_iou: float = 0.4
    lost_ncc: float = 0.3
    search_every: int = 5
    rotation_sigma: float = 0.25
    least_seen: float = 0.1
    keyframes: int = 8


@dataclass
class FramePose:
    """The outcome for one frame."""

    camera_from_object: Array
    valid: bool
    confidence: float
    iou: float
    ncc: float
    hessian: Array
