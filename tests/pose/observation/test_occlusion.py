from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import BACKGROUND, OCCLUDER
from dexman_pose.pose.observation.occlusion import is_cut, label_image, nearer_than_object


def square() -> NDArray[np.bool_]:
    mask = np.zeros((80, 100), bool)
    mask[20:60, 30:60] = True
    return mask


def test_things_measured_nearer_beside_the_object_may_hide_it() -> None:
    mask = square()
    depth = np.full(mask.shape, 1.2, np.float32)
    depth[mask] = 0.6
    depth[10:70, 60:70] = 0.45  # in front of it, touching its right side
    depth[10:70, 20:30] = 0.59  # at its own distance
    found = nearer_than_object(mask, depth)
    expected = np.zeros_like(mask)
    expected[10:70, 60:70] = True
    np.testing.assert_array_equal(found, expected)


def test_a_slanted_object_is_compared_with_its_nearest_part() -> None:
    mask = square()
    x = np.arange(100, dtype=np.float32)
    depth = np.where(mask, 0.5 + 0.01 * (x - 30), 2.0).astype(np.float32)  # 0.5 m left, 0.79 m right
    depth[30:50, 62:66] = 0.7  # nearer than the right end, farther than the left one
    depth[30:50, 24:28] = 0.7
    found = nearer_than_object(mask, depth)
    assert found[30:50, 62:66].all()
    assert not found[:, :30].any()


def test_without_depth_on_the_object_nothing_is_nearer() -> None:
    mask = square()
    depth = np.full(mask.shape, 0.3, np.float32)
    depth[mask] = 0.0
    assert not nearer_than_object(mask, depth).any()
    assert not nearer_than_object(np.zeros_like(mask), depth).any()


def test_far_from_the_object_nothing_counts() -> None:
    mask = np.zeros((200, 400), bool)
    mask[90:110, 90:110] = True
    depth = np.full(mask.shape, 0.3, np.float32)
    depth[mask] = 0.6
    found = nearer_than_object(mask, depth)
    assert found[100, 120]
    assert not found[100, 200:].any()


def test_label_image_tells_object_occluder_and_background_apart() -> None:
    mask = square()
    others = np.zeros_like(mask)
    others[0:30, 0:100] = True
    depth = np.full(mask.shape, 1.0, np.float32)
    depth[mask] = 0.6
    depth[60:64, 30:60] = 0.4
    labels = label_image(mask, others, depth)
    assert (labels[mask] == 1).all(), "what is seen of the object stays its own"
    assert labels[5, 5] == OCCLUDER
    assert labels[62, 40] == OCCLUDER
    assert labels[70, 5] == BACKGROUND
    assert set(np.unique(label_image(mask))) == {BACKGROUND, 1}


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        ("nothing", False),
        ("hand over a side", True),
        ("image border", True),
        ("speck", False),
        ("far hand", False),
    ],
)
def test_a_mask_is_cut_by_occluders_and_by_the_border(cut: str, expected: bool) -> None:
    labels = square().astype(np.uint8)
    if cut == "hand over a side":
        labels[20:60, 50:75] = OCCLUDER
    elif cut == "image border":
        labels[20:60, 0:30] = 1
    elif cut == "speck":
        labels[38:40, 59:62] = OCCLUDER
    elif cut == "far hand":
        labels[:, 75:] = OCCLUDER
    assert is_cut(labels, 1) is expected


def test_another_object_beside_it_may_hide_it_too() -> None:
    labels = square().astype(np.uint8)
    labels[20:60, 60:80] = 2
    assert is_cut(labels, 1)
    assert not is_cut(labels, 3), "an object that is not there"
