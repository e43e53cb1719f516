"""What hands and objects say about each other: to second order it is what residuals say, signs are right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.hands.model.system import JointEvidence
from dexman_pose.interaction.probes import RADII, TOUCHERS, WEIGHTS, probes
from dexman_pose.interaction.surface import tangents
from dexman_pose.interaction.terms import ClosedContacts, NoPenetration, no_slip, steady
from tests.hands.model.second_order import assert_second_order

FRAMES = 5
SIGMA = np.array([0.003, 0.004, 0.005, 0.006, 0.007])


def _scene(grasp: Callable[..., Any]) -> tuple[Any, Array, Any]:
    scene = grasp(frames=FRAMES)
    joints = scene.joints + np.random.default_rng(0).normal(0.0, 0.01, scene.joints.shape)
    return scene, joints, tangents(scene.bar, probes(joints), np.arange(FRAMES))


def _terms(near: Any) -> dict[str, JointEvidence]:
    touching = np.tile([True, True, False, True, False, True], (FRAMES, 1))
    return {
        "penetration": NoPenetration(near, 0.002, SIGMA),
        "contact": ClosedContacts(near, touching, SIGMA, 4.0),
    }


@pytest.mark.parametrize("name", ["penetration", "contact"])
def test_terms_are_their_residuals_to_second_order(grasp: Callable[..., Any], name: str) -> None:
    _, joints, near = _scene(grasp)
    assert_second_order(_terms(near)[name], joints, 1e-7)


def test_tangents_foretell_distances_nearby(grasp: Callable[..., Any]) -> None:
    scene, joints, near = _scene(grasp)
    moved = probes(joints) + np.random.default_rng(1).normal(0.0, 2e-4, (FRAMES, len(RADII), 3))
    again = tangents(scene.bar, moved, np.arange(FRAMES)).distance
    assert np.median(np.abs(again - near.at(moved))) < 2e-5
    assert np.median(np.abs(again - near.distance)) > 5e-5
    np.testing.assert_allclose(np.linalg.norm(near.normals, axis=-1), 1.0, atol=1e-6)


def test_only_flesh_inside_is_pushed(grasp: Callable[..., Any]) -> None:
    _, joints, near = _scene(grasp)
    value = NoPenetration(near, 0.0, SIGMA).residuals(joints)
    gap = near.at(probes(joints)) - RADII
    np.testing.assert_array_equal(value < 0, gap < 0)
    assert (value <= 0).all() and (value < 0).any()


def test_frames_without_the_object_say_nothing(grasp: Callable[..., Any]) -> None:
    _, joints, near = _scene(grasp)
    near.valid[2] = False
    for term in _terms(near).values():
        found = term(joints)
        assert not found.gradient[2].any() and not found.own[2].any() and found.gradient.any()
        assert not term.residuals(joints)[2].any()


def test_a_hand_that_rides_along_does_not_slip(grasp: Callable[..., Any]) -> None:
    scene = grasp(frames=FRAMES)
    together, touching = np.ones(FRAMES - 1, bool), np.ones((FRAMES, len(TOUCHERS)), bool)
    path = no_slip(scene.bar.camera_from_object, together, touching, SIGMA, 3 * SIGMA)
    assert np.abs(path.residual(scene.joints)).max() < 1e-6
    slid = scene.joints.copy()
    slid[2:, 8] += [0.004, 0.0, 0.0]
    residual = path.residual(slid)
    assert np.linalg.norm(residual[1, 8]) == pytest.approx(0.004 / SIGMA[2])
    assert np.abs(np.delete(residual, 8, axis=1)).max() < 1e-6


def test_steady_motion_costs_nothing_and_gaps_are_not_bridged() -> None:
    joints = np.arange(6.0)[:, None, None] * np.ones((1, 21, 3))
    path = steady(np.array([True, True, False, True, True]), 0.01)
    np.testing.assert_array_equal(path.first, [0, 3])
    np.testing.assert_allclose(path.residual(joints), 0.0)
    joints[1] += 0.02
    assert np.abs(path.residual(joints)[0]).max() == pytest.approx(4.0)


def test_probes_are_means_of_joints() -> None:
    np.testing.assert_allclose(WEIGHTS.sum(1), 1.0)
    assert WEIGHTS.shape == (len(RADII), 21) and (RADII > 0.005).all()
