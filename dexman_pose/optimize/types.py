"""What goes into the solver of a whole clip and what comes out: evidence by frame, shared unknowns, options, solution.

Conventions, those of the rest of the room. A pose is moved by a twist (v, w) on its left: the object's centre by v
metres along the camera's axes, its rotation to ``exp(w) R`` about that centre, also in camera axes. Shared unknowns
deform the object about its centre, which stays: a point p of the object is at ``R (c + exp(s) (p - c)) + t``. Costs are
chi-squares, *without* a half: ``cost = sum rho(r^2 / sigma^2)``. Gradients and Hessians are those of ``cost / 2``, that
is ``J' W r`` and ``J' W J``, so that the inverse of a Hessian is a covariance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.optimize.smoothness import Kernel


@dataclass(frozen=True)
class FrameTerms:
    """The evidence of every frame, linearised at given poses; unknowns are (v, w, shared) in that order.

    Attributes:
        hessian: (T, 6 + S, 6 + S) Gauss-Newton matrix of half the cost.
        gradient: (T, 6 + S) of half the cost.
        cost: (T,) robust chi-square. Rows of frames without evidence are not read.
    """

    hessian: Array
    gradient: Array
    cost: Array


class FrameCosts(Protocol):
    """What a clip's evidence must be able to do."""

    def linearise(self, poses: Array, shared: Array) -> FrameTerms:
        """Terms of all frames at camera_from_object (T, 4, 4) and shared unknowns (S,)."""
        ...


@dataclass(frozen=True)
class SharedUnknowns:
    """Unknowns that hold for the whole clip, as logarithms of factors, with Gaussian priors.

    In this order: log-scales of the object about its centre (none, one, or one per axis of the object), then the log
    of the factor on the focal length, if that is unknown. Smoothness is measured in units that grow with both, so it
    says nothing about them: without depth, nothing but the prior holds an object's size.

    Attributes:
        start: (S,) values to start from.
        sigma: (S,) standard deviation of the prior, ``inf`` for none.
        log_scales: how many of them are log-scales: 0, 1 or 3.
        mean: (S,) the prior's mean; ``start`` when None.

    Raises:
        InputError: shapes do not fit, a sigma is not positive, a value is not finite.
    """

    start: Array
    sigma: Array
    log_scales: int
    mean: Array | None = None

    def __post_init__(self) -> None:
        start, sigma = np.asarray(self.start, np.float64), np.asarray(self.sigma, np.float64)
        mean = start if self.mean is None else np.asarray(self.mean, np.float64)
        if (
            start.ndim != 1
            or start.shape != sigma.shape
            or start.shape != mean.shape
            or not np.all(sigma > 0)
        ):
            raise InputError(
                "SharedUnknowns needs start, positive sigma and mean of one shape (S,), "
                f"but got {start}, {sigma} and {mean}"
            )
        if not (np.isfinite(start).all() and np.isfinite(mean).all()):
            raise InputError(f"SharedUnknowns needs finite start and mean, but got {start} and {mean}")
        if self.log_scales not in (0, 1, 3) or len(start) - self.log_scales not in (0, 1):
            raise InputError(
                "SharedUnknowns are 0, 1 or 3 log-scales and perhaps one log-focal, "
                f"but got {len(start)} values of which {self.log_scales} log-scales"
            )
        for name, value in (("start", start), ("sigma", sigma), ("mean", mean)):
            object.__setattr__(self, name, value)

    @classmethod
    def none(cls) -> SharedUnknowns:
        """No shared unknowns at all."""
        return cls(np.zeros(0), np.zeros(0), 0)

    @property
    def prior_mean(self) -> Array:
        """(S,) the prior's mean."""
        return np.asarray(self.start if self.mean is None else self.mean, np.float64)

    @property
    def growth(self) -> Array:
        """(S, 3) how the scene grows along the camera's axes: with the object all ways, with the focal in z."""
        out = np.zeros((len(self.start), 3))
        out[: self.log_scales] = 1.0 / max(self.log_scales, 1)
        out[self.log_scales :, 2] = 1.0
        return out


@dataclass(frozen=True)
class DampingOptions:
    """How the damping of Levenberg and Marquardt moves from step to step; the usual ratios (Madsen, Nielsen, Tingleff,
    "Methods for non-linear least squares problems", 2004, section 3.2), per frame.

    Attributes:
        start: relative to the matrix' diagonal.
        fall: factor after a step that was taken, in frames it made no worse.
        rise: factor after a step that was refused ...
        rise_worse: ... and in the frames that it made worse, so that one bad frame slows no other.
        least: damping falls no further.
        free: steps with a median damping below this are as good as undamped; only their promise tells convergence.
        refusals: this many steps refused in a row end the descent: the damping has grown a thousand times by then.
        repairs: how often a matrix that cannot be factored is damped more before the evidence is called wrong ...
        repair: ... by this factor ...
        repair_least: ... and this much.
    """

    start: float = 1e-3
    fall: float = 0.2
    rise: float = 3.0
    rise_worse: float = 10.0
    least: float = 1e-7
    free: float = 1.0
    refusals: int = 8
    repairs: int = 12
    repair: float = 10.0
    repair_least: float = 1e-6


@dataclass(frozen=True)
class ClipOptions:
    """Smoothness and limits of the solver.

    The defaults suit hands: in measured grasps of household objects at 30 frames a second the centre's acceleration is
    mostly below 1 m/s^2 and exceeds 6 in about one frame of fifty; the rotation's mostly below 15 rad/s^2, rarely 60.

    Attributes:
        acceleration_sigma: standard deviation per axis of the centre's acceleration, m/s^2.
        angular_acceleration_sigma: the same of the rotation, rad/s^2.
        kernel: ``huber`` (convex in position, pulls at any jitter), ``geman-mcclure`` (lets true jerks go free, needs a
            good start) or ``quadratic``.
        reach: accelerations beyond this many sigmas lose influence.
        max_gap: this many frames without evidence are bridged; longer gaps part the clip into stretches that are not
            tied together.
        iterations: at most this many evaluations of the evidence after the first; most clips take about ten.
        relative_tolerance: stop when an iteration gains less than this share of the cost ...
        tolerance: ... plus this much chi-square.
        frame_rate: frames a second where no frame times are given.
        damping: of the steps.
        mend: whether places where the track jumps are tried anew, bridged, which puts short flips right.
        mend_gap: up to so many frames between two jumps are tried bridged together; ``max_gap`` when None.
        covariance: whether to work out covariances at the end.
    """

    acceleration_sigma: float = 3.0
    angular_acceleration_sigma: float = 30.0
    kernel: Kernel = "huber"
    reach: float = 2.0
    max_gap: int = 15
    iterations: int = 60
    relative_tolerance: float = 1e-5
    tolerance: float = 1e-3
    frame_rate: float = 30.0
    damping: DampingOptions = field(default_factory=DampingOptions)
    mend: bool = True
    mend_gap: int | None = None
    covariance: bool = True

    def __post_init__(self) -> None:
        positive = ("acceleration_sigma", "angular_acceleration_sigma", "reach", "frame_rate")
        for name in positive:
            if not getattr(self, name) > 0:
                raise InputError(f"ClipOptions.{name} must be positive, but got {getattr(self, name)}")
        if self.kernel not in ("huber", "geman-mcclure", "quadratic"):
            raise InputError(
                f"ClipOptions.kernel must be 'huber', 'geman-mcclure' or 'quadratic', but got {self.kernel!r}"
            )
        if min(self.max_gap, self.iterations) < 0:
            raise InputError(
                "ClipOptions.max_gap and .iterations must not be negative, "
                f"but got {self.max_gap} and {self.iterations}"
            )


@dataclass(frozen=True)
class ClipSolution:
    """The outcome for one object.

    Attributes:
        poses: (T, 4, 4) camera_from_object; frames that are not ``solved`` are as they were given.
        shared: (S,) shared unknowns.
        solved: (T,) frames with evidence, and bridged gaps between them.
        cost_before: chi-square of evidence, smoothness and priors at the start (gaps already bridged).
        cost_after: the same at the end.
        frame_cost: (T,) the evidence's part at the end, 0 without evidence.
        covariance: (T, 6, 6) marginal of each twist (v, w), or None when not asked for; 0 where not ``solved``. About
            1e4 in directions that nothing measures.
        shared_covariance: (S, S), or None likewise.
        iterations: evaluations of the evidence after the first.
        converged: the last step gained next to nothing, or none could.
    """

    poses: Array
    shared: Array
    solved: NDArray[np.bool_]
    cost_before: float
    cost_after: float
    frame_cost: Array
    covariance: Array | None
    shared_covariance: Array | None
    iterations: int
    converged: bool
