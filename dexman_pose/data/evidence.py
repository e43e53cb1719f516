"""What the pose of a frame rests on: small codes that a trajectory file can hold."""

from __future__ import annotations

from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

Evidences = NDArray[np.uint16]
"""(T,) sums of :class:`Evidence`, one per frame; 0 where there is no pose."""


class Evidence(IntFlag):
    """Kinds of evidence that carried a pose; they add up."""

    NONE = 0
    REGION = 1
    """Colours on both sides of the outline."""
    EDGES = 2
    """Edges of the picture along the outline."""
    TEXTURE = 4
    """The mesh's own texture, found in the picture."""
    CORNERS = 8
    """Corners of earlier frames, found again."""
    MASK = 16
    """The outline of the object's mask."""
    DEPTH = 32
    """Measured depth."""


EVIDENCE_TEXT: dict[Evidence, str] = {
    Evidence.REGION: "colours along the outline",
    Evidence.EDGES: "edges",
    Evidence.TEXTURE: "texture",
    Evidence.CORNERS: "corners of earlier frames",
    Evidence.MASK: "mask",
    Evidence.DEPTH: "depth",
}
"""Each kind in words."""


def evidence_summary(evidence: Evidences) -> str:
    """In how many of the frames with a pose each kind carried it: ``"texture 98 %, edges 71 % of 120 frames"``."""
    posed = evidence[evidence != 0]
    if not len(posed):
        return "nothing carried a pose"
    shares = {words: float(((posed & kind) != 0).mean()) for kind, words in EVIDENCE_TEXT.items()}
    told = [f"{words} {100 * share:.0f} %" for words, share in shares.items() if share > 0]
    return f"{', '.join(told)} of {len(posed)} frames"
