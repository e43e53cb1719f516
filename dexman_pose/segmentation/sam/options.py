"""Thresholds of the backend ``sam``. Chosen by reason; none was tuned on a clip."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from dexman_pose.segmentation.prompted.options import PromptedOptions


@dataclass(frozen=True)
class SamOptions:
    """How a mask is shown to the network in the next frame.

    Attributes:
        passes: over the clip.
        margin: share of the box's longer side, added to the box of the last mask on every side.
        clicks: on the inside of the last mask, farthest from its outline and from each other.
        clearance: share of the largest distance to the outline that a click must keep.
        agreement: weight of the overlap with the expected mask in the choice among three answers, against the
            network's own guess of its overlap.
        lost: overlap with the expected mask below which the object is lost: nothing is labelled.
        confident: logit that is written for the pixels of a mask that was given.
        farthest: share of the object's longer side that it is taken to move in a frame at most, as in the frame before.
    """

    passes: PromptedOptions = field(default_factory=PromptedOptions)
    margin: float = 0.06
    clicks: int = 3
    clearance: float = 0.5
    agreement: float = 0.5
    lost: float = 0.1
    confident: float = 10.0
    farthest: float = 1.0


DEFAULTS: Final = SamOptions()
"""What ``segment_clip`` uses."""
