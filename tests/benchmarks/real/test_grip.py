"""Held frames of a trajectory: how deep the skin is, which fingers touch, frames that cannot be judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dexman_pose.benchmarks.real.grip import grip_rows, held_frames
from dexman_pose.contact.detect import detect_contacts
from dexman_pose.data import Trajectory
from dexman_pose.interaction import GripOptions, fit_grips
from dexman_pose.interaction.skin import Skin

FRAMES = 12


@pytest.fixture(scope="module")
def trajectory(grasp: Callable[..., Any]) -> Trajectory:
    """A hand that carries a bar, solved with it; the hand is not known in one of the frames."""
    scene = grasp(frames=FRAMES)
    found = fit_grips({"bar": scene.bar}, {"right": scene.hand}, scene.seen, scene.camera, scene.times)
    valid = found.hands["right"].valid.copy()
    valid[5] = False
    object.__setattr__(found.hands["right"], "valid", valid)
    contacts = detect_contacts({"bar": scene.bar}, found.hands)
    handled = [{"side": "right", "object": "bar", "held": [[4, 9]], "gripped": [[3, 10]]}]
    provenance = {"grips": {"handled": handled, "hands": found.report}}
    return Trajectory(
        scene.camera, scene.times, {"bar": scene.bar}, found.hands, contacts, provenance=provenance
    )


def test_frames_of_a_grip_are_measured(trajectory: Trajectory) -> None:
    (held,) = held_frames(trajectory)
    assert held.frames.tolist() == [3, 4, 6, 7, 8, 9, 10] and held.missing == 1
    hand, options = trajectory.hands["right"], GripOptions()
    assert hand.angles is not None and hand.shape is not None and hand.camera_from_wrist is not None
    skin = Skin.of("right", hand.shape, options.contact.skin)
    coarse = skin.gaps(
        hand.angles[held.frames], hand.camera_from_wrist[held.frames], trajectory.objects["bar"], held.frames
    )
    np.testing.assert_allclose(held.deep, np.maximum(-coarse.min(1), 0.0), atol=1.5e-3)
    rows = {row.what.split(": ")[1]: row for row in grip_rows(held)}
    assert rows["frames held"].value == 7
    assert rows["deepest skin inside, worst frame, mm"].value == pytest.approx(1e3 * held.deep.max())


def test_a_hand_without_a_model_is_left_out(trajectory: Trajectory) -> None:
    hand = trajectory.hands["right"]
    kept = hand.angles, hand.shape, hand.camera_from_wrist
    for name in ("angles", "shape", "camera_from_wrist"):
        object.__setattr__(hand, name, None)
    try:
        assert held_frames(trajectory) == []
    finally:
        for name, value in zip(("angles", "shape", "camera_from_wrist"), kept):
            object.__setattr__(hand, name, value)
