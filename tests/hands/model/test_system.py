"""The system of a hand against differences of its cost, with every kind of evidence at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import se3, se3_exp, so3_exp
from dexman_pose.hands.model.fit import MeasuredJoints
from dexman_pose.hands.model.kinematics import SHAPE_NAMES, hand_joints
from dexman_pose.hands.model.paths import JointPath
from dexman_pose.hands.model.quadratic import PALM_MEAN, JointQuadratic
from dexman_pose.hands.model.system import FitOptions, Guess, HandState, System

FRAMES = 4
RNG = np.random.default_rng(2)
PLACES = se3(so3_exp(RNG.normal(0.0, 0.5, (FRAMES, 3))), RNG.normal(0.0, 0.05, (FRAMES, 3)) + [0.0, 0.0, 0.7])
STATE = HandState(RNG.normal(0.0, 0.02, len(SHAPE_NAMES)), RNG.uniform(0.1, 0.4, (FRAMES, 21)), PLACES)
JOINTS = hand_joints(STATE.shape, STATE.angles, STATE.frame_from_hand)
TARGET = JOINTS + RNG.normal(0.0, 1e-3, JOINTS.shape)


class PalmAt:
    """The middle of the palm was measured."""

    def __init__(self, middle: Array, sigma: float) -> None:
        self.middle, self.sigma = middle, sigma

    def residuals(self, joints: Array) -> Array:
        out: Array = (joints[:, list(PALM_MEAN)].mean(1) - self.middle) / self.sigma
        return out

    def __call__(self, joints: Array) -> JointQuadratic:
        off = self.residuals(joints)
        out = JointQuadratic.none(len(joints))
        out.cost = 0.5 * float((off**2).sum())
        out.gradient[:, list(PALM_MEAN)] = off[:, None] / self.sigma / len(PALM_MEAN)
        out.palm = np.tile(np.eye(3) / self.sigma**2, (len(joints), 1, 1))
        return out


class Both:
    """Joints and the palm."""

    def __init__(self) -> None:
        self.terms = MeasuredJoints(TARGET, np.full((FRAMES, 21), 0.01)), PalmAt(TARGET[:, 0] + 0.05, 0.02)

    def residuals(self, joints: Array) -> Array:
        return np.concatenate([term.residuals(joints) for term in self.terms], 1)

    def __call__(self, joints: Array) -> JointQuadratic:
        out = self.terms[0](joints)
        out.add(self.terms[1](joints))
        return out


def _paths() -> tuple[JointPath, ...]:
    riding = se3(so3_exp(RNG.normal(size=(FRAMES, 3))), RNG.normal(size=(FRAMES, 3)))
    still = np.tile(np.eye(4), (FRAMES, 1, 1))
    weight = RNG.uniform(20.0, 60.0, (FRAMES, 21))
    return (
        JointPath(still, np.arange(FRAMES - 2), (1.0, -2.0, 1.0), weight[: FRAMES - 2]),
        JointPath(riding, np.array([0, 2]), (-1.0, 1.0), weight[:2]),
    )


def _moved(own: Array, shape: Array) -> HandState:
    return replace(
        STATE,
        shape=STATE.shape + shape,
        angles=STATE.angles + own[:, :21],
        frame_from_hand=STATE.frame_from_hand @ se3_exp(own[:, 21:]),
    )


@pytest.mark.parametrize("paths", [(), _paths()], ids=["alone", "joined"])
def test_gradient_and_curvature_are_those_of_the_cost(paths: tuple[JointPath, ...]) -> None:
    evidence, o = Both(), FitOptions()
    system = System.of(Guess.at(evidence, STATE, o, paths), o, paths)
    full = _full(system)
    gradient = np.concatenate([system.own_gradient.ravel(), system.shape_gradient])

    def residuals(own: Array, shape: Array) -> Array:
        joints = hand_joints(*_parts(_moved(own, shape)))
        stray = (STATE.angles + own[:, :21]) / o.angle_sigma
        every = [evidence.residuals(joints), stray, *(path.residual(joints) for path in paths)]
        return np.concatenate([part.ravel() for part in every])

    sigma = np.array([o.scale_sigma] + [o.length_sigma] * 15 + [o.base_sigma] * 15) / np.sqrt(FRAMES)
    for _ in range(4):
        own, shape, step = RNG.normal(size=(FRAMES, 27)), RNG.normal(size=len(STATE.shape)), 1e-5
        slope = (residuals(step * own, step * shape) - residuals(-step * own, -step * shape)) / (2 * step)
        along = np.concatenate([own.ravel(), shape])
        bent = float(slope @ slope + ((shape / sigma) ** 2).sum())
        assert along @ full @ along == pytest.approx(bent, rel=1e-5)
        ahead, behind = (Guess.at(evidence, _moved(s * own, s * shape), o, paths).cost for s in (step, -step))
        assert gradient @ along == pytest.approx((ahead - behind) / (2 * step), rel=1e-4)


def test_the_first_undamped_step_does_most_of_what_can_be_done() -> None:
    evidence, o = Both(), FitOptions()
    guess = Guess.at(evidence, STATE, o)
    after = Guess.at(evidence, System.of(guess, o).step(0.0), o)
    again = Guess.at(evidence, System.of(after, o).step(0.0), o)
    assert after.cost < 0.3 * guess.cost
    assert 0 <= after.cost - again.cost < 0.1 * (guess.cost - after.cost)


def _parts(state: HandState) -> tuple[Array, Array, Array]:
    return state.shape, state.angles, state.frame_from_hand


def _full(system: System) -> Array:
    """The whole curvature as one matrix."""
    width, size = FRAMES * 27, FRAMES * 27 + len(system.shape_gradient)
    out = np.zeros((size, size))
    for k, blocks in enumerate(system.blocks):
        for t in range(FRAMES - k):
            rows, columns = slice(27 * t, 27 * t + 27), slice(27 * (t + k), 27 * (t + k) + 27)
            out[rows, columns], out[columns, rows] = blocks[t], blocks[t].T
    out[:width, width:] = system.mixed.reshape(width, -1)
    out[width:, :width] = out[:width, width:].T
    out[width:, width:] = system.shape_curvature
    return out
