"""What a network saw of one thing in one frame, and what of it becomes labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Mask
from dexman_pose.data import OCCLUDER

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Seen:
    """One thing in one frame.

    Attributes:
        logits: (H, W) log odds that a pixel of the picture is part of it.
        trust: in [0, 1], what the network itself says of its answer: that the thing is there, or the mask right.
    """

    logits: Logits
    trust: float

    @property
    def mask(self) -> Mask:
        """(H, W) bool, where it is likelier than not."""
        return self.logits > 0

    def confidence(self, labelled: Mask, least_pixels: int) -> float:
        """How far the pixels that were labelled can be trusted, in [0, 1].

        The network's own word, times how decided it was on average over them: 0 at even odds, 1 where it is sure.
        """
        count = int(labelled.sum())
        if count < least_pixels:
            return 0.0
        odds = np.clip(self.logits[labelled], 0.0, None)
        decided = float(np.tanh(0.5 * odds).mean())  # 2 * sigmoid(odds) - 1
        return float(np.clip(self.trust, 0.0, 1.0)) * decided


def labels_of(
    objects: Mapping[int, Seen], hands: Sequence[Seen], shape: tuple[int, int], margin: float = 0.0
) -> NDArray[np.uint8]:
    """Label image of what was seen: every pixel belongs to the likeliest thing, to none where all are unlikely.

    Args:
        objects: by label.
        hands: what hides objects and is none.
        shape: (H, W) of the picture.
        margin: logit by which a hand must beat an object.

    Returns:
        (H, W) uint8.
    """
    labels = np.zeros(shape, np.uint8)
    best = np.zeros(shape, np.float32)  # even odds: the background's own
    for label, seen in objects.items():
        wins = seen.logits > best
        labels[wins], best[wins] = label, seen.logits[wins]
    for seen in hands:
        labels[(seen.logits > 0) & (seen.logits > best + np.where(labels > 0, margin, 0.0))] = OCCLUDER
    return labels
