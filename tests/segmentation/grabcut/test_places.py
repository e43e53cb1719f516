from __future__ import annotations

import numpy as np

from dexman_pose.segmentation.grabcut.color import to_bins
from dexman_pose.segmentation.grabcut.motion import STILL
from dexman_pose.segmentation.grabcut.options import DEFAULTS
from dexman_pose.segmentation.grabcut.places import flow_regions, unchanged, window_of
from dexman_pose.segmentation.grabcut.state import ObjectState

SHAPE, OPTIONS = (240, 320), DEFAULTS.propagation


def _state(x: int, y: int, size: int = 40) -> ObjectState:
    mask = np.zeros(SHAPE, bool)
    mask[y : y + size, x : x + size] = True
    lab = np.full((*SHAPE, 3), 128, np.uint8)
    return ObjectState.start(f"{x} {y}", mask, lab, to_bins(lab), np.zeros(SHAPE, bool))


def test_window_holds_the_object_and_a_margin() -> None:
    rows, cols = window_of(_state(100, 60), STILL, SHAPE, OPTIONS)
    assert rows.start <= 50
    assert rows.stop >= 110
    assert cols.start <= 90
    assert 150 <= cols.stop < 200
    rows, cols = window_of(_state(0, 0), STILL, SHAPE, OPTIONS)
    assert (rows.start, cols.start) == (0, 0)


def test_objects_near_each_other_share_a_region_of_flow() -> None:
    near, next_, far = _state(100, 60), _state(120, 70), _state(260, 190)
    one, two, three = flow_regions([near, next_, far], [0.0, 0.0, 0.0], SHAPE, OPTIONS)
    assert one is two
    assert three is not one
    wide = flow_regions([near], [30.0], SHAPE, OPTIONS)[0]
    narrow = flow_regions([near], [0.0], SHAPE, OPTIONS)[0]
    assert wide is not None
    assert narrow is not None
    assert wide[1].stop - narrow[1].stop == 30


def test_a_lost_object_has_no_region() -> None:
    state = _state(100, 60)
    state.frames_lost = 1
    assert flow_regions([state], [0.0], SHAPE, OPTIONS) == [None]


def test_only_changes_near_the_object_count() -> None:
    state, levels = _state(100, 60), OPTIONS.still_levels
    small = np.full((60, 80), 100, np.uint8)
    assert not unchanged(state, small, SHAPE, levels)
    state.looked = small
    noise = np.random.default_rng(0).integers(-3, 4, small.shape)
    assert unchanged(state, (small + noise).astype(np.uint8), SHAPE, levels)
    elsewhere, here = small.copy(), small.copy()
    elsewhere[50:55, 60:70] = 200
    here[18:21, 28:31] = 140
    assert unchanged(state, elsewhere, SHAPE, levels)
    assert not unchanged(state, here, SHAPE, levels)
    state.frames_lost = 2
    assert not unchanged(state, small, SHAPE, levels)
