"""What is known of the frame of a prompt before a mesh is looked for in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import OCCLUDER, ObjectPrompt
from dexman_pose.pipeline.prompts_from_mesh import OWN, labels_of


@pytest.fixture(scope="module")
def picture() -> Any:
    """A red sheet that covers the right part of a blue one, before grey."""
    rng = np.random.default_rng(0)
    image = 120.0 + 3.0 * rng.standard_normal((96, 128, 3))
    image[30:70, 30:90] = (40, 60, 200)
    image[20:60, 70:110] = (210, 40, 40)
    return image.clip(0, 255).astype(np.uint8)


def prompts(**frames: int) -> Mapping[str, ObjectPrompt]:
    boxes = {"blue": (27.0, 27.0, 92.0, 72.0), "red": (67.0, 17.0, 112.0, 62.0)}
    return {name: ObjectPrompt(box=np.array(boxes[name]), frame=frame) for name, frame in frames.items()}


def test_another_object_of_the_same_frame_hides_what_is_behind_it(picture: Any) -> None:
    labels = labels_of(picture, "blue", prompts(blue=3, red=3), None, "grabcut")
    assert labels is not None and set(np.unique(labels)) <= {0, OWN, OCCLUDER}
    assert (labels[35:65, 35:65] == OWN).mean() > 0.95
    assert (labels[25:55, 75:105] == OCCLUDER).mean() > 0.95


def test_an_object_of_another_frame_says_nothing_in_this_one(picture: Any) -> None:
    labels = labels_of(picture, "blue", prompts(blue=3, red=4), None, "grabcut")
    assert labels is not None and not (labels == OCCLUDER).any()


def test_an_object_that_cannot_be_told_does_not_keep_others_from_it(picture: Any) -> None:
    asked = {**prompts(blue=0), "ground": ObjectPrompt(box=np.array([5.0, 78.0, 25.0, 93.0]))}
    labels = labels_of(picture, "blue", asked, None, "grabcut")
    assert labels is not None and (labels[35:65, 35:65] == OWN).mean() > 0.95
    plain = np.full_like(picture, 120)
    assert labels_of(plain, "blue", asked, None, "grabcut") is None
