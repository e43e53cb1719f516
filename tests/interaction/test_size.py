"""What an object of known size tells of the hand that holds it holds in every frame, and for the other hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import HandObservations
from dexman_pose.interaction import fit_grips
from dexman_pose.interaction.hand_picture import HandPicture
from dexman_pose.interaction.options import GripOptions, SizeOptions
from dexman_pose.interaction.size import size_change, size_sigma

FRAMES = 14


def _both(grasp: Callable[..., Any]) -> tuple[Any, Any, HandObservations]:
    """A right hand that holds a bar, a left one that holds nothing, and what is seen of both."""
    right, left = grasp("right", frames=FRAMES), grasp("left", carried=False, frames=FRAMES)
    names = ("joints_2d", "joints_local", "detected", "bridged", "score")
    mixed = {}
    for name in names:
        values = getattr(right.seen, name).copy()
        values[:, 0] = getattr(left.seen, name)[:, 0]
        mixed[name] = values
    return right, left, replace(right.seen, **mixed)


def _far(joints: Any, true: Any) -> float:
    return float(np.median(np.linalg.norm(joints - true, axis=-1)))


@pytest.mark.parametrize("source", ["given", "hand"])
def test_the_other_hand_gets_the_size_only_where_one_was_told(grasp: Callable[..., Any], source: Any) -> None:
    right, left, seen = _both(grasp)
    bar = replace(right.bar, scale_source=source)
    hands = {"left": left.hand, "right": right.hand}
    found = fit_grips({"bar": bar}, hands, seen, right.camera, right.times)
    told = found.report["left"]
    before, after = _far(left.hand.joints, left.joints), _far(found.hands["left"].joints, left.joints)
    if source == "given":
        assert told["fit"] == "shape" and after < 0.6 * before
        assert found.hands["left"].scale_source == "contact" and told["size"]["by"] == "the other hand"
        assert found.report["right"]["size"]["by"] == "what it holds"
    else:
        assert told["fit"] == "picture" and abs(after - before) < 0.012
        assert found.hands["left"].scale_source == "hand" and told["size"]["by"] == "an average adult's"


def test_frames_without_a_grip_have_the_size_that_the_grip_told(grasp: Callable[..., Any]) -> None:
    scene = grasp("right", frames=40)
    known = np.arange(40) < 20
    bar = replace(scene.bar, track=replace(scene.bar.track, valid=known, confidence=known * 1.0))
    found = fit_grips({"bar": bar}, {"right": scene.hand}, scene.seen, scene.camera, scene.times)
    assert not found.handled[0].gripped[20:].any() and found.handled[0].gripped[:15].any()
    end = slice(34, 40)
    before = _far(scene.hand.joints[end], scene.joints[end])
    assert _far(found.hands["right"].joints[end], scene.joints[end]) < 0.6 * before


def test_the_change_is_drawn_to_the_size_that_was_lifted(grasp: Callable[..., Any]) -> None:
    scene, options = grasp(frames=4), GripOptions()
    picture = HandPicture.of(scene.hand, scene.seen, scene.camera, scene.times, options)
    state = picture.begin(options)
    smaller = replace(state, shape=state.shape - 0.1 * np.eye(len(state.shape))[0])
    unsure, sure = SizeOptions(person=0.07, gripped=1e-6), SizeOptions(person=0.07, gripped=0.07)
    change = size_change(picture, smaller, unsure) - size_change(picture, state, unsure)
    assert change == pytest.approx(-0.1, abs=1e-6)
    assert size_change(picture, smaller, sure) == pytest.approx(0.5 * size_change(picture, smaller, unsure))
    assert size_sigma(sure) == pytest.approx(0.07 / np.sqrt(2.0))
