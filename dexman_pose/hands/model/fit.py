"""Our own hand fitted to evidence about its joints over a clip: one shape, angles within limits, a place per frame.

The evidence is any function of the 21 joints, see :class:`JointEvidence`: measured points (:class:`MeasuredJoints`), or
what a picture says of them. Minimised is half the sum of squared residuals and of what is not usual for a hand, by
Levenberg-Marquardt: frames meet only in the shape, so that a step costs one small matrix per frame (Schur complement).
Angles that leave their limits are held there (projected step).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import InputError
from dexman_pose.geometry.align import kabsch
from dexman_pose.geometry.se3 import se3_exp
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.hands.model.kinematics import FACTOR_NAMES, SHAPE_NAMES, hand_joints
from dexman_pose.hands.model.skeleton import ANGLE_LIMITS, ANGLE_NAMES, rest_skeleton

_SEEN_MIRRORED = np.array([-1.0, 1.0, 1.0])  # of points: a left hand in this mirror is a right one
_PLACE = 6


class JointEvidence(Protocol):
    """What is known of the joints of a hand in T frames."""

    def __call__(self, joints: Array) -> tuple[Array, Array]:
        """Residuals (T, M) at joints (T, 21, 3), over their standard deviations; derivatives (T, M, 21, 3)."""
        ...


@dataclass(frozen=True)
class MeasuredJoints:
    """Measured places of joints as evidence.

    Attributes:
        joints: (T, 21, 3) metres.
        sigma: (T, 21) standard deviations in metres; infinite where a joint was not measured.
    """

    joints: Array
    sigma: Array

    def __call__(self, joints: Array) -> tuple[Array, Array]:
        """Differences along the three axes."""
        weight = np.repeat(1.0 / self.sigma, 3, axis=1)
        count = len(joints)
        derivative = weight[:, :, None] * np.eye(63)
        return weight * (joints - self.joints).reshape(count, 63), derivative.reshape(count, 63, 21, 3)


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


@dataclass(frozen=True)
class HandFit:
    """A hand fitted over T frames.

    Attributes:
        side: ``"left"`` or ``"right"``.
        shape: (S,) in the order of ``SHAPE_NAMES``.
        angles: (T, 21) radians, within their limits.
        frame_from_hand: (T, 4, 4); of frames that are not valid, the nearest valid one's.
        joints: (T, 21, 3) metres, of the fitted hand.
        valid: (T,) frames that were fitted.
        cost: half the sum of squares at the end.
    """

    side: str
    shape: Array
    angles: Array
    frame_from_hand: Array
    joints: Array
    valid: NDArray[np.bool_]
    cost: float

    def model(self, *, forearm_length: float = 0.12, resolution: float = 0.002) -> HandModel:
        """The hand with this shape."""
        count = len(FACTOR_NAMES)
        factors = np.exp(self.shape[:count])
        return HandModel(
            self.side,
            float(factors[0]),
            finger_lengths=factors[1:].reshape(5, 3),
            bases=self.shape[count:].reshape(-1, 3),
            forearm_length=forearm_length,
            resolution=resolution,
        )

    def errors(self, joints: ArrayLike) -> Array:
        """Distances (V, 21) in metres from measured joints (T, 21, 3), over the V valid frames."""
        difference = self.joints - np.asarray(joints, np.float64)
        out: Array = np.linalg.norm(difference[self.valid], axis=-1)
        return out


def fit_joints(
    joints: ArrayLike,
    side: str,
    valid: ArrayLike | None = None,
    *,
    sigma: ArrayLike | None = None,
    options: FitOptions | None = None,
) -> HandFit:
    """Fit a hand to measured joints.

    Args:
        joints: (T, 21, 3) metres, order of ``JOINT_NAMES``; frames that are not valid may hold anything.
        side: ``"left"`` or ``"right"``.
        valid: (T,) frames with joints; all when left out.
        sigma: standard deviations in metres, one or (T, 21), infinite for joints that are not known;
            ``options.sigma`` when left out.
        options: how.

    Raises:
        InputError: shapes do not fit, an unknown side, NaN in a valid frame, no valid frame.
    """
    o = options or FitOptions()
    points = np.asarray(joints, np.float64)
    if side not in SIDES:
        raise InputError(f"hand side must be 'left' or 'right', but got {side!r}")
    if points.ndim != 3 or points.shape[1:] != (21, 3):
        raise InputError(f"joints must be (T, 21, 3) metres, but got shape {points.shape}")
    known = np.ones(len(points), np.bool_) if valid is None else np.asarray(valid, np.bool_)
    if known.shape != (len(points),) or not known.any():
        raise InputError(f"valid must be ({len(points)},) booleans, some True, but got shape {known.shape}")
    if not np.isfinite(points[known]).all():
        raise InputError("joints hold NaN or infinity in a valid frame; mark such frames as not valid")
    spread = np.broadcast_to(np.asarray(o.sigma if sigma is None else sigma, np.float64), points.shape[:2])
    measured = MeasuredJoints(points[known], spread[known])
    if side == "left":
        measured = MeasuredJoints(measured.joints * _SEEN_MIRRORED, measured.sigma)
    state = fit_evidence(measured, _start(measured), o)
    return _as_fit(state, side, known)


@dataclass(frozen=True)
class HandState:
    """The unknowns of a right hand in T frames: shape (S,), angles (T, 21), frame_from_hand (T, 4, 4); and the cost."""

    shape: Array
    angles: Array
    frame_from_hand: Array
    cost: float = field(default=np.inf)


def fit_evidence(evidence: JointEvidence, start: HandState, options: FitOptions | None = None) -> HandState:
    """Fit a right hand to any evidence about its joints.

    Args:
        evidence: residuals of the joints.
        start: where to begin.
        options: how.

    Returns:
        The best state found, with its cost.
    """
    o = options or FitOptions()
    state, damping = start, o.damping
    system = _System.at(evidence, state, o)
    for _ in range(o.iterations):
        while damping < o.most_damping:
            trial = system.step(damping)
            tried = _System.at(evidence, trial, o)
            if tried.cost < system.cost:
                break
            damping *= o.worse
        else:
            break
        gained = (system.cost - tried.cost) / max(system.cost, np.finfo(float).tiny)
        system, state, damping = tried, trial, damping * o.better
        if gained < o.enough:
            break
    return HandState(state.shape, state.angles, state.frame_from_hand, system.cost)


@dataclass(frozen=True)
class _System:
    """Cost, gradient and curvature at a state: frames (T, 27) and the shape they share (S,)."""

    state: HandState
    cost: float
    own_gradient: Array
    own_curvature: Array
    mixed: Array
    shape_gradient: Array
    shape_curvature: Array

    @classmethod
    def at(cls, evidence: JointEvidence, state: HandState, o: FitOptions) -> _System:
        """The system at a state."""
        found = hand_joints(state.shape, state.angles, state.frame_from_hand)
        residual, derivative = evidence(found.joints)
        by_own = np.concatenate([found.by_angles, found.by_place], -1)
        own = np.einsum("tmjc,tjcp->tmp", derivative, by_own, optimize=True)
        shared = np.einsum("tmjc,tjcs->tms", derivative, found.by_shape, optimize=True)
        stray = (state.angles - _usual(o)) / o.angle_sigma
        sigma = _shape_sigma(o, len(state.angles))
        odd = state.shape / sigma
        own_gradient = np.einsum("tmp,tm->tp", own, residual)
        own_gradient[:, : len(ANGLE_NAMES)] += stray / o.angle_sigma
        own_curvature = np.einsum("tmp,tmq->tpq", own, own, optimize=True)
        angle = np.arange(len(ANGLE_NAMES))
        own_curvature[:, angle, angle] += o.angle_sigma**-2
        cost = 0.5 * float((residual**2).sum() + (stray**2).sum() + (odd**2).sum())
        return cls(
            state,
            cost,
            own_gradient,
            own_curvature,
            np.einsum("tmp,tms->tps", own, shared, optimize=True),
            np.einsum("tms,tm->s", shared, residual) + odd / sigma,
            np.einsum("tms,tmr->sr", shared, shared, optimize=True) + np.diag(sigma**-2),
        )

    def step(self, damping: float) -> HandState:
        """The state after a damped step; angles stay within their limits."""
        s, count = self.state, len(ANGLE_NAMES)
        low, high = ANGLE_LIMITS.T
        pushed = self.own_gradient[:, :count]
        held = np.zeros(self.own_gradient.shape, np.bool_)
        held[:, :count] = ((s.angles <= low) & (pushed > 0)) | ((s.angles >= high) & (pushed < 0))
        curvature = np.where(held[:, :, None] | held[:, None, :], 0.0, self.own_curvature)
        gradient, mixed = np.where(held, 0.0, self.own_gradient), np.where(held[..., None], 0.0, self.mixed)
        diagonal = np.arange(curvature.shape[-1])
        curvature[:, diagonal, diagonal] = np.where(
            held, 1.0, curvature[:, diagonal, diagonal] * (1 + damping)
        )
        both = np.linalg.solve(curvature, np.concatenate([gradient[..., None], mixed], -1))
        reduced = self.shape_curvature * (1 + damping * np.eye(len(self.shape_gradient)))
        reduced = reduced - np.einsum("tps,tpr->sr", mixed, both[..., 1:])
        right = self.shape_gradient - np.einsum("tps,tp->s", mixed, both[..., 0])
        shape = -np.linalg.solve(reduced, right)
        own = -both[..., 0] - both[..., 1:] @ shape
        return HandState(
            s.shape + shape,
            np.clip(s.angles + own[:, :count], low, high),
            s.frame_from_hand @ se3_exp(own[:, count:]),
        )


def _usual(o: FitOptions) -> Array:
    return np.array(
        [o.usual if n.endswith("flexion") and not n.startswith("thumb") else 0.0 for n in ANGLE_NAMES]
    )


def _shape_sigma(o: FitOptions, frames: int) -> Array:
    lengths = len(FACTOR_NAMES) - 1
    bases = len(SHAPE_NAMES) - len(FACTOR_NAMES)
    sigma = np.array([o.scale_sigma] + [o.length_sigma] * lengths + [o.base_sigma] * bases)
    out: Array = sigma / np.sqrt(
        frames
    )  # errors of one hand are alike in all frames: many frames are no more proof
    return out


def _start(measured: MeasuredJoints) -> HandState:
    """An average hand, its palm laid on the measured one."""
    palm = [0, 1, 5, 9, 13, 17]
    rest = np.broadcast_to(rest_skeleton().joints[palm], (len(measured.joints), len(palm), 3))
    known = np.isfinite(measured.sigma[:, palm])
    weights = np.where(known, 1.0, np.finfo(float).eps)
    places = kabsch(rest, np.where(known[..., None], measured.joints[:, palm], 0.0), weights)
    angles = np.tile(_usual(FitOptions()), (len(places), 1))
    return HandState(np.zeros(len(SHAPE_NAMES)), angles, places)


def _as_fit(state: HandState, side: str, known: NDArray[np.bool_]) -> HandFit:
    """The fit of all frames; those without evidence hold the nearest one's state."""
    places = state.frame_from_hand
    joints = hand_joints(state.shape, state.angles, places).joints
    if side == "left":
        seen, own = np.diag([*_SEEN_MIRRORED, 1.0]), np.diag([1.0, -1.0, 1.0, 1.0])
        places, joints = seen @ places @ own, joints * _SEEN_MIRRORED
    frames = np.flatnonzero(known)
    nearest = np.abs(np.arange(len(known))[:, None] - frames).argmin(1)
    return HandFit(
        side, state.shape, state.angles[nearest], places[nearest], joints[nearest], known, state.cost
    )
