"""Cost, gradient and curvature of a hand in T frames under evidence about its joints, and damped steps.

Evidence speaks of joints (:mod:`dexman_pose.hands.model.quadratic`); the chain rule is applied finger by finger.
Without evidence that joins frames, these meet only in the shape; with it (:mod:`dexman_pose.hands.model.paths`), a step
costs one banded system (:mod:`dexman_pose.hands.model.banded`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import se3_exp
from dexman_pose.hands.model.banded import solve_bordered
from dexman_pose.hands.model.kinematics import (
    ANGLES_OF_FINGER,
    COLUMNS,
    FACTOR_NAMES,
    PLACE,
    SHAPE,
    SHAPE_NAMES,
    JointDerivatives,
    hand_derivatives,
    hand_joints,
    shape_of_finger,
)
from dexman_pose.hands.model.paths import REACH, JointPath
from dexman_pose.hands.model.quadratic import PALM_MEAN, JointQuadratic, by_finger
from dexman_pose.hands.model.skeleton import ANGLE_LIMITS, ANGLE_NAMES

_OWN = PLACE.stop  # columns of a finger that are a frame's own


class JointEvidence(Protocol):
    """What is known of the joints of a hand in T frames."""

    def residuals(self, joints: Array) -> Array:
        """Residuals (T, M) at joints (T, 21, 3), over their standard deviations."""
        ...

    def __call__(self, joints: Array) -> JointQuadratic:
        """Half the sum of their squares, to second order."""
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
        least_damping: under which it does not fall: angles that meet their limits and landmarks that are let go of make
            longer steps fail.
        worse: factor on the damping after a step that failed.
        better: factor on it after one that did not.
        most_damping: at which the fit gives up.
        alike: frames that count as one for the shape, at most: where errors of all frames are alike, many frames are no
            more proof of an odd shape than this many independent ones would be of it in one frame.
        log_scale: natural logarithm of the usual scale.
        shape: (S,) the shape where it is known, None where it is not.
        known: standard deviation of a shape that is known.
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
    least_damping: float = 1e-4
    worse: float = 6.0
    better: float = 0.35
    most_damping: float = 1e6
    alike: float = np.inf
    log_scale: float = 0.0
    shape: tuple[float, ...] | None = None
    known: float = 1e-5


@dataclass(frozen=True)
class HandState:
    """The unknowns of a right hand in T frames: shape (S,), angles (T, 21), frame_from_hand (T, 4, 4); and the cost."""

    shape: Array
    angles: Array
    frame_from_hand: Array
    cost: float = field(default=np.inf)


@dataclass(frozen=True)
class Guess:
    """A state and what evidence says of its joints: all that is needed to tell whether it is better than another.

    Attributes:
        state: the unknowns.
        joints: what is known of joints, to second order about them.
        cost: half the sum of squares, with what is not usual for a hand.
    """

    state: HandState
    joints: JointQuadratic
    cost: float

    @classmethod
    def at(
        cls, evidence: JointEvidence, state: HandState, o: FitOptions, paths: tuple[JointPath, ...] = ()
    ) -> Guess:
        """What is known at a state."""
        joints = hand_joints(state.shape, state.angles, state.frame_from_hand)
        found = evidence(joints)
        for path in paths:
            path.add_to(found, joints)
        stray = (state.angles - usual_angles(o)) / o.angle_sigma
        odd = (state.shape - _usual_shape(o)) / _shape_sigma(o, len(state.angles))
        return cls(state, found, found.cost + 0.5 * float((stray**2).sum() + (odd**2).sum()))


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
    def of(cls, guess: Guess, o: FitOptions, paths: tuple[JointPath, ...] = ()) -> System:
        """The system at a state of which evidence has spoken."""
        state = guess.state
        found = hand_derivatives(state.shape, state.angles, state.frame_from_hand)
        frames, own = len(state.angles), len(ANGLE_NAMES) + PLACE.stop - PLACE.start
        out = cls(
            state,
            guess.cost,
            np.zeros((frames, own)),
            np.zeros((1 + REACH if paths else 1, frames, own, own)),
            np.zeros((frames, own, len(state.shape))),
            np.zeros(len(state.shape)),
            np.zeros((len(state.shape), len(state.shape))),
        )
        gradient, curvature = _chained(guess.joints, found)
        out._take_gradient(gradient)
        _spread(curvature, out.blocks[0])
        mixed = curvature[:, :, :_OWN, SHAPE].copy()
        shared = curvature[:, :, SHAPE, SHAPE].sum(0)
        for apart in range(1, len(out.blocks)):
            joined = [path.between(found.by_finger, apart) for path in paths]
            total = sum(part for part in joined if part is not None)
            if not isinstance(total, int):
                _spread(total, out.blocks[apart][:-apart])
                mixed[:-apart] += total[:, :, :_OWN, SHAPE]
                mixed[apart:] += np.swapaxes(total[:, :, SHAPE, :_OWN], -1, -2)
                both = total[:, :, SHAPE, SHAPE].sum(0)
                shared += both + np.swapaxes(both, -1, -2)
        out._take_shared(mixed, shared)
        if guess.joints.palm is not None:
            out._take_palm(guess.joints.palm, found)
        out._take_usual(o)
        return out

    def _take_gradient(self, gradient: Array) -> None:
        """Take in gradients (T, 5, COLUMNS) of the fingers."""
        summed = gradient[:, :, SHAPE].sum(0)
        for finger, own in enumerate(ANGLES_OF_FINGER):
            self.own_gradient[:, own] += gradient[:, finger, : own.stop - own.start]
            self.shape_gradient[np.r_[shape_of_finger(finger)]] += summed[finger]
        self.own_gradient[:, len(ANGLE_NAMES) :] += gradient[:, :, PLACE].sum(1)

    def _take_shared(self, mixed: Array, curvature: Array) -> None:
        """Take in what fingers say of the shape: with a frame's own (T, 5, OWN, 7), and alone (5, 7, 7)."""
        angles = len(ANGLE_NAMES)
        for finger, own in enumerate(ANGLES_OF_FINGER):
            shape = np.r_[shape_of_finger(finger)]
            self.shape_curvature[np.ix_(shape, shape)] += curvature[finger]
            begin = 0
            for part in shape_of_finger(finger):
                end = begin + part.stop - part.start
                self.mixed[:, own, part] += mixed[:, finger, : own.stop - own.start, begin:end]
                self.mixed[:, angles:, part] += mixed[:, finger, PLACE, begin:end]
                begin = end

    def _take_palm(self, curvature: Array, found: JointDerivatives) -> None:
        """Take in the curvature (T, 3, 3) of the middle of the palm, whose gradient is that of its joints."""
        share = 1.0 / len(PALM_MEAN)
        own, angles = self.own_gradient.shape[1], len(ANGLE_NAMES)
        by = np.zeros((len(curvature), 3, own + len(self.shape_gradient)))
        by[..., angles:own] = share * found.by_finger[:, 0, 0, :, PLACE]
        for joint in PALM_MEAN[1:]:
            finger = (joint - 1) // 4
            part = share * found.by_finger[:, finger, 1]
            by[..., angles:own] += part[..., PLACE]
            by[..., own + np.r_[shape_of_finger(finger)]] += part[..., SHAPE]
        by = by[..., angles:]  # the palm does not bend
        joined = np.swapaxes(by, 1, 2) @ (curvature @ by)
        place = own - angles
        self.blocks[0][:, angles:, angles:] += joined[:, :place, :place]
        self.mixed[:, angles:] += joined[:, :place, place:]
        self.shape_curvature[...] += joined[:, place:, place:].sum(0)

    def _take_usual(self, o: FitOptions) -> None:
        """Take in what is usual for a hand."""
        count, sigma = len(ANGLE_NAMES), _shape_sigma(o, len(self.state.angles))
        self.own_gradient[:, :count] += (self.state.angles - usual_angles(o)) / o.angle_sigma**2
        angle, shape = np.arange(count), np.arange(len(sigma))
        self.blocks[0][:, angle, angle] += o.angle_sigma**-2
        self.shape_gradient[...] += (self.state.shape - _usual_shape(o)) / sigma**2
        self.shape_curvature[shape, shape] += sigma**-2

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
        curvature = self.shape_curvature * (1 + damping * np.eye(len(self.shape_gradient)))
        own, shape = solve_bordered(blocks, mixed, curvature, gradient, self.shape_gradient)
        return HandState(
            s.shape - shape,
            np.clip(s.angles - own[:, :count], low, high),
            s.frame_from_hand @ se3_exp(-own[:, count:]),
        )

    def _free_blocks(self, held: NDArray[np.bool_]) -> Array:
        """The curvature with rows and columns of held unknowns (T, 27) left out."""
        out, frames = self.blocks.copy(), len(held)
        for k in range(min(len(self.blocks), frames)):
            at = np.flatnonzero(held[: frames - k].any(1) | held[k:].any(1))
            out[k, at] = np.where(held[at, :, None] | held[at + k, None, :], 0.0, out[k, at])
        return out


def usual_angles(o: FitOptions) -> Array:
    """(21,) radians that decide what the evidence leaves open."""
    return np.array(
        [o.usual if n.endswith("flexion") and not n.startswith("thumb") else 0.0 for n in ANGLE_NAMES]
    )


def _chained(about: JointQuadratic, found: JointDerivatives) -> tuple[Array, Array]:
    """Gradients (T, 5, COLUMNS) and curvatures (T, 5, COLUMNS, COLUMNS) of the fingers, of what is known of joints."""
    frames, fingers, points = found.by_finger.shape[:3]
    by = found.by_finger.reshape(frames, fingers, points * 3, COLUMNS)
    inner = np.zeros((frames, fingers, points, 3, points, 3))
    own, bones = by_finger(about.own), about.bones.reshape(frames, fingers, points - 1, 3, 3)
    for k in range(points):
        inner[:, :, k, :, k] = own[:, :, k]
    for k in range(1, points):
        inner[:, :, k, :, k - 1] = bones[:, :, k - 1]
        inner[:, :, k - 1, :, k] = np.swapaxes(bones[:, :, k - 1], -1, -2)
    turned = np.swapaxes(by, -1, -2)
    curvature = turned @ (inner.reshape(frames, fingers, points * 3, points * 3) @ by)
    gradient = turned @ by_finger(about.gradient).reshape(frames, fingers, points * 3, 1)
    return gradient[..., 0], curvature


def _spread(curvature: Array, own: Array) -> None:
    """Add curvatures (T, 5, COLUMNS, COLUMNS) of the fingers to those of a frame's own (T, 27, 27)."""
    angles = len(ANGLE_NAMES)
    for finger, of in enumerate(ANGLES_OF_FINGER):
        part, count = curvature[:, finger], of.stop - of.start
        own[:, of, of] += part[:, :count, :count]
        own[:, of, angles:] += part[:, :count, PLACE]
        own[:, angles:, of] += part[:, PLACE, :count]
    own[:, angles:, angles:] += curvature[:, :, PLACE, PLACE].sum(1)


def _usual_shape(o: FitOptions) -> Array:
    if o.shape is not None:
        return np.array(o.shape)
    out = np.zeros(len(SHAPE_NAMES))
    out[0] = o.log_scale
    return out


def _shape_sigma(o: FitOptions, frames: int) -> Array:
    if o.shape is not None:
        return np.full(len(o.shape), o.known)
    lengths = len(FACTOR_NAMES) - 1
    bases = len(SHAPE_NAMES) - len(FACTOR_NAMES)
    sigma = np.array([o.scale_sigma] + [o.length_sigma] * lengths + [o.base_sigma] * bases)
    # Errors of one hand are alike in all frames: many frames are no more proof.
    out: Array = sigma / np.sqrt(min(frames, o.alike))
    return out
