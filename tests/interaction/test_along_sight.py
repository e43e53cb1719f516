"""The distance at which a hand fits what it grips is found from afar, and follows slow changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dexman_pose.interaction.along_sight import Grip, likely_change, same_side
from dexman_pose.interaction.options import DistanceOptions


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.15])
def test_a_hand_is_found_along_the_line_of_sight(grasp: Callable[..., Any], factor: float) -> None:
    scene = grasp(frames=8)
    grip = Grip(scene.bar, np.ones(8, bool), np.ones(8))
    found = likely_change(factor * scene.joints, [grip], np.arange(8), DistanceOptions())
    np.testing.assert_allclose(found, -np.log(factor), atol=0.05)


def test_frames_without_a_grip_keep_what_was_likely(grasp: Callable[..., Any]) -> None:
    scene = grasp(frames=8)
    gripped = np.arange(8) < 4
    apart = np.where(gripped, np.arange(8), np.arange(8) + 500)
    bar = scene.bar
    poses = np.concatenate([bar.camera_from_object, np.tile(bar.camera_from_object[-1:], (500, 1, 1))])
    ok = np.ones(len(poses), bool)
    long = type(bar)("bar", bar.mesh, type(bar.track)(poses, ok, ok * 1.0))
    found = likely_change(
        1.15 * scene.joints, [Grip(long, gripped, np.ones(8))], apart, DistanceOptions(prior=1.0)
    )
    assert np.abs(found[:4] + np.log(1.15)).max() < 0.05 and np.abs(found[4:]).max() < 0.03


def test_without_any_grip_nothing_changes(grasp: Callable[..., Any]) -> None:
    scene = grasp(frames=4)
    np.testing.assert_allclose(
        likely_change(scene.joints, [], np.arange(4), DistanceOptions()), 0.0, atol=1e-9
    )


@pytest.mark.parametrize(("thumb", "palm", "cost"), [(-1.0, 1.0, 0.0), (1.0, -1.0, 0.0), (1.0, 1.0, 1.0)])
def test_thumb_or_palm_presses_against_the_fingers(thumb: float, palm: float, cost: float) -> None:
    sides = np.array([thumb, 1.0, 1.0, 1.0, 1.0, palm])
    outwards = sides[:, None] * np.array([0.0, 0.0, 1.0])
    assert same_side(outwards, np.ones(6)) == pytest.approx(cost, abs=1e-5)


def test_fingers_that_touch_say_on_which_side_they_are() -> None:
    outwards = np.array([1.0, -1.0, 1.0, 1.0, 1.0, 1.0])[:, None] * np.array([1.0, 0.0, 0.0])
    closed = np.array([1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    assert same_side(outwards, closed) < 0.01 < same_side(outwards, 1.0 - closed)
