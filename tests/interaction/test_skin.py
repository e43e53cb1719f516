"""The skin around each probe, and a hand that holds a bar kept outside of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.spatial import cKDTree

from dexman_pose.contact.distance import signed_distance
from dexman_pose.data import Mesh
from dexman_pose.data.tracks import SIDES
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.hands.model.kinematics import FACTOR_NAMES, SHAPE_NAMES
from dexman_pose.interaction import GripOptions, fit_grips
from dexman_pose.interaction.probes import PALM, RADII, TIPS
from dexman_pose.interaction.skin import Skin

RESOLUTION = 0.004
MEAN = np.zeros(len(SHAPE_NAMES))


def test_every_part_of_a_hand_has_skin() -> None:
    skin = Skin.of("right", MEAN, RESOLUTION)
    counts = np.bincount(skin.probe, minlength=len(RADII))
    assert (counts[list(TIPS)] > 5).all() and counts[PALM] > 0
    assert (skin.points[:, 0] > -0.03).all()  # no forearm


@pytest.mark.parametrize("side", SIDES)
def test_skin_that_is_drawn_out_is_near_that_which_is_made_anew(side: str) -> None:
    rng = np.random.default_rng(0)
    shape = np.concatenate([rng.normal(0.0, 0.06, len(FACTOR_NAMES)), rng.normal(0.0, 0.002, 15)])
    drawn, made = Skin.of(side, shape, RESOLUTION), Skin.made(side, shape, 0.002)
    np.testing.assert_allclose(drawn.joints, made.joints, atol=1e-12)
    skin = Mesh(made.model.rest_vertices, made.model.faces)
    off = np.abs(signed_distance(skin, drawn.points).distance)
    assert np.median(off) < 1e-4 and np.percentile(off, 95) < 2.4e-3


def test_skin_moves_as_that_of_the_model() -> None:
    model = HandModel("left", resolution=RESOLUTION)
    skin = Skin.of_model(model)
    angles = np.random.default_rng(1).uniform(0.0, 0.6, (3, 21))
    place = np.tile(np.eye(4), (3, 1, 1))
    place[:, :3, 3] = (0.1, 0.2, 0.3)
    points = skin.on(angles, place)
    for frame in range(3):
        whole = model.vertices(model.pose_from_angles(angles[frame]), place[frame])
        assert cKDTree(whole).query(points[frame])[0].max() < 1e-9


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
