"""Forces that bear an object where it is held: by hand, and never outside the cones of friction."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.robot.motion.types import RATE
from dexman_pose.robot.retarget.bear import GRAVITY, BearOptions, borne, loads

PINCH = np.array([[1.0, 0, 0], [-1.0, 0, 0]])
AT = np.array([[-0.02, 0.0, 0.0], [0.02, 0.0, 0.0]])
WEIGHT = np.array([0.0, 0.0, 4.0])


def test_two_tips_bear_half_the_weight_each_and_press_as_friction_needs() -> None:
    found = borne(PINCH, AT, WEIGHT, 1.0, BearOptions(sure=1.0, edges=64, little=1e-3))
    assert np.allclose(found[:, 2], 2.0, atol=0.02)
    assert np.allclose((found * PINCH).sum(1), 2.0, atol=0.02), "friction of one: press what is borne"
    assert np.allclose(found.sum(0), WEIGHT, atol=0.02)


def test_less_friction_needs_more_press() -> None:
    o = BearOptions(sure=0.5, edges=64, little=1e-3)
    assert np.allclose((borne(PINCH, AT, WEIGHT, 1.0, o) * PINCH).sum(1), 4.0, atol=0.05)


def test_a_thing_held_beside_its_middle_is_borne_without_a_turn_and_pressed_harder() -> None:
    inward = np.array([[1.0, 0, 0], [-1.0, 0, 0], [-1.0, 0, 0]])
    at = np.array([[-0.02, 0.04, 0], [0.02, 0.03, 0], [0.02, 0.08, 0]])
    o = BearOptions(sure=1.0, little=1e-3)
    found = borne(inward, at, WEIGHT, 1.0, o)
    assert np.allclose(found.sum(0), WEIGHT, atol=0.05)
    assert np.allclose(np.cross(at, found).sum(0), 0.0, atol=2e-3)
    middle = borne(inward, at - [0.0, 0.045, 0.0], WEIGHT, 1.0, o)
    assert (found * inward).sum() > 1.3 * (middle * inward).sum()


def test_forces_stay_in_their_cones() -> None:
    rng = np.random.default_rng(0)
    inward = rng.standard_normal((5, 3))
    inward /= np.linalg.norm(inward, axis=1, keepdims=True)
    o = BearOptions(sure=0.8)
    found = borne(inward, 0.03 * rng.standard_normal((5, 3)), WEIGHT, 1.0, o)
    press = (found * inward).sum(1)
    aside = np.linalg.norm(found - press[:, None] * inward, axis=1)
    assert (press >= -1e-9).all()
    assert (aside <= 0.8 * press + 1e-9).all()


def test_what_nothing_opposes_is_hardly_pressed() -> None:
    level = borne(PINCH[:1], AT[:1], WEIGHT, 1.0)
    assert np.linalg.norm(level) < np.linalg.norm(WEIGHT)


def test_loads_are_weight_and_acceleration() -> None:
    time = np.arange(40) / RATE
    still = loads(np.zeros((40, 3)), 0.5)
    assert np.allclose(still, [0.0, 0.0, 0.5 * GRAVITY])
    rising = np.zeros((40, 3))
    rising[:, 2] = 0.5 * 2.0 * time**2
    assert loads(rising, 0.5)[20, 2] == pytest.approx(0.5 * (GRAVITY + 2.0), rel=1e-3)
