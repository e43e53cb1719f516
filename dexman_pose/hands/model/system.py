"""Cost, gradient and curvature of a hand in T frames under evidence about its joints, and damped steps.

Without evidence that joins frames, these meet only in the shape, and a step costs one small matrix per frame (Schur
complement); with it (:mod:`dexman_pose.hands.model.paths`), one banded system.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import se3_exp
from dexman_pose.hands.model.kinematics import FACTOR_NAMES, SHAPE_NAMES, hand_joints
from dexman_pose.hands.model.paths import JointPath, path_equations, solve_banded_blocks
from dexman_pose.hands.model.skeleton import ANGLE_LIMITS, ANGLE_NAMES


class JointEvidence(Protocol):
    """What is known of the joints of a hand in T frames."""

    def __call__(self, joints: Array) -> tuple[Array, Array]:
        """Residuals (T, M) at joints (T, 21, 3), over their standard deviations; derivatives (T, M, 21, 3)."""
        ...


@dataclass(frozen=True)
class FitOptions:
    """How a hand is fitted.

    Attributes:
        sigma: metres, standard deviation of a measured joint.
        angle_sigma: radians by which angles stray from ``usual``: decides only what the joints leave open.
        usual: radians, flexion of every finger joint that is usual.
        scale_sigma: of the logarithm of the scale.
        length_sigma: of the logarithms of the other factors of the shape.
        base_sigma: metres, of the first joints of the fingers.
        iterations: most steps.
        enough: relative decrease of the cost at which the fit is done.
        damping: first damping of a step, relative to the curvature.
        worse: factor on the damping after a step that failed.
        better: factor on it after one that did not.
        most_damping: at which the fit gives up.
        alike: frames that count as one for the shape, at most: where errors of all frames are alike, many frames are no
            more proof of an odd shape than this many independent ones would be of it in one frame.
        log_scale: natural logarithm of the usual scale.
    """

    sigma: float = 0.003
    angle_sigma: float = 0.7
    usual: float = 0.35
    scale_sigma: float = 0.05
    length_sigma: float = 0.15
    base_sigma: float = 0.004
    iterations: int = 60
    enough: float = 1e-5
    damping: float = 1e-3
    worse: float = 6.0
    better: float = 0.35
    most_damping: float = 1e6
    alike: float = np.inf
    log_scale: float = 0.0


@dataclass(frozen=True)
class HandState:
    """The unknowns of a right hand in T frames: shape (S,), angles (T, 21), frame_from_hand (T, 4, 4); and the cost."""

    shape: Array
    angles: Array
    frame_from_hand: Array
    cost: float = field(default=np.inf)


@dataclass(frozen=True)
class System:
    """Cost, gradient and curvature at a state: frames (T, 27), coupled over time, and the shape they share (S,).

    Attributes:
        state: where it was taken.
        cost: half the sum of squares.
        own_gradient: (T, 27).
        blocks: (K, T, 27, 27) curvature between a frame and those after it; K is 1 where frames are not coupled.
        mixed: (T, 27, S).
        shape_gradient: (S,).
        shape_curvature: (S, S).
    """

    state: HandState
    cost: float
    own_gradient: Array
    blocks: Array
    mixed: Array
    shape_gradient: Array
    shape_curvature: Array

    @classmethod
    def at(
        cls, evidence: JointEvidence, state: HandState, o: FitOptions, paths: tuple[JointPath, ...] = ()
    ) -> System:
        """The system at a state."""
        found = hand_joints(state.shape, state.angles, state.frame_from_hand)
        residual, derivative = evidence(found.joints)
        by_own = np.concatenate([found.by_angles, found.by_place], -1)
        own = _chained(derivative, by_own)
        shared = _chained(derivative, found.by_shape)
        stray = (state.angles - usual_angles(o)) / o.angle_sigma
        sigma = _shape_sigma(o, len(state.angles))
        odd = (state.shape - _usual_shape(o)) / sigma
        turned = np.swapaxes(own, 1, 2)
        gradient = (turned @ residual[..., None])[..., 0]
        gradient[:, : len(ANGLE_NAMES)] += stray / o.angle_sigma
        blocks = (turned @ own)[None]
        angle = np.arange(len(ANGLE_NAMES))
        blocks[0][:, angle, angle] += o.angle_sigma**-2
        cost = 0.5 * float((residual**2).sum() + (stray**2).sum() + (odd**2).sum())
        mixed = turned @ shared
        shape_gradient = np.einsum("tms,tm->s", shared, residual) + odd / sigma
        shape_curvature = np.tensordot(shared, shared, ((0, 1), (0, 1))) + np.diag(sigma**-2)
        if paths:
            joined = path_equations(paths, found.joints, by_own, found.by_shape)
            joined.blocks[0] += blocks[0]
            blocks = joined.blocks
            cost, gradient, mixed = cost + joined.cost, gradient + joined.gradient, mixed + joined.mixed
            shape_gradient = shape_gradient + joined.shared_gradient
            shape_curvature = shape_curvature + joined.shared_curvature
        return cls(state, cost, gradient, blocks, mixed, shape_gradient, shape_curvature)

    def step(self, damping: float) -> HandState:
        """The state after a damped step; angles stay within their limits.

        Raises:
            numpy.linalg.LinAlgError: the damping is too small for the curvature to be positive.
        """
        s, count = self.state, len(ANGLE_NAMES)
        low, high = ANGLE_LIMITS.T
        pushed = self.own_gradient[:, :count]
        held = np.zeros(self.own_gradient.shape, np.bool_)
        held[:, :count] = ((s.angles <= low) & (pushed > 0)) | ((s.angles >= high) & (pushed < 0))
        blocks = self._free_blocks(held)
        gradient, mixed = np.where(held, 0.0, self.own_gradient), np.where(held[..., None], 0.0, self.mixed)
        diagonal = np.arange(blocks.shape[-1])
        blocks[0][:, diagonal, diagonal] = np.where(
            held, 1.0, blocks[0][:, diagonal, diagonal] * (1 + damping)
        )
        right = np.concatenate([gradient[..., None], mixed], -1)
        both = np.linalg.solve(blocks[0], right) if len(blocks) == 1 else solve_banded_blocks(blocks, right)
        reduced = self.shape_curvature * (1 + damping * np.eye(len(self.shape_gradient)))
        reduced = reduced - np.tensordot(mixed, both[..., 1:], ((0, 1), (0, 1)))
        onto = self.shape_gradient - np.einsum("tps,tp->s", mixed, both[..., 0])
        shape = -np.linalg.solve(reduced, onto)
        own = -both[..., 0] - both[..., 1:] @ shape
        return HandState(
            s.shape + shape,
            np.clip(s.angles + own[:, :count], low, high),
            s.frame_from_hand @ se3_exp(own[:, count:]),
        )

    def _free_blocks(self, held: NDArray[np.bool_]) -> Array:
        """The curvature with rows and columns of held unknowns (T, 27) left out."""
        out, frames = np.zeros_like(self.blocks), len(held)
        for k in range(min(len(self.blocks), frames)):
            fixed = held[: frames - k, :, None] | held[k:, None, :]
            out[k, : frames - k] = np.where(fixed, 0.0, self.blocks[k, : frames - k])
        return out


def usual_angles(o: FitOptions) -> Array:
    """(21,) radians that decide what the evidence leaves open."""
    return np.array(
        [o.usual if n.endswith("flexion") and not n.startswith("thumb") else 0.0 for n in ANGLE_NAMES]
    )


def _chained(derivative: Array, by: Array) -> Array:
    """(T, M, P) of residuals (T, M, 21, 3) of joints (T, 21, 3, P)."""
    frames, size = len(derivative), by.shape[-1]
    out: Array = derivative.reshape(frames, derivative.shape[1], -1) @ by.reshape(frames, -1, size)
    return out


def _usual_shape(o: FitOptions) -> Array:
    out = np.zeros(len(SHAPE_NAMES))
    out[0] = o.log_scale
    return out


def _shape_sigma(o: FitOptions, frames: int) -> Array:
    lengths = len(FACTOR_NAMES) - 1
    bases = len(SHAPE_NAMES) - len(FACTOR_NAMES)
    sigma = np.array([o.scale_sigma] + [o.length_sigma] * lengths + [o.base_sigma] * bases)
    # Errors of one hand are alike in all frames: many frames are no more proof.
    out: Array = sigma / np.sqrt(min(frames, o.alike))
    return out
