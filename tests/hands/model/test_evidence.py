"""Terms of the picture of a hand: to second order they are what their residuals say, outliers are let go of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dexman_pose.hands.model.evidence import (
    MARKS,
    BoneDirections,
    LikelyDistance,
    Mirrored,
    Reprojection,
    Together,
    kept_short,
)
from dexman_pose.hands.model.system import JointEvidence
from tests.hands.model.second_order import assert_second_order

FRAMES = 3
RNG = np.random.default_rng(5)
JOINTS = RNG.normal(0.0, 0.05, (FRAMES, 21, 3)) + [0.05, -0.1, 0.7]
RAYS = JOINTS[..., :2] / JOINTS[..., 2:] + RNG.normal(0.0, 0.02, (FRAMES, 21, 2))

TERMS: dict[str, Callable[[], JointEvidence]] = {
    "reprojection": lambda: Reprojection(RAYS, np.full((FRAMES, 21), 0.01)),
    "directions": lambda: BoneDirections(RNG.normal(0.0, 0.03, (FRAMES, 20, 3)), np.full((FRAMES, 20), 0.02)),
    "distance": lambda: LikelyDistance(np.log([0.6, 0.7, 0.8]), np.array([0.1, 0.2, np.inf])),
}


@pytest.mark.parametrize("name", TERMS)
def test_terms_are_their_residuals_to_second_order(name: str) -> None:
    assert_second_order(TERMS[name](), JOINTS)


def test_so_are_those_of_a_left_hand_and_several_terms() -> None:
    assert_second_order(
        Mirrored(Together((TERMS["reprojection"](), TERMS["distance"]()))), JOINTS * [-1, 1, 1]
    )


def test_residuals_vanish_where_everything_agrees() -> None:
    marks = MARKS @ JOINTS
    seen = marks[..., :2] / marks[..., 2:]
    assert np.abs(Reprojection(seen, np.full((FRAMES, 21), 0.01)).residuals(JOINTS)).max() < 1e-9
    away = LikelyDistance(np.log(JOINTS[:, 0, 2]), np.full(FRAMES, 0.1))
    assert np.abs(away.residuals(JOINTS)).max() < 1e-9


def test_vectors_are_kept_short_and_small_ones_untouched() -> None:
    value, change = kept_short(np.array([[1e-4, 0.0], [300.0, 400.0]]), 3.0)
    np.testing.assert_allclose(value[0], [1e-4, 0.0], rtol=1e-6)
    np.testing.assert_allclose(value[1], [1.8, 2.4], rtol=1e-3)
    np.testing.assert_allclose(change[0], np.eye(2), atol=1e-6)
    assert np.abs(change[1]).max() < 0.01
