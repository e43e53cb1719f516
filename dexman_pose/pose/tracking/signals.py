"""What the frames of a track say of its poses: plain numbers, from which a verdict is made."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from dexman_pose.arrays import Array


@dataclass(frozen=True)
class FrameSignals:
    """The signals of one frame; NaN where a signal says nothing.

    Attributes:
        overlap: of the drawn outline with the mask, in [0, 1].
        colors: correlation of the drawn colours with the picture, in [-1, 1].
        edges: strength of the picture's edges along the drawn outline, in [0, 1].
        mask_edges: strength of the picture's edges along the mask's own outline; of meshes without colours alone.
        depth_agrees: share of the measured depth on the drawn object that agrees.
        depth_behind: share of it that lies farther: there is no such object.
        known: share of the drawn object that neither an occluder nor the image's border hides.
        hues: (3 * bins,) histogram of the picture's colours on the drawn object, each channel summing to 1.
        points: points of the drawn texture that were found in the picture where the pose has them; NaN where the pose
            does not come from texture.
        evidence: sum of :class:`~dexman_pose.data.evidence.Evidence`, what carried the pose.
    """

    overlap: float = np.nan
    colors: float = np.nan
    edges: float = np.nan
    mask_edges: float = np.nan
    depth_agrees: float = np.nan
    depth_behind: float = np.nan
    known: float = np.nan
    hues: Array = field(default_factory=lambda: np.full(24, np.nan))
    points: float = np.nan
    evidence: int = 0


@dataclass(frozen=True)
class TrackSignals:
    """The signals of T frames: the fields of :class:`FrameSignals`, (T,) each, ``hues`` (T, 3 * bins)."""

    overlap: Array
    colors: Array
    edges: Array
    mask_edges: Array
    depth_agrees: Array
    depth_behind: Array
    known: Array
    hues: Array
    points: Array
    evidence: Array

    @classmethod
    def of(cls, frames: list[FrameSignals]) -> TrackSignals:
        """Stack the signals of frames."""
        return cls(
            *(np.array([getattr(s, f.name) for s in frames], np.float64) for f in fields(FrameSignals))
        )
