"""What the gate found wrong with the masks of a run, for its provenance and its report."""

from __future__ import annotations

from dexman_pose.data.masks import MaskSequence

FAULT_TEXT = {
    "LARGE": "suddenly much larger",
    "JUMP": "farther off than it can move",
    "SMALL": "suddenly much smaller",
    "FLICKER": "gone for a moment",
    "LASTING": "large or far off, and so it stayed",
    "EXCHANGED": "in another object's place",
    "SHOWN_AGAIN": "unlike the pose followed beside, and shown again by it,",
}
"""Words for each :class:`~dexman_pose.segmentation.gate.checks.Fault`."""


def mask_faults(masks: MaskSequence) -> dict[str, dict[str, int]]:
    """Number of frames by object and fault; objects without a fault are left out."""
    if masks.faults is None:
        return {}
    from dexman_pose.segmentation.gate.checks import Fault

    counts = {
        name: {
            fault.name.lower(): int(((masks.faults[:, i] & fault) > 0).sum())
            for fault in Fault
            if fault.name is not None and ((masks.faults[:, i] & fault) > 0).any()
        }
        for i, name in enumerate(masks.names)
    }
    return {name: found for name, found in counts.items() if found}


def mask_fault_notices(masks: MaskSequence) -> list[str]:
    """A sentence for each object whose masks were doubted or taken away."""
    if masks.faults is None:
        return []
    from dexman_pose.segmentation.gate.apply import DROPPED
    from dexman_pose.segmentation.gate.checks import Fault
    from dexman_pose.viewer._text import frame_ranges

    said = []
    for i, name in enumerate(masks.names):
        codes = masks.faults[:, i]
        parts = [
            f"{FAULT_TEXT[fault.name]} in frames {frame_ranges((codes & fault) > 0)}"
            for fault in Fault
            if fault.name is not None and ((codes & fault) > 0).any()
        ]
        if parts:
            gone = int(((codes & DROPPED) > 0).sum())
            taken = f"; {gone} were taken away" if gone else ""
            said.append(f"{name}: masks were doubted: {'; '.join(parts)}{taken}.")
    return said
