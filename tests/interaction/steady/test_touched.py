"""Touches tell where an object is: the gradient is that of the cost, an object beside a hand is drawn to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.interaction.options import ContactOptions
from dexman_pose.interaction.steady.touched import Touch, TouchedObject
from dexman_pose.optimize.problem import move_poses

FRAMES, STEP = 5, 2e-5


def _touched(grasp: Callable[..., Any]) -> tuple[Any, TouchedObject, Array]:
    scene = grasp(frames=FRAMES)
    gripped = np.arange(FRAMES) != 1
    cost = TouchedObject.of(scene.bar, scene.joints, gripped, np.full(FRAMES, 0.002), ContactOptions())
    twists = np.random.default_rng(0).normal(0, 0.003, (FRAMES, 6))
    return scene, cost, move_poses(scene.bar.camera_from_object, twists, scene.bar.mesh.center)


def test_the_gradient_is_that_of_half_the_cost(grasp: Callable[..., Any]) -> None:
    scene, cost, poses = _touched(grasp)
    found, center = cost.linearise(poses, np.zeros(0)), scene.bar.mesh.center
    for axis in range(6):
        twist = np.zeros((FRAMES, 6))
        twist[:, axis] = STEP
        ahead, behind = (
            cost.linearise(move_poses(poses, s * twist, center), np.zeros(0)).cost for s in (1, -1)
        )
        # Distances come in single precision, and a bar of flat sides has edges.
        np.testing.assert_allclose(
            (ahead - behind) / (4 * STEP),
            found.gradient[:, axis],
            rtol=0.05,
            atol=0.02 * np.abs(found.gradient).max(),
        )


def test_frames_without_a_grip_say_nothing(grasp: Callable[..., Any]) -> None:
    _, cost, poses = _touched(grasp)
    found = cost.linearise(poses, np.zeros(0))
    assert not found.hessian[1].any() and not found.gradient[1].any() and found.cost[1] == 0.0
    assert found.cost[0] > 0.0


def test_a_step_closes_gaps(grasp: Callable[..., Any]) -> None:
    scene, cost, poses = _touched(grasp)
    found = cost.linearise(poses, np.zeros(0))
    firm = np.diag(np.repeat([0.005**-2, 0.05**-2], 3))
    step = -np.asarray(np.linalg.solve(found.hessian + firm, found.gradient[..., None]), np.float64)[..., 0]
    after = cost.linearise(move_poses(poses, step, scene.bar.mesh.center), np.zeros(0))
    gripped = cost.gripped
    assert (after.cost[gripped] < 0.9 * found.cost[gripped]).all()


def test_rows_have_the_gradient_of_the_touches_and_as_much_weight_as_a_few_frames(
    grasp: Callable[..., Any],
) -> None:
    _, cost, poses = _touched(grasp)
    frames = np.flatnonzero(cost.gripped)
    slopes, residuals = Touch(cost, frames, 1.0, 0.002).rows(poses)
    found, share = cost.linearise(poses, np.zeros(0)), 1.0 / len(frames)
    np.testing.assert_allclose(
        np.einsum("nij,ni->nj", slopes, residuals), share * found.gradient[frames], rtol=1e-6, atol=1e-6
    )
    square = np.swapaxes(slopes, 1, 2) @ slopes
    np.testing.assert_allclose(square, share * found.hessian[frames], rtol=1e-6, atol=0.01)
