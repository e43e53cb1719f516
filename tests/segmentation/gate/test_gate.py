"""The gate on drawn masks whose faults are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import OCCLUDER, MaskSequence
from dexman_pose.segmentation.gate.apply import gated
from dexman_pose.segmentation.gate.checks import Fault, exchanges, flicker, outward
from dexman_pose.segmentation.gate.measures import Measures, measures_of

HEIGHT, WIDTH, FRAMES = 90, 160, 40
Draw = Callable[[int], list[tuple[int, int, int, int]]]
"""Boxes x, y, width, height of the objects in a frame; an empty one has no width."""


def drawn(draw: Draw, count: int = 1, frames: int = FRAMES) -> MaskSequence:
    names = tuple("abc"[:count])
    masks = MaskSequence(names, HEIGHT, WIDTH, frames, np.ones((frames, count), np.float32))
    for t in range(frames):
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        labels[:5] = OCCLUDER
        for label, (x, y, w, h) in enumerate(draw(t), 1):
            labels[y : y + h, x : x + w] = label
        masks.set(t, labels)
    return masks


def codes(draw: Draw, start: int = 0, count: int = 1) -> dict[str, NDArray[np.uint8]]:
    names = "abc"[:count]
    return gated(drawn(draw, count), dict.fromkeys(names, start))[1]


def test_measures_are_those_of_the_pixels() -> None:
    one = measures_of(drawn(lambda t: [(10 + t, 20, 8, 5)]))["a"]
    assert (one.areas == 40).all() and (one.sides == 8).all()
    assert np.allclose(one.middles[3], [16.5, 22.0])


@pytest.mark.parametrize("start", [0, 20, FRAMES - 1])
def test_an_object_that_moves_grows_and_is_hidden_slowly_is_left_alone(start: int) -> None:
    def draw(t: int) -> list[tuple[int, int, int, int]]:
        hidden = max(0, 12 - abs(t - 20))  # an occluder passes: a row of pixels more is hidden in every frame
        return [(5 + 2 * t, 30, 20 + t // 2, 20 - hidden)]

    masks = drawn(draw)
    out, found = gated(masks, {"a": start})
    assert not found["a"].any()
    assert (out.confidence == 1).all()
    assert all((out.labels(t) == masks.labels(t)).all() for t in range(FRAMES))


def test_fast_even_motion_is_no_jump() -> None:
    assert not codes(lambda t: [(3 + 3 * t if t < 40 else 120, 30, 6, 6)])["a"].any()


@pytest.mark.parametrize("start", [0, FRAMES - 1])
def test_a_leak_is_dropped_while_it_lasts(start: int) -> None:
    def draw(t: int) -> list[tuple[int, int, int, int]]:
        return [(40, 30, 60 if 15 <= t < 22 else 20, 20)]

    out, found = gated(drawn(draw), {"a": start})
    assert np.flatnonzero(found["a"] & Fault.LARGE).tolist() == list(range(15, 22))
    assert (out.confidence[:, 0] == 0).sum() == 7
    assert not out.mask(18, "a").any() and out.mask(22, "a").sum() == 400
    assert (out.labels(18)[:5] == OCCLUDER).all()


def test_a_leak_that_does_not_end_loses_confidence_for_good() -> None:
    out, found = gated(drawn(lambda t: [(40, 30, 60 if t >= 15 else 20, 20)]), {"a": 0})
    assert (found["a"][15:30] & Fault.LARGE).all() and not (found["a"][30:] & Fault.LARGE).any()
    assert (found["a"][30:] & Fault.LASTING).all()
    assert np.allclose(out.confidence[30:, 0], 0.3) and out.mask(35, "a").any()


def test_a_jump_to_something_else_and_back_is_dropped() -> None:
    out, found = gated(drawn(lambda t: [(110 if 10 <= t < 14 else 20, 30, 20, 20)]), {"a": 0})
    assert np.flatnonzero(found["a"] & Fault.JUMP).tolist() == [10, 11, 12, 13]
    assert np.flatnonzero(out.confidence[:, 0] == 0).tolist() == [10, 11, 12, 13]


def test_flicker_is_dropped_and_a_hidden_object_is_not() -> None:
    def draw(t: int) -> list[tuple[int, int, int, int]]:
        brief, long = t in (8, 9), 20 <= t < 30
        return [(40, 30, 4 if brief or long else 20, 20)]

    out, found = gated(drawn(draw), {"a": 0})
    assert np.flatnonzero(found["a"] & Fault.FLICKER).tolist() == [8, 9]
    assert (found["a"][20:30] == Fault.SMALL).all()
    assert np.allclose(out.confidence[20:30, 0], 0.5) and out.mask(25, "a").any()
    assert not out.mask(8, "a").any()


def test_a_gap_is_no_fault_of_the_frames_around_it() -> None:
    assert not codes(lambda t: [(40, 30, 0 if 10 <= t < 20 else 20, 20)])["a"].any()


def test_two_objects_that_change_places_are_doubted_until_they_change_back() -> None:
    def draw(t: int) -> list[tuple[int, int, int, int]]:
        places = [(30, 30, 20, 20), (56, 30, 20, 20)]
        return places[::-1] if 12 <= t < 25 else places

    out, found = gated(drawn(draw, 2), {"a": 0, "b": 0})
    for name in "ab":
        assert np.flatnonzero(found[name] & Fault.EXCHANGED).tolist() == list(range(12, 25))
    assert (out.confidence[12:25] <= 0.2 + 1e-6).all() and (out.confidence[25:] == 1).all()


def test_two_objects_that_pass_each_other_are_not() -> None:
    def draw(t: int) -> list[tuple[int, int, int, int]]:
        return [(10 + 3 * t, 20, 20, 20), (130 - 3 * t, 50, 20, 20)]

    assert not any(of.any() for of in codes(draw, count=2).values())


def test_the_checks_alone() -> None:
    areas = np.array([100.0, 100, 300, 100, 20, 100])
    one = Measures(areas, np.zeros((6, 2)), np.full(6, 10.0))
    assert outward(one).tolist() == [0, 0, Fault.LARGE, 0, Fault.SMALL, 0]
    assert flicker(one).tolist() == [0, 0, 0, 0, Fault.FLICKER, 0]
    left, right = np.array([[0.0, 0], [50, 0]]), np.array([[50.0, 0], [0, 0]])
    pair = [Measures(np.full(2, 100.0), m, np.full(2, 10.0)) for m in (left, right)]
    assert exchanges(*pair).tolist() == [False, True]
    assert not exchanges(pair[0], pair[0]).any()


def test_an_object_that_was_shown_again_is_judged_from_there() -> None:
    def draw(t: int) -> list[tuple[int, int, int, int]]:
        return [(5, 30, 20, 20) if t < 10 else (110, 30, 40, 40)]  # found again far away, and nearer

    masks = drawn(draw)
    assert (gated(masks, {"a": 0})[1]["a"][10:] > 0).any()
    masks.faults = np.zeros((FRAMES, 1), np.uint8)
    masks.faults[10] = Fault.SHOWN_AGAIN
    out, found = gated(masks, {"a": 0})
    assert np.flatnonzero(found["a"]).tolist() == [10] and found["a"][10] == Fault.SHOWN_AGAIN
    assert (out.confidence == 1).all() and out.faults is not None and out.faults[10, 0] == Fault.SHOWN_AGAIN


def test_two_objects_that_were_shown_again_one_after_the_other_are_themselves() -> None:
    """They change places in frame 8; one is shown again in frame 9, the other, a remnant beside it, in frame 12."""
    here, there = (10, 30, 20, 20), (110, 30, 20, 20)

    def draw(t: int) -> list[tuple[int, int, int, int]]:
        if t == 8:
            return [there, here]
        return [here, (10, 48, 20, 6)] if 9 <= t < 12 else [here, there]

    masks = drawn(draw, 2)
    masks.faults = np.zeros((FRAMES, 2), np.uint8)
    masks.faults[9, 0] = masks.faults[12, 1] = Fault.SHOWN_AGAIN
    out, found = gated(masks, {"a": 0, "b": 0})
    assert np.flatnonzero(found["a"] & Fault.EXCHANGED).tolist() == [8]
    assert np.flatnonzero(found["b"] & Fault.EXCHANGED).tolist() == [8]
    assert (out.confidence[9:, 0] == 1).all() and (out.confidence[12:, 1] == 1).all()


def test_a_mask_by_which_it_was_shown_again_does_not_tell_its_size() -> None:
    """Outlines of poses lack all that lies near the joints of a hand, be the hand in front of the object or behind."""
    masks = drawn(lambda t: [(5, 30, 20, 20) if t < 10 else (60, 30, 20, 8) if t == 10 else (60, 30, 20, 20)])
    masks.faults = np.zeros((FRAMES, 1), np.uint8)
    masks.faults[10] = Fault.SHOWN_AGAIN
    out, found = gated(masks, {"a": 0})
    assert np.flatnonzero(found["a"]).tolist() == [10] and (out.confidence == 1).all()
