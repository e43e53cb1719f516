"""Masks that grow are read as the finished ones are, by whoever waits for them; who gives up wakes all."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from dexman_pose.data import MaskSequence
from dexman_pose.pipeline.growing_masks import GrowingMasks, MasksGivenUp


def _image(frame: int) -> np.ndarray:
    out = np.zeros((4, 5), np.uint8)
    out[0, : frame + 1] = 1
    return out


def _fill(masks: MaskSequence, frame: int) -> None:
    masks.confidence[frame, 0] = 0.25 * (frame + 1)
    masks.set(frame, _image(frame))


def test_a_frame_is_read_when_it_is_settled_and_not_before() -> None:
    masks = GrowingMasks(("cup",), 4, 5, 3)
    read: list[int] = []
    reader = threading.Thread(target=lambda: read.append(int(masks.labels(1).sum())))
    reader.start()
    _fill(masks.filled, 1)
    reader.join(0.2)
    assert read == [] and masks.filled.labels(1).sum() == 2  # the maker reads what it likes
    masks.filled.settled(0)
    reader.join(0.2)
    assert read == []
    masks.filled.settled(1)
    reader.join(10)
    assert read == [2]
    assert masks.confidence_of(1, "cup") == 0.5 and masks.mask(1, "cup").sum() == 2


def test_what_is_about_all_frames_waits_for_all() -> None:
    masks = GrowingMasks(("cup",), 4, 5, 3)
    seen: list[np.ndarray] = []
    reader = threading.Thread(target=lambda: seen.append(masks.confidence.copy()))
    reader.start()
    for frame in range(3):
        reader.join(0.05)
        assert seen == []
        _fill(masks.filled, frame)
        masks.filled.settled(frame)
    reader.join(10)
    np.testing.assert_array_equal(seen[0], np.float32([[0.25], [0.5], [0.75]]))
    again = MaskSequence.from_arrays(masks.to_arrays())
    assert again.names == masks.names == ("cup",) and masks.num_frames == 3
    for frame in range(3):
        np.testing.assert_array_equal(again.labels(frame), _image(frame))
        np.testing.assert_array_equal(masks.labels(frame), _image(frame))


def test_all_are_settled_at_once_at_the_end() -> None:
    masks = GrowingMasks(("cup",), 4, 5, 3)
    masks.settle()
    assert masks.labels(2).sum() == 0 and masks.confidence.shape == (3, 1)


def test_who_waits_for_masks_that_are_given_up_is_told() -> None:
    masks = GrowingMasks(("cup",), 4, 5, 3)
    told: list[BaseException] = []

    def read() -> None:
        try:
            masks.labels(2)
        except MasksGivenUp as error:
            told.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    masks.give_up()
    reader.join(10)
    assert len(told) == 1
    with pytest.raises(MasksGivenUp):
        masks.confidence_of(0, "cup")
