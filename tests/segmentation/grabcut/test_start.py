"""Objects on their prompt frames: found at full size, whatever size they are followed at."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Clip, ObjectPrompt
from dexman_pose.segmentation.grabcut import start as module
from dexman_pose.segmentation.grabcut.first_mask import prompt_mask as rooms
from dexman_pose.segmentation.grabcut.options import DEFAULTS, GrabCutOptions
from dexman_pose.segmentation.grabcut.start import start, working_size


def ladle() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A long thin handle with a blade, dark, before a cloth; and its mask."""
    rng = np.random.default_rng(0)
    image = np.array([90.0, 110.0, 120.0]) + 9.0 * rng.standard_normal((300, 480, 3))
    mask = np.zeros((300, 480), np.uint8)
    cv2.line(mask, (90, 60), (300, 190), 1, 7)
    cv2.ellipse(mask, (330, 210), (46, 26), 20, 0, 360, 1, -1)
    own = mask > 0
    image[own] = [30.0, 30.0, 32.0] + 5.0 * rng.standard_normal((int(own.sum()), 3))
    return image.clip(0, 255).astype(np.uint8), own


def test_large_objects_are_followed_at_half_the_size_but_found_in_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image, own = ladle()
    clip = Clip.from_frames([image, image])
    prompts = {"ladle": ObjectPrompt(box=np.array([80.0, 50.0, 385.0, 245.0]))}
    assert working_size(clip, prompts) == (240, 150)
    shapes: list[tuple[int, ...]] = []

    def looked(frame: rooms.PromptFrame, prompt: ObjectPrompt, name: str, options: GrabCutOptions) -> object:
        shapes.append(frame.rgb.shape)
        return rooms.prompt_mask(frame, prompt, name, options)

    monkeypatch.setattr(module, "prompt_mask", looked)
    states, _ = start(clip, prompts, None)
    assert shapes == [(300, 480, 3)]
    found = np.zeros((150, 240), bool)
    found[states["ladle"].window] = states["ladle"].visible
    small = cv2.resize(own.astype(np.float32), (240, 150), interpolation=cv2.INTER_AREA) > 0.5
    assert (found & small).sum() > 0.85 * (found | small).sum()


def test_small_objects_are_followed_in_full() -> None:
    image, _ = ladle()
    clip = Clip.from_frames([image])
    prompts = {"blade": ObjectPrompt(box=np.array([280.0, 180.0, 385.0, 245.0]))}
    assert working_size(clip, prompts) == (480, 300)
    coarser = replace(DEFAULTS.propagation, object_side=50)
    assert working_size(clip, prompts, coarser) == (240, 150)
