from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.data import OCCLUDER
from dexman_pose.segmentation.grabcut.color import to_bins
from dexman_pose.segmentation.grabcut.full_size import full_labels, settled
from dexman_pose.segmentation.grabcut.state import ObjectState, Outline


def _state(name: str, soft: np.ndarray) -> ObjectState:
    """An object whose probability (30, 40) is given."""
    lab = np.full((*soft.shape, 3), 128, np.uint8)
    state = ObjectState.start(name, soft > 0.5, lab, to_bins(lab), np.zeros(soft.shape, bool))
    state.outline = Outline((slice(5, 25), slice(4, 36)), soft[5:25, 4:36].astype(np.float32))
    return state


@pytest.mark.parametrize("factor", [2.0, 1.5])
def test_outlines_run_between_small_pixels(factor: float) -> None:
    """The edge of a half plane at column 19.7 of the small picture, blurred as a labelling blurs it."""
    x = np.arange(40)
    soft = np.repeat(np.clip(0.5 + (19.7 - x) / 4, 0, 1)[None], 30, 0)
    labels = np.where(soft > 0.5, 1, 0).astype(np.uint8)
    full = full_labels(labels, [_state("cup", soft)], {"cup": 1}, (int(30 * factor), int(40 * factor)))
    row = full[int(15 * factor)]
    edge = np.flatnonzero(row == 1).max() + 0.5
    assert abs(edge - ((19.7 + 0.5) * factor - 0.5)) <= 0.5


def test_the_likelier_object_gets_a_pixel_and_hands_are_drawn() -> None:
    one, two = np.zeros((30, 40)), np.zeros((30, 40))
    one[8:20, 6:22], two[8:20, 18:34] = 0.8, 0.9
    labels = np.zeros((30, 40), np.uint8)
    labels[8:20, 6:18], labels[8:20, 18:34], labels[22:28, 10:20] = 1, 2, OCCLUDER
    states = [_state("one", one), _state("two", two)]
    full = full_labels(labels, states, {"one": 1, "two": 2}, (60, 80))
    assert full[28, 40] == 2
    assert full[28, 20] == 1
    assert full[50, 30] == OCCLUDER
    assert full[5, 5] == 0


def test_labels_of_the_same_size_are_left_alone() -> None:
    labels = np.eye(8, dtype=np.uint8)
    assert full_labels(labels, [], {}, (8, 8)) is labels


def test_settled_probabilities_agree_with_the_mask() -> None:
    found = settled(
        np.array([[0.9, 0.9, 0.2, 0.2]], np.float32), np.array([[True, False, True, False]]), 0.05
    )
    assert np.allclose(found, [[0.9, 0.45, 0.55, 0.2]])
