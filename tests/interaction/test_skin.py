"""The skin around each probe, and a hand that holds a bar kept outside of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dexman_pose.hands.model.kinematics import SHAPE_NAMES
from dexman_pose.interaction import GripOptions, fit_grips
from dexman_pose.interaction.probes import PALM, RADII, TIPS
from dexman_pose.interaction.skin import Skin

RESOLUTION = 0.004
MEAN = np.zeros(len(SHAPE_NAMES))


def test_every_part_of_a_hand_has_skin() -> None:
    skin = Skin.of("right", MEAN, RESOLUTION)
    counts = np.bincount(skin.probe, minlength=len(RADII))
    assert (counts[list(TIPS)] > 5).all() and counts[PALM] > 0
    points = skin.model.rest_vertices[skin.rows]
    assert (points[:, 0] > -0.03).all()  # no forearm


def test_skin_far_from_an_object_is_not_measured(grasp: Callable[..., Any]) -> None:
    scene = grasp(frames=4)
    skin, fitted = Skin.of("right", MEAN, RESOLUTION), fit_grips(
        {"bar": scene.bar}, {"right": scene.hand}, scene.seen, scene.camera, scene.times
    ).hands["right"]  # fmt: skip
    away = fitted.camera_from_wrist.copy()
    away[:, 0, 3] += 1.0
    gaps = skin.gaps(fitted.angles, away, scene.bar, np.arange(4))
    assert np.isinf(gaps).all()
    near = skin.gaps(fitted.angles, fitted.camera_from_wrist, scene.bar, np.arange(4), near=0.1)
    assert np.isfinite(near[:, list(TIPS)]).all() and (near.min(1) < 0.005).all()


def test_skin_that_was_deep_inside_comes_out(grasp: Callable[..., Any]) -> None:
    scene = grasp()
    options = GripOptions()
    deep = []
    for rounds in (0, options.contact.skin_rounds):
        o = replace(options, contact=replace(options.contact, skin_rounds=rounds))
        found = fit_grips({"bar": scene.bar}, {"right": scene.hand}, scene.seen, scene.camera, scene.times, o)
        hand = found.hands["right"]
        gaps = Skin.of("right", hand.shape, RESOLUTION).gaps(
            hand.angles, hand.camera_from_wrist, scene.bar, np.arange(len(scene.times))
        )
        deep.append(-gaps.min(1).min())
    assert deep[0] > 0.005 and deep[1] < 0.003
