"""Whole clips against exact masks."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import OCCLUDER, Clip, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.segmentation import available_backends, segment_clip


def _ious(truth: Any, masks: Any, name: str) -> np.ndarray:
    return np.array([truth.iou(masks.mask(t, name), name, t) for t in range(truth.clip.num_frames)])


def test_box_prompt_is_carried_through_the_clip(moving: Any) -> None:
    masks = segment_clip(moving.clip, {"thing": ObjectPrompt(box=moving.box("thing", 0))}, None)
    ious = _ious(moving, masks, "thing")
    assert ious.min() > 0.9
    assert ious.mean() > 0.94
    assert masks.confidence.shape == (24, 1)
    assert masks.confidence.min() > 0.5


def test_prompt_in_the_middle_reaches_both_ends(moving: Any) -> None:
    prompt = ObjectPrompt(box=moving.box("thing", 12), frame=12)
    ious = _ious(moving, segment_clip(moving.clip, {"thing": prompt}, None), "thing")
    assert ious[[0, 12, 23]].min() > 0.9
    assert ious.min() > 0.88


def test_outline_is_within_two_pixels(moving: Any) -> None:
    from scipy.ndimage import distance_transform_edt

    masks = segment_clip(moving.clip, {"thing": ObjectPrompt(box=moving.box("thing", 0))}, None)
    found, true = masks.mask(20, "thing"), moving.masks["thing"][20]
    wrong = found != true
    to_edge = np.where(true, distance_transform_edt(true), distance_transform_edt(~true))
    assert to_edge[wrong].max(initial=0.0) <= 2.0


def test_clicks_are_enough(moving: Any) -> None:
    ys, xs = np.nonzero(moving.masks["thing"][0])
    clicks = np.array(
        [[xs.mean(), ys.mean(), 1], [xs.mean() - 8, ys.mean(), 1], [xs.max() + 15, ys.mean(), 0]]
    )
    masks = segment_clip(moving.clip, {"thing": ObjectPrompt(points=clicks)}, None)
    assert _ious(moving, masks, "thing").min() > 0.85


def test_mask_prompt_is_taken_as_it_is(moving: Any) -> None:
    given = moving.masks["thing"][3]
    masks = segment_clip(moving.clip, {"thing": ObjectPrompt(mask=given, frame=3)}, None)
    assert moving.iou(masks.mask(3, "thing"), "thing", 3) == 1.0
    assert _ious(moving, masks, "thing").min() > 0.9


def test_bar_in_front_is_cut_out_and_the_object_comes_back(
    make_clip: Callable[..., Any], shape_type: Any
) -> None:
    shape = shape_type("thing", lambda t: (100 + 0.5 * t, 75, 0.0), half=(30, 22))
    truth = make_clip([shape], 34, bar=lambda t: (6 * t - 20, 6 * t + 4))
    masks = segment_clip(truth.clip, {"thing": ObjectPrompt(box=truth.box("thing", 0))}, None)
    for t in range(34):
        found = masks.mask(t, "thing")
        assert (found & truth.bar[t]).sum() <= 0.06 * truth.masks["thing"][t].sum(), t
    ious = _ious(truth, masks, "thing")
    assert ious.min() > 0.8
    assert ious[-5:].min() > 0.93


def test_two_crossing_objects_keep_their_labels(make_clip: Callable[..., Any], shape_type: Any) -> None:
    first = shape_type("left", lambda t: (50 + 3.2 * t, 70, 0.0), half=(20, 20))
    second = shape_type("right", lambda t: (150 - 3.2 * t, 84, 0.0), (20, 20), (60, 160, 70), 9, False)
    truth = make_clip([first, second], 30)
    prompts = {n: ObjectPrompt(box=truth.box(n, 0)) for n in ("left", "right")}
    masks = segment_clip(truth.clip, prompts, None)
    for name in prompts:
        assert _ious(truth, masks, name)[[0, 8, 22, 29]].min() > 0.85, name
    assert _ious(truth, masks, "right").min() > 0.85
    assert set(np.unique(masks.labels(15))) <= {0, 1, 2}


def test_confidence_falls_when_the_object_leaves(make_clip: Callable[..., Any], shape_type: Any) -> None:
    truth = make_clip([shape_type("thing", lambda t: (120 + 5.0 * t, 75, 0.0))], 26)
    masks = segment_clip(truth.clip, {"thing": ObjectPrompt(box=truth.box("thing", 0))}, None)
    assert masks.confidence[:5].min() > 0.7
    cut = [t for t in range(26) if 0 < truth.masks["thing"][t].sum() < 0.5 * truth.masks["thing"][0].sum()]
    assert masks.confidence[cut].max() < 0.5
    assert masks.confidence[-1, 0] == 0.0
    assert masks.mask(25, "thing").sum() < 20


def test_object_that_returns_is_found_again(make_clip: Callable[..., Any], shape_type: Any) -> None:
    def path(t: int) -> tuple[float, float, float]:
        return (150 + 7.0 * t, 60, 0.0) if t < 14 else (150 + 7.0 * (26 - t), 95, 0.0)

    truth = make_clip([shape_type("thing", path)], 28)
    masks = segment_clip(truth.clip, {"thing": ObjectPrompt(box=truth.box("thing", 0))}, None)
    assert masks.confidence[12:15].max() == 0.0
    assert truth.iou(masks.mask(26, "thing"), "thing", 26) > 0.85


def test_hand_gets_the_occluder_label(make_clip: Callable[..., Any], shape_type: Any) -> None:
    truth = make_clip(
        [shape_type("thing", lambda t: (90, 75, 0.0), half=(30, 22))], 12, bar=lambda t: (100, 116)
    )
    joints = np.zeros((12, 2, 21, 2))
    joints[:, 0] = np.stack([np.full(21, 108.0), np.linspace(40, 110, 21)], -1)
    detected = np.tile([True, False], (12, 1))
    hands = HandObservations(joints, np.zeros((12, 2, 21, 3)), detected, ~detected & False, detected * 1.0)
    prompt = ObjectPrompt(box=truth.box("thing", 0))
    masks = segment_clip(truth.clip, {"thing": prompt}, hands)
    label = masks.labels(8)
    near = np.zeros_like(truth.bar[8])
    near[45:105] = True
    bar = truth.bar[8] & near
    assert (label[bar] == OCCLUDER).mean() > 0.9
    assert truth.iou(label == 1, "thing", 8) > 0.85


def test_memory_does_not_grow_with_the_clip(moving: Any) -> None:
    def peak(times: int) -> int:
        frames = [moving.clip.frame(t) for t in range(24)]
        order = (list(range(24)) + list(range(23, -1, -1))) * times
        clip = Clip.from_frames([frames[t] for t in order])
        tracemalloc.start()
        segment_clip(clip, {"thing": ObjectPrompt(box=moving.box("thing", 0))}, None)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    image = 200 * 150 * 3
    extra_frames = 48
    assert peak(2) - peak(1) < 0.2 * extra_frames * image


def test_mistakes_are_named(moving: Any) -> None:
    with pytest.raises(InputError, match="at least one object prompt"):
        segment_clip(moving.clip, {}, None)
    with pytest.raises(InputError, match=r"'cup'.*outside"):
        segment_clip(moving.clip, {"cup": ObjectPrompt(box=np.array([300.0, 10, 330, 40]))}, None)
    with pytest.raises(InputError, match=r"nosuch.*grabcut"):
        segment_clip(
            moving.clip, {"cup": ObjectPrompt(box=np.array([3.0, 1, 30, 40]))}, None, backend="nosuch"
        )
    short = HandObservations(
        np.zeros((5, 2, 21, 2)), np.zeros((5, 2, 21, 3)), np.zeros((5, 2)), np.zeros((5, 2)), np.zeros((5, 2))
    )
    with pytest.raises(InputError, match=r"5 frames.*24"):
        segment_clip(moving.clip, {"cup": ObjectPrompt(box=np.array([3.0, 1, 30, 40]))}, short)


def test_nothing_under_the_prompt_is_said(make_clip: Callable[..., Any]) -> None:
    flat = Clip.from_frames([np.full((80, 90, 3), 128, np.uint8)] * 4)
    with pytest.raises(EstimationError, match=r"'cup'.*frame 0"):
        segment_clip(flat, {"cup": ObjectPrompt(box=np.array([20.0, 20, 24, 23]))}, None)


def test_backends_are_listed() -> None:
    assert "grabcut" in available_backends()


def test_each_object_may_have_its_own_frame(make_clip: Callable[..., Any], shape_type: Any) -> None:
    first = shape_type("early", lambda t: (45 + 2 * t, 45, 0.0), half=(20, 14))
    second = shape_type("late", lambda t: (150 - 2 * t, 105, 0.0), (20, 14), (60, 160, 70), 9, False)
    truth = make_clip([first, second], 16)
    prompts = {
        "early": ObjectPrompt(box=truth.box("early", 2), frame=2),
        "late": ObjectPrompt(box=truth.box("late", 12), frame=12),
    }
    masks = segment_clip(truth.clip, prompts, None)
    for name in prompts:
        assert _ious(truth, masks, name).min() > 0.85, name
        assert masks.confidence[:, masks.names.index(name)].min() > 0.5


def test_large_frames_are_worked_on_small_and_labelled_in_full(moving: Any) -> None:
    frames = [np.kron(moving.clip.frame(t), np.ones((6, 6, 1), np.uint8)) for t in range(4)]
    box = (moving.box("thing", 0) + 0.5) * 6 - 0.5
    masks = segment_clip(Clip.from_frames(frames), {"thing": ObjectPrompt(box=box)}, None)
    assert (masks.height, masks.width) == (900, 1200)
    for t in range(4):
        true = np.kron(moving.masks["thing"][t], np.ones((6, 6), bool))
        found = masks.mask(t, "thing")
        assert (found & true).sum() / (found | true).sum() > 0.93, t


@pytest.mark.parametrize(
    ("expected", "why"), [("that", "must be a MaskSequence"), (None, "takes no expected masks")]
)
def test_expected_masks_are_refused_where_they_mean_nothing(moving: Any, expected: Any, why: str) -> None:
    clip = moving.clip
    expected = expected or MaskSequence(("thing",), clip.height, clip.width, clip.num_frames)
    with pytest.raises(InputError, match=why):
        segment_clip(clip, {"thing": ObjectPrompt(box=moving.box("thing", 0))}, expected=expected)
