"""Long clips in windows: the same hand as in one piece, one shape, every frame once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from dexman_pose.interaction import GripOptions, fit_grips
from dexman_pose.interaction.options import WindowOptions
from dexman_pose.interaction.windows import spread, windows

SHORT = WindowOptions(frames=20, overlap=8, run=5)


@pytest.mark.parametrize("count", [21, 32, 33, 57])
def test_windows_cover_a_clip_and_overlap(count: int) -> None:
    found = windows(count, SHORT)
    np.testing.assert_array_equal(np.unique(np.concatenate(found)), np.arange(count))
    assert all(len(frames) <= SHORT.frames for frames in found)
    assert all(a[-1] + 1 - b[0] == SHORT.overlap for a, b in pairwise(found))
    assert len(found[-1]) > SHORT.overlap


def test_runs_are_spread_over_all_frames() -> None:
    frames = np.arange(100, 300)
    found = spread(frames, SHORT)
    assert len(found) == SHORT.frames and found[0] == 100 and found[-1] == 299
    assert (np.diff(found) == 1).sum() == SHORT.frames - 4
    np.testing.assert_array_equal(spread(frames[:7], SHORT), frames[:7])


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_long_clip_is_fitted_as_in_one_piece(grasp: Callable[..., Any], side: str) -> None:
    scene = grasp(side, frames=48)
    given = {"bar": scene.bar}, {side: scene.hand}, scene.seen, scene.camera, scene.times
    whole = fit_grips(*given)
    parts = fit_grips(*given, replace(GripOptions(), windows=SHORT))
    assert parts.report[side]["fit"] == whole.report[side]["fit"] == "contact"
    apart = np.linalg.norm(parts.hands[side].joints - whole.hands[side].joints, axis=-1)
    wrong = np.linalg.norm(whole.hands[side].joints - scene.joints, axis=-1)
    assert np.median(apart) < 0.004 and np.median(apart) < np.median(wrong)
    lengths = np.linalg.norm(np.diff(parts.hands[side].joints[:, 5:9], axis=1), axis=-1)
    np.testing.assert_allclose(lengths, lengths[:1].repeat(48, 0), atol=1e-4)  # one shape
