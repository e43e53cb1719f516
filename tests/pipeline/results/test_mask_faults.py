"""What the gate finds is kept with the masks and told."""

from __future__ import annotations

import numpy as np

from dexman_pose.data import MaskSequence
from dexman_pose.pipeline.results.mask_faults import FAULT_TEXT, mask_fault_notices, mask_faults
from dexman_pose.segmentation.gate.apply import gated
from dexman_pose.segmentation.gate.checks import Fault


def leaking() -> MaskSequence:
    """A square of 20 pixels that has 40 in frames 6 and 7."""
    masks = MaskSequence(("cup", "jar"), 90, 120, 12, np.ones((12, 2), np.float32))
    for frame in range(12):
        labels = np.zeros((90, 120), np.uint8)
        side = 40 if frame in (6, 7) else 20
        labels[50 - side // 2 : 50 + side // 2, 40 - side // 2 : 40 + side // 2] = 1
        labels[10:20, 90:110] = 2
        masks.set(frame, labels)
    return masks


def test_a_leak_is_counted_and_told_and_survives_its_file() -> None:
    masks = gated(leaking(), {"cup": 0, "jar": 0})[0]
    again = MaskSequence.from_arrays(masks.to_arrays())
    assert (
        again.faults is not None
        and (again.faults[6:8, 0] & Fault.LARGE).all()
        and not again.faults[:, 1].any()
    )
    assert mask_faults(again) == {"cup": {"large": 2}}
    (said,) = mask_fault_notices(again)
    assert said == "cup: masks were doubted: suddenly much larger in frames 6-7; 2 were taken away."


def test_masks_that_nobody_judged_tell_nothing() -> None:
    masks = leaking()
    assert masks.faults is None and "faults" not in masks.to_arrays()
    assert mask_faults(masks) == {} and mask_fault_notices(masks) == []


def test_every_fault_has_words() -> None:
    assert set(FAULT_TEXT) == {fault.name for fault in Fault}
