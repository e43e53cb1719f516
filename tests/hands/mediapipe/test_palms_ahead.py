"""Palms that were looked for before they are asked for are those of their own frame, and failures are not lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from dexman_pose.hands.mediapipe.palm import Palms
from dexman_pose.hands.mediapipe.palms_ahead import PalmsAhead


def _frames(count: int) -> Iterator[tuple[int, np.ndarray]]:
    for index in range(count):
        yield index, np.full((2, 2, 3), index, np.uint8)


def _number(image: np.ndarray, _: float = 0.0) -> Palms:
    """Palms whose score tells the frame they are of."""
    if image[0, 0, 0] == 7:
        raise ValueError("frame 7")
    return Palms(np.zeros((1, 4)), np.zeros((1, 7, 2)), image[0, 0, :1].astype(float))


@pytest.mark.parametrize("often", [True, False])
def test_every_frame_gets_its_own_palms(often: bool) -> None:
    palms = PalmsAhead(_number, lambda index: index == 2)
    palms.often = often
    with palms:
        seen = [(index, palms(image, 0.0).scores[0]) for index, image in palms.frames(_frames(6), 0.0)]
    assert seen == [(i, float(i)) for i in range(6)]


def test_only_frames_that_seem_to_need_it_are_looked_at_on_the_other_thread() -> None:
    looked: list[tuple[int, bool]] = []

    def palms_of(image: np.ndarray, _: float) -> Palms:
        looked.append((int(image[0, 0, 0]), threading.current_thread() is threading.main_thread()))
        return _number(image)

    palms = PalmsAhead(palms_of, lambda index: index % 3 == 0)
    palms.often = False
    with palms:
        for index, image in palms.frames(_frames(6), 0.0):
            if index in (0, 3, 4):
                palms(image, 0.0)
    assert sorted(looked) == [(0, False), (3, False), (4, True)]


def test_what_the_detector_raises_is_raised_where_its_frame_is_asked_for() -> None:
    palms = PalmsAhead(_number, lambda index: True)
    asked = []
    with pytest.raises(ValueError, match="frame 7"), palms:
        for index, image in palms.frames(_frames(9), 0.0):
            palms(image, 0.0)
            asked.append(index)
    assert asked == list(range(7))


def test_the_detector_is_never_asked_by_two_threads_at_once() -> None:
    busy, together = threading.Lock(), []

    def palms_of(image: np.ndarray, _: float) -> Palms:
        alone = busy.acquire(blocking=False)
        together.append(not alone)
        time.sleep(0.005)
        if alone:
            busy.release()
        return _number(image)

    palms = PalmsAhead(palms_of, lambda index: index % 2 == 0)
    palms.often = False
    with palms:
        for _, image in palms.frames(_frames(7), 0.0):
            # The odd ones are not begun before: this thread looks while the other one looks at the next.
            palms(image, 0.0)
    assert len(together) == 7 and not any(together)
