"""How an object moves over a clip: accelerations of its centre and of its rotation, as a robust smoothness term.

Position: the second difference of the centre in the camera frame. Rotation: the difference of the two angular
velocities ``log(R[t+1] R[t]') / h`` before and after a frame, in camera axes, so that a steady turn about a fixed axis
costs nothing. Both are divided by the frame times, which may be uneven.

Where the scene's size is an unknown, accelerations are measured in units that grow with it. Fixed metres would make a
smaller, nearer object look smoother, and whatever else holds its size would be pulled down by every single frame.

Derivatives of the logarithm: Sola, Deray and
Atchuthan, "A micro Lie theory for state estimation in robotics" (2018), eq. 144 and 146.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.geometry import hat, so3_log
from dexman_pose.optimize.arrow_system import ArrowSystem

Kernel = Literal["huber", "geman-mcclure", "quadratic"]

_SMALL = 1e-2  # radians: below, the closed form loses digits and its series is exact to the last one
_SERIES = (1.0 / 12.0, 1.0 / 720.0, 1.0 / 30240.0)  # of (1 - t/2 cot(t/2)) / t^2 in t^2


def robust(square: Array, kernel: Kernel, reach: Array | float) -> tuple[Array, Array]:
    """Robust cost and its derivative (the weight) of squared residuals (N,) in units of sigma.

    All three equal the square near zero. Beyond ``reach`` sigmas Huber's grows linearly, that of Geman and McClure
    levels off at ``reach**2``; one number, or (N,).
    """
    if kernel == "quadratic":
        return square, np.ones_like(square)
    bound = reach * reach
    if kernel == "geman-mcclure":
        weight = bound / (bound + square)
        return square * weight, weight * weight
    root = np.sqrt(np.maximum(square, bound))
    return np.where(square <= bound, square, 2.0 * reach * root - bound), reach / root


@dataclass(frozen=True)
class Triples:
    """Frames with a neighbour on either side, in which an acceleration can be measured.

    Attributes:
        middle: (M,) index of the middle frame; its neighbours are one before and one after.
        before: (M,) seconds from the frame before.
        after: (M,) seconds to the frame after.
    """

    middle: NDArray[np.intp]
    before: Array
    after: Array

    @classmethod
    def of(cls, times: Array, stretch: NDArray[np.intp]) -> Triples:
        """The triples of frames at ``times`` (N,) that share a number in ``stretch`` (N,)."""
        middle = np.nonzero((stretch[1:-1] == stretch[:-2]) & (stretch[1:-1] == stretch[2:]))[0] + 1
        return cls(middle, times[middle] - times[middle - 1], times[middle + 1] - times[middle])


def accelerations(rotations: Array, centers: Array, triples: Triples) -> tuple[Array, Array]:
    """Accelerations (M, 3) in m/s^2 of the centre and (M, 3) in rad/s^2 of the rotation, camera axes.

    Args:
        rotations: (N, 3, 3) camera_from_object.
        centers: (N, 3) the object's centre in the camera frame, metres.
        triples: where to measure.
    """
    m, before, after = triples.middle, triples.before[:, None], triples.after[:, None]
    half = 0.5 * (before + after)
    linear = ((centers[m + 1] - centers[m]) / after - (centers[m] - centers[m - 1]) / before) / half
    first, second = _turns(rotations, m)
    return linear, (second / after - first / before) / half


def _turns(rotations: Array, middle: NDArray[np.intp]) -> tuple[Array, Array]:
    """Rotation vectors (M, 3) of the steps into and out of each middle frame, camera axes."""
    transposed = np.swapaxes(rotations, -1, -2)
    step = so3_log(rotations[1:] @ transposed[:-1])
    return step[middle - 1], step[middle]


def left_jacobian_inverse(turn: Array) -> Array:
    """(..., 3, 3) derivative of ``log(exp(w) exp(turn))`` by ``w`` at 0, for rotation vectors (..., 3) up to pi.

    Its transpose is minus the derivative of ``log(exp(turn) exp(-w))``.
    """
    square = np.sum(turn * turn, -1)
    angle = np.sqrt(square)
    small = angle < _SMALL
    safe = np.where(small, 1.0, angle)
    half = 0.5 * safe
    # 1/t^2 - (1 + cos t)/(2 t sin t), the second part as cot(t/2)/(2 t): nothing vanishes at pi.
    closed = (1.0 - half * np.cos(half) / np.sin(half)) / (safe * safe)
    series = _SERIES[0] + _SERIES[1] * square + _SERIES[2] * square * square
    factor = np.where(small, series, closed)
    k = hat(turn)
    out: Array = np.eye(3) - 0.5 * k + factor[..., None, None] * (k @ k)
    return out


@dataclass(frozen=True)
class Smoothness:
    """The cost of accelerations: sum of robust ``|a|^2 / sigma^2`` over all triples, both kinds.

    Attributes:
        triples: where accelerations are measured.
        sigma: m/s^2 per axis.
        angular_sigma: rad/s^2 per axis.
        kernel: robust cost.
        reach: in sigmas.
        growth: (S, 3) by how much the scene grows along the camera's axes with each shared unknown: an acceleration is
            divided by ``exp((shared - reference) @ growth)``. All 1 for a log-scale.
        reference: (S,) shared unknowns at which ``sigma`` holds as it is.
    """

    triples: Triples
    sigma: float
    angular_sigma: float
    kernel: Kernel
    reach: float
    growth: Array
    reference: Array

    def cost(self, rotations: Array, centers: Array, shared: Array) -> Array:
        """(M,) cost of each triple, for rotations (N, 3, 3), centres (N, 3) and shared unknowns (S,)."""
        linear, angular = accelerations(rotations, centers, self.triples)
        total, _ = self._weigh(linear * self._units(shared))
        return total + self._weigh(angular / self.angular_sigma)[0]

    def add(self, system: ArrowSystem, rotations: Array, centers: Array, shared: Array) -> None:
        """Add half the cost's gradient and its Gauss-Newton matrix, by twists (v, w) on the left and by shared."""
        linear, angular = accelerations(rotations, centers, self.triples)
        m, before, after = self.triples.middle, self.triples.before, self.triples.after
        half, units = 0.5 * (before + after), self._units(shared)
        ratios = np.stack([1.0 / before, -(1.0 / before + 1.0 / after), 1.0 / after], -1) / half[:, None]
        scaled = linear * units
        by_shared = -scaled[:, :, None] * self.growth.T
        self._scatter(system, 0, scaled, ratios[..., None, None] * np.diag(units), by_shared)
        first, second = (left_jacobian_inverse(turn) for turn in _turns(rotations, m))
        into, out = 1.0 / (before * half)[:, None, None], 1.0 / (after * half)[:, None, None]
        middle = -into * first - out * np.swapaxes(second, -1, -2)
        jacobian = np.stack([into * np.swapaxes(first, -1, -2), middle, out * second], 1)
        nothing = np.zeros_like(by_shared)
        self._scatter(system, 3, angular / self.angular_sigma, jacobian / self.angular_sigma, nothing)

    def _units(self, shared: Array) -> Array:
        """(3,) what an acceleration along each camera axis is multiplied with, s^2/m."""
        return np.asarray(np.exp(-(shared - self.reference) @ self.growth) / self.sigma, np.float64)

    def _weigh(self, scaled: Array) -> tuple[Array, Array]:
        return robust(np.sum(scaled * scaled, -1), self.kernel, self.reach)

    def _scatter(
        self, system: ArrowSystem, start: int, residual: Array, jacobian: Array, by_shared: Array
    ) -> None:
        """Add residuals (M, 3) in sigmas to the rows ``start`` to ``start + 3`` of poses, and to shared unknowns.

        ``jacobian`` (M, 3 frames, 3, 3) is by the poses of each triple, ``by_shared`` (M, 3, S).
        """
        weight = self._weigh(residual)[1][:, None, None]
        transposed = weight[:, None] * np.swapaxes(jacobian, -1, -2)
        own, middle = slice(start, start + 3), self.triples.middle
        # Within one slot every middle frame is another one, so plain indexed addition adds all of them.
        for i in range(3):
            frame = middle + i - 1
            system.gradient[frame, own] += (transposed[:, i] @ residual[..., None])[..., 0]
            system.border[frame, own] += transposed[:, i] @ by_shared
            for k in range(i + 1):
                blocks = (system.diagonal, system.below1, system.below2)[i - k]
                blocks[middle + k - 1, own, own] += transposed[:, i] @ jacobian[:, k]
        shared = np.swapaxes(by_shared * weight, -1, -2)
        system.corner += (shared @ by_shared).sum(0)
        system.shared_gradient += (shared @ residual[..., None])[..., 0].sum(0)
