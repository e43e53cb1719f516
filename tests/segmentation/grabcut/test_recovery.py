from __future__ import annotations

import cv2
import numpy as np

from dexman_pose.segmentation.grabcut.background import BackgroundModel
from dexman_pose.segmentation.grabcut.color import ColorModel, to_bins
from dexman_pose.segmentation.grabcut.recovery import redetect
from dexman_pose.segmentation.grabcut.scene import FrameData, Scene
from dexman_pose.segmentation.grabcut.state import ObjectState

GREY, RED, BLUE = (120, 128, 128), (110, 190, 170), (100, 150, 70)


def _world(places: dict[tuple[int, int], tuple[int, int, int]]) -> np.ndarray:
    lab = np.full((80, 100, 3), GREY, np.uint8)
    for (y, x), color in places.items():
        lab[y : y + 16, x : x + 16] = color
    return lab


def _find(lab: np.ndarray, excluded: np.ndarray | None = None) -> np.ndarray | None:
    start = _world({(10, 10): RED})
    mask = np.zeros((80, 100), bool)
    mask[10:26, 10:26] = True
    nothing = np.zeros((80, 100), bool)
    state = ObjectState.start("thing", mask, start, to_bins(start), nothing)
    colors = ColorModel()
    colors.add(to_bins(_world({(50, 50): BLUE})))
    scene = Scene(BackgroundModel(_world({}), np.ones((80, 100), np.float32)), colors, None)
    rgb = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    place = redetect(state, FrameData(0, rgb), scene, nothing if excluded is None else excluded)
    if place is None:
        return None
    window, part = place
    found = np.zeros((80, 100), bool)
    found[window] = part
    return found


def test_object_is_found_where_its_colours_are() -> None:
    found = _find(_world({(44, 60): RED, (10, 40): BLUE}))
    assert found is not None
    true = np.zeros((80, 100), bool)
    true[44:60, 60:76] = True
    assert (found & true).sum() / (found | true).sum() > 0.8


def test_other_colours_other_sizes_and_taken_places_are_refused() -> None:
    assert _find(_world({(44, 60): BLUE})) is None
    tiny = _world({})
    tiny[40:44, 40:44] = RED
    assert _find(tiny) is None
    taken = np.zeros((80, 100), bool)
    taken[40:64, 56:80] = True
    assert _find(_world({(44, 60): RED}), taken) is None
