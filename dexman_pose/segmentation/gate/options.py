"""Thresholds of the gate. Chosen by reason on drawn masks; none was tuned on a clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class GateOptions:
    """When a mask does not follow from those before it, and what becomes of it.

    Attributes:
        recent: accepted frames that tell what is usual: an area changes slowly, a leak does not.
        large: ratio of an area over the usual one, above which something else is in the mask.
        small: ratio of the usual area over one, above which most of the object is missing.
        jump: share of the object's longer side that it may move from one frame to the next, beside twice its last step.
        patience: frames after which what looks wrong is taken for what there is now, at low confidence.
        brief: frames, longest run of small or missing masks between two that agree, which is flicker.
        agree: ratio of the areas on both sides of a flicker up to which they agree.
        exchange: two objects have changed places where the steps that this would take are shorter than this share of
            the steps they seem to have made.
        lasting: factor on the confidence of masks that came back to nothing usual after a leak or a jump.
        reduced: factor on the confidence of small masks.
        exchanged: factor on the confidence of objects that have changed places.
    """

    recent: int = 5
    large: float = 1.8
    small: float = 2.5
    jump: float = 0.6
    patience: int = 15
    brief: int = 3
    agree: float = 1.3
    exchange: float = 0.5
    lasting: float = 0.3
    reduced: float = 0.5
    exchanged: float = 0.2


DEFAULTS: Final = GateOptions()
"""What ``segment_clip`` uses."""
