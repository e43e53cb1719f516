"""Our own hand fitted to evidence about its joints over a clip: one shape, angles within limits, a place per frame.

The evidence is any function of the 21 joints, see :class:`~dexman_pose.hands.model.system.JointEvidence`: measured
points (:class:`MeasuredJoints`), or what a picture says of them. Minimised is half the sum of squared residuals and of
what is not usual for a hand, by Levenberg-Marquardt (:mod:`dexman_pose.hands.model.system`). Angles that leave their
limits are held there (projected step).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import InputError
from dexman_pose.geometry.align import kabsch
from dexman_pose.hands.model.hand_model import HandModel
from dexman_pose.hands.model.kinematics import FACTOR_NAMES, SHAPE_NAMES, hand_joints
from dexman_pose.hands.model.paths import JointPath
from dexman_pose.hands.model.quadratic import JointQuadratic
from dexman_pose.hands.model.skeleton import rest_skeleton
from dexman_pose.hands.model.system import (
    FitOptions,
    Guess,
    HandState,
    JointEvidence,
    System,
    usual_angles,
)

_SEEN_MIRRORED = np.array([-1.0, 1.0, 1.0])  # of points: a left hand in this mirror is a right one


@dataclass(frozen=True)
class MeasuredJoints:
    """Measured places of joints as evidence.

    Attributes:
        joints: (T, 21, 3) metres.
        sigma: (T, 21) standard deviations in metres; infinite where a joint was not measured.
    """

    joints: Array
    sigma: Array

    def residuals(self, joints: Array) -> Array:
        """(T, 63) differences along the three axes, over their standard deviations."""
        return ((joints - self.joints) / self.sigma[..., None]).reshape(len(joints), 63)

    def __call__(self, joints: Array) -> JointQuadratic:
        """What the measurements say of the joints."""
        off = (joints - self.joints) / self.sigma[..., None]
        out = JointQuadratic.none(len(joints))
        out.cost = 0.5 * float((off**2).sum())
        out.gradient = off / self.sigma[..., None]
        axis = np.arange(3)
        out.own[..., axis, axis] = self.sigma[..., None] ** -2
        return out


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


def fit_evidence(
    evidence: JointEvidence,
    start: HandState,
    options: FitOptions | None = None,
    paths: tuple[JointPath, ...] = (),
) -> HandState:
    """Fit a right hand to any evidence about its joints.

    Args:
        evidence: residuals of the joints.
        start: where to begin.
        options: how.
        paths: evidence about how joints move from frame to frame.

    Returns:
        The best state found, with its cost.
    """
    o = options or FitOptions()
    damping, best = o.damping, Guess.at(evidence, start, o, paths)
    for _ in range(o.iterations):
        system, tried = System.of(best, o, paths), None
        while tried is None and damping < o.most_damping:
            tried = _better(system, damping, evidence, o, paths)
            damping = max(o.least_damping, damping * (o.better if tried else o.worse))
        del system  # the next one is as large
        if tried is None:
            break
        gained = (best.cost - tried.cost) / max(best.cost, np.finfo(float).tiny)
        best = tried
        if gained < o.enough:
            break
    state = best.state
    return HandState(state.shape, state.angles, state.frame_from_hand, best.cost)


def _better(
    system: System, damping: float, evidence: JointEvidence, o: FitOptions, paths: tuple[JointPath, ...]
) -> Guess | None:
    """What is known after a step with this damping, None where that is no better."""
    try:
        trial = system.step(damping)
    except np.linalg.LinAlgError:
        return None
    tried = Guess.at(evidence, trial, o, paths)
    return tried if tried.cost < system.cost else None


def _start(measured: MeasuredJoints) -> HandState:
    """An average hand, its palm laid on the measured one."""
    palm = [0, 1, 5, 9, 13, 17]
    rest = np.broadcast_to(rest_skeleton().joints[palm], (len(measured.joints), len(palm), 3))
    known = np.isfinite(measured.sigma[:, palm])
    weights = np.where(known, 1.0, np.finfo(float).eps)
    places = kabsch(rest, np.where(known[..., None], measured.joints[:, palm], 0.0), weights)
    angles = np.tile(usual_angles(FitOptions()), (len(places), 1))
    return HandState(np.zeros(len(SHAPE_NAMES)), angles, places)


def _as_fit(state: HandState, side: str, known: NDArray[np.bool_]) -> HandFit:
    """The fit of all frames; those without evidence hold the nearest one's state."""
    places = state.frame_from_hand
    joints = hand_joints(state.shape, state.angles, places)
    if side == "left":
        seen, own = np.diag([*_SEEN_MIRRORED, 1.0]), np.diag([1.0, -1.0, 1.0, 1.0])
        places, joints = seen @ places @ own, joints * _SEEN_MIRRORED
    frames = np.flatnonzero(known)
    nearest = np.abs(np.arange(len(known))[:, None] - frames).argmin(1)
    return HandFit(
        side, state.shape, state.angles[nearest], places[nearest], joints[nearest], known, state.cost
    )
