"""Thresholds that backends with networks share. Chosen by reason; none was tuned on a clip."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class HandPromptOptions:
    """How a hand is shown to a network.

    Attributes:
        margin: share of the hand's longer side, added to the box around its joints on every side.
        refresh: frames, a followed hand is shown again as soon as this many have passed, for its shape changes.
        clicks: numbers of the joints that are clicked on: wrist, middle of the palm's knuckles, middle of fingers.
    """

    margin: float = 0.12
    refresh: int = 10
    clicks: tuple[int, ...] = (0, 5, 9, 17, 6, 10, 14, 18)


@dataclass(frozen=True)
class AgainOptions:
    """When an object is shown to a network again, because a pose that was followed beside it says otherwise.

    Attributes:
        unlike: overlap (intersection over union, where no hand is) below which mask and outline disagree.
        shown: share of the outline's area at the prompt that must be in sight for a judgement.
        patience: frames in a row in which they must disagree.
        apart: frames between two showings of an object.
    """

    unlike: float = 0.5
    shown: float = 0.25
    patience: int = 2
    apart: int = 10


@dataclass(frozen=True)
class PromptedOptions:
    """Options of the passes over a clip.

    Attributes:
        hands: how hands are shown.
        again: when objects are shown again.
        least_pixels: a smaller mask has no confidence.
        margin: logit by which a hand must beat an object before it takes its pixels.
        device: where networks run: ``auto``, ``cpu``, ``cuda``.
    """

    hands: HandPromptOptions = field(default_factory=HandPromptOptions)
    again: AgainOptions = field(default_factory=AgainOptions)
    least_pixels: int = 12
    margin: float = 0.0
    device: str = "auto"


DEFAULTS: Final = PromptedOptions()
"""What ``segment_clip`` uses."""
