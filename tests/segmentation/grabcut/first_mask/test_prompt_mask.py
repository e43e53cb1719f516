from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.data import ObjectPrompt
from dexman_pose.errors import EstimationError
from dexman_pose.segmentation.grabcut.background import sample_frames
from dexman_pose.segmentation.grabcut.first_mask.prompt_mask import PromptFrame, prompt_mask


@pytest.fixture(scope="module")
def frame(moving: Any) -> PromptFrame:
    return PromptFrame(
        moving.clip.frame(0), sample_frames(moving.clip, (moving.clip.width, moving.clip.height))
    )


@pytest.mark.parametrize("loose", [2, 6, 12])
def test_box_of_any_looseness(moving: Any, frame: PromptFrame, loose: int) -> None:
    mask = prompt_mask(frame, ObjectPrompt(box=moving.box("thing", 0, loose)), "thing")
    assert moving.iou(mask, "thing", 0) > 0.95


def test_box_over_the_border_is_cut(moving: Any) -> None:
    image = np.roll(moving.clip.frame(0), -40, axis=1)
    true = np.roll(moving.masks["thing"][0], -40, axis=1)[:, :-40]
    box = moving.box("thing", 0) - [40, 0, 40, 0]
    assert box[0] < 0
    samples = np.repeat(image[None], 3, 0)
    mask = prompt_mask(PromptFrame(image, samples), ObjectPrompt(box=box), "thing")[:, :-40]
    assert (mask & true).sum() / (mask | true).sum() > 0.9


def test_click_in_a_box_chooses_the_part_it_is_on(moving: Any, frame: PromptFrame) -> None:
    ys, xs = np.nonzero(moving.masks["thing"][0])
    clicks = np.array([[xs.mean(), ys.mean(), 1]])
    mask = prompt_mask(frame, ObjectPrompt(box=moving.box("thing", 0), points=clicks), "thing")
    assert mask[round(ys.mean()), round(xs.mean())]


def test_hand_in_the_box_is_not_the_object(moving: Any) -> None:
    image = moving.clip.frame(0)
    finger = np.zeros(image.shape[:2], bool)
    finger[60:80, 70:90] = True
    image[finger] = (205, 150, 120)
    hand = np.where(finger, 2.0, -12.0).astype(np.float32)
    samples = np.repeat(moving.clip.frame(0)[None], 3, 0)
    box = ObjectPrompt(box=np.array([28.0, 54, 94, 96]))
    mask = prompt_mask(PromptFrame(image, samples, hand), box, "thing")
    true = moving.masks["thing"][0] & ~finger
    assert (mask & finger).mean() < 0.05 * finger.mean()
    assert (mask & true).sum() / (mask | true).sum() > 0.85


def test_only_negative_clicks_say_so(frame: PromptFrame) -> None:
    with pytest.raises(EstimationError, match=r"'thing'.*clicks"):
        prompt_mask(frame, ObjectPrompt(points=np.array([[50.0, 50, 0]])), "thing")
