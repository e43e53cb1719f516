"""The gate itself: masks in, masks out, those in doubt with less confidence or gone."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import BACKGROUND, MaskSequence
from dexman_pose.segmentation.gate.checks import Codes, Fault, exchanges, flicker, outward
from dexman_pose.segmentation.gate.measures import Measures, measures_of
from dexman_pose.segmentation.gate.options import DEFAULTS, GateOptions

DROPPED = Fault.LARGE | Fault.JUMP | Fault.FLICKER
"""Masks with any of these are removed: nothing tells which of their pixels are the object's."""


def gated(
    masks: MaskSequence, starts: Mapping[str, int], options: GateOptions = DEFAULTS
) -> tuple[MaskSequence, dict[str, Codes]]:
    """Judge masks, and take away what is clearly wrong.

    Args:
        masks: of any backend; not changed.
        starts: by object, the frame of its prompt, whose mask is trusted; as are those that ``masks.faults`` tells to
            have been shown again.
        options: thresholds.

    Returns:
        Masks with lower confidence where they are doubtful, without those that leak, jump or flicker (their pixels
        become background), and by object (T,) sums of :class:`Fault`. Occluders stay as they are.
    """
    found, again = measures_of(masks), _shown_again(masks)
    changed: list[tuple[str, str, NDArray[np.bool_]]] = []
    for one, other in combinations(found, 2):
        frames = _changed(
            found[one], found[other], starts[one], starts[other], again[one] | again[other], options
        )
        if frames.any():
            changed.append((one, other, frames))
            found[one], found[other] = _swapped(found[one], found[other], frames)
    codes = {name: _codes(one, starts[name], options, again[name]) for name, one in found.items()}
    for one, other, frames in reversed(changed):  # faults go back to the names that the masks have
        codes[one][frames], codes[other][frames] = codes[other][frames].copy(), codes[one][frames].copy()
        for name in (one, other):
            codes[name][frames] |= np.uint8(Fault.EXCHANGED)
    for name, frames in again.items():
        codes[name][frames] |= np.uint8(Fault.SHOWN_AGAIN)
    return _applied(masks, codes, options), codes


def _shown_again(masks: MaskSequence) -> dict[str, NDArray[np.bool_]]:
    """(T,) frames in which objects were shown to a network again, by name."""
    faults = np.zeros(masks.confidence.shape, np.uint8) if masks.faults is None else masks.faults
    return {name: (faults[:, i] & Fault.SHOWN_AGAIN) > 0 for i, name in enumerate(masks.names)}


def _codes(measures: Measures, start: int, options: GateOptions, again: NDArray[np.bool_]) -> Codes:
    count = len(measures.areas)
    codes = np.zeros(count, np.uint8)
    for order in (np.arange(start, count), np.arange(start, -1, -1)):
        codes[order] |= outward(measures.taken(order), options, again[order])
    brief = flicker(measures, options)
    brief[start] = 0
    brief[again] = 0
    return codes | brief


def _changed(
    one: Measures,
    other: Measures,
    start_one: int,
    start_other: int,
    again: NDArray[np.bool_],
    options: GateOptions,
) -> NDArray[np.bool_]:
    """(T,) frames in which two objects have each other's places, away from the prompts of both.

    From a frame in which one of them was shown again it is itself, whatever was before: nothing is compared across it.
    """
    count, first, last = len(one.areas), min(start_one, start_other), max(start_one, start_other)
    out = np.zeros(count, bool)
    for order in (np.arange(last, count), np.arange(first, -1, -1)):
        for part in np.split(order, np.flatnonzero(again[order])):
            times = exchanges(one.taken(part), other.taken(part), options)
            out[part] |= np.cumsum(times) % 2 == 1  # a second exchange puts things right again
    return out & one.present & other.present


def _swapped(one: Measures, other: Measures, frames: NDArray[np.bool_]) -> tuple[Measures, Measures]:
    """Each in the other's place in some frames, so that both go on as they began."""
    fields = [
        (np.where(mask, b, a), np.where(mask, a, b))
        for a, b, mask in (
            (one.areas, other.areas, frames),
            (one.middles, other.middles, frames[:, None]),
            (one.sides, other.sides, frames),
        )
    ]
    return Measures(*(f[0] for f in fields)), Measures(*(f[1] for f in fields))


def _applied(masks: MaskSequence, codes: Mapping[str, Codes], options: GateOptions) -> MaskSequence:
    out = MaskSequence(
        masks.names, masks.height, masks.width, masks.num_frames, masks.confidence.copy(), list(masks._frames)
    )
    out.faults = np.stack([codes[name].astype(np.uint8) for name in masks.names], 1)
    for name, of_frames in codes.items():
        label = masks.label_of(name)
        factor = np.ones(len(of_frames), np.float32)
        for fault, by in (
            (Fault.SMALL, options.reduced),
            (Fault.LASTING, options.lasting),
            (Fault.EXCHANGED, options.exchanged),
        ):
            factor[(of_frames & fault) > 0] *= by
        wrong = (of_frames & DROPPED) > 0
        factor[wrong] = 0.0
        out.confidence[:, label - 1] *= factor
        for frame in np.flatnonzero(wrong):
            labels = out.labels(int(frame)).copy()
            labels[labels == label] = BACKGROUND
            out.set(int(frame), labels)
    return out
