"""Cost, gradient and curvature of a MANO hand in T frames under evidence about its joints, and damped steps.

Frames meet only in the shape: a step solves one small matrix per frame, and one of the shape (Schur complement).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import se3_exp
from dexman_pose.hands.mano.kinematics import mano_joints
from dexman_pose.hands.mano.layout import ANGLES, BONES, SHAPES
from dexman_pose.hands.mano.rig import ManoRig
from dexman_pose.hands.model.fit import MeasuredJoints


@dataclass(frozen=True)
class ManoFitOptions:
    """How MANO's parameters are fitted.

    Attributes:
        sigma: metres, standard deviation of a measured joint.
        swing_sigma: radians by which bones stray from the mean pose, across their length.
        twist_sigma: radians by which they stray along it: joints do not show that, and hands hardly do it.
        shape_sigma: of a shape coefficient.
        alike: frames that count as one for the shape, at most: errors of one hand are alike in all frames.
        iterations: most steps.
        enough: relative decrease of the cost at which the fit is done.
        damping: first damping of a step, relative to the curvature.
        worse: factor on the damping after a step that failed.
        better: factor on it after one that did not.
        most_damping: at which the fit gives up.
    """

    sigma: float = 0.003
    swing_sigma: float = 0.7
    twist_sigma: float = 0.1
    shape_sigma: float = 1.0
    alike: float = 4.0
    iterations: int = 60
    enough: float = 1e-6
    damping: float = 1e-3
    worse: float = 6.0
    better: float = 0.35
    most_damping: float = 1e6


@dataclass(frozen=True)
class ManoState:
    """The unknowns: betas (10,), pose (T, 15, 3) rotation vectors, frame_from_hand (T, 4, 4); and the cost."""

    betas: Array
    pose: Array
    frame_from_hand: Array
    cost: float = field(default=np.inf)


@dataclass(frozen=True)
class PosePrior:
    """What is usual of a pose.

    Attributes:
        mean: (15, 3) rotation vectors.
        weights: (15, 3, 3) what differences from it are multiplied by, one over standard deviations.
    """

    mean: Array
    weights: Array

    @classmethod
    def about(cls, mean: Array, directions: Array, o: ManoFitOptions) -> PosePrior:
        """Wide across the bones, narrow along them.

        Args:
            mean: (15, 3).
            directions: (15, 3) unit vectors along the bones at rest.
            o: the standard deviations.
        """
        along = directions[:, :, None] * directions[:, None, :]
        return cls(mean, np.eye(3) / o.swing_sigma + along * (1.0 / o.twist_sigma - 1.0 / o.swing_sigma))

    def residuals(self, pose: Array) -> Array:
        """(T, 15, 3) differences over their standard deviations."""
        out: Array = (self.weights @ (pose - self.mean)[..., None])[..., 0]
        return out


@dataclass(frozen=True)
class ManoSystem:
    """Cost, gradient and curvature at a state: frames (T, 51), pose then place, and the shape they share (10,).

    Attributes:
        state: where it was taken.
        cost: half the sum of squares.
        own_gradient: (T, 51).
        blocks: (T, 51, 51).
        mixed: (T, 51, 10).
        shape_gradient: (10,).
        shape_curvature: (10, 10).
    """

    state: ManoState
    cost: float
    own_gradient: Array
    blocks: Array
    mixed: Array
    shape_gradient: Array
    shape_curvature: Array

    @classmethod
    def at(
        cls, rig: ManoRig, evidence: MeasuredJoints, prior: PosePrior, state: ManoState, o: ManoFitOptions
    ) -> ManoSystem:
        """The system at a state; the rig's vertices are the tips."""
        found = mano_joints(rig, state.betas, state.pose, state.frame_from_hand)
        residual = evidence.residuals(found.joints)
        weight = 1.0 / evidence.sigma[..., None, None]
        own = _rows(weight * np.concatenate([found.by_pose, found.by_place], -1))
        shared = _rows(weight * found.by_shape)
        turned = np.swapaxes(own, 1, 2)
        stray = prior.residuals(state.pose)
        sigma = o.shape_sigma / np.sqrt(max(1.0, len(state.pose) / o.alike))
        odd = state.betas / sigma
        gradient, blocks = (turned @ residual[..., None])[..., 0], turned @ own
        gradient[:, :ANGLES] += (np.swapaxes(prior.weights, 1, 2) @ stray[..., None])[..., 0].reshape(
            -1, ANGLES
        )
        curvature = np.swapaxes(prior.weights, 1, 2) @ prior.weights
        for bone in range(BONES):
            at = slice(3 * bone, 3 * bone + 3)
            blocks[:, at, at] += curvature[bone]
        return cls(
            state,
            0.5 * float((residual**2).sum() + (stray**2).sum() + (odd**2).sum()),
            gradient,
            blocks,
            turned @ shared,
            np.einsum("tms,tm->s", shared, residual) + odd / sigma,
            np.tensordot(shared, shared, ((0, 1), (0, 1))) + np.eye(SHAPES) / sigma**2,
        )

    def step(self, damping: float) -> ManoState:
        """The state after a damped step.

        Raises:
            numpy.linalg.LinAlgError: the damping is too small for the curvature to be positive.
        """
        blocks, diagonal = self.blocks.copy(), np.arange(self.blocks.shape[-1])
        blocks[:, diagonal, diagonal] *= 1.0 + damping
        both = np.linalg.solve(blocks, np.concatenate([self.own_gradient[..., None], self.mixed], -1))
        reduced = self.shape_curvature * (1.0 + damping * np.eye(SHAPES))
        reduced = reduced - np.tensordot(self.mixed, both[..., 1:], ((0, 1), (0, 1)))
        onto = self.shape_gradient - np.einsum("tps,tp->s", self.mixed, both[..., 0])
        shape = -np.linalg.solve(reduced, onto)
        own = -both[..., 0] - both[..., 1:] @ shape
        s = self.state
        return ManoState(
            s.betas + shape,
            s.pose + own[:, :ANGLES].reshape(-1, BONES, 3),
            s.frame_from_hand @ se3_exp(own[:, ANGLES:]),
        )


def solved(
    rig: ManoRig, evidence: MeasuredJoints, prior: PosePrior, start: ManoState, o: ManoFitOptions
) -> ManoState:
    """The best state found from a start by Levenberg and Marquardt's steps, with its cost."""
    damping, system = o.damping, ManoSystem.at(rig, evidence, prior, start, o)
    for _ in range(o.iterations):
        tried = None
        while tried is None and damping < o.most_damping:
            tried = _better(system, damping, rig, evidence, prior, o)
            damping *= o.better if tried else o.worse
        if tried is None:
            break
        gained = (system.cost - tried.cost) / max(system.cost, np.finfo(float).tiny)
        system = tried
        if gained < o.enough:
            break
    s = system.state
    return ManoState(s.betas, s.pose, s.frame_from_hand, system.cost)


def _better(
    system: ManoSystem,
    damping: float,
    rig: ManoRig,
    evidence: MeasuredJoints,
    prior: PosePrior,
    o: ManoFitOptions,
) -> ManoSystem | None:
    """The system after a step with this damping, None where it is no better."""
    try:
        trial = system.step(damping)
    except np.linalg.LinAlgError:
        return None
    tried = ManoSystem.at(rig, evidence, prior, trial, o)
    return tried if tried.cost < system.cost else None


def _rows(by: Array) -> Array:
    """(T, 63, P) of derivatives (T, 21, 3, P)."""
    return by.reshape(len(by), -1, by.shape[-1])
