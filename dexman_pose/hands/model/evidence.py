"""What a picture says of the joints of a hand, as residuals with analytic derivatives.

Each term is a :class:`~dexman_pose.hands.model.system.JointEvidence`; :class:`Together` makes one of several. Outliers
are let go of inside the residuals: a residual of ``r`` standard deviations counts ``r / sqrt(1 + (r / reach)**2)``, the
square of which is the cost of Geman and McClure. Points that are compared in two or three coordinates count as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.hands.model.system import JointEvidence

MIRROR = np.array([-1.0, 1.0, 1.0])
"""Of points in camera axes: a left hand in this mirror is a right one."""
KNUCKLES: tuple[int, ...] = (5, 9, 13, 17)
KNUCKLE_MARK = 0.07
"""Share of the way from a knuckle to the wrist at which the landmark network marks it.

In the clips that ``AVERAGE_LENGTHS`` of :mod:`dexman_pose.hands.lifting.bones` comes from, palms are seen this much
shorter than anatomy and our model have them.
"""


def _marks() -> Array:
    out = np.eye(21)
    for joint in KNUCKLES:
        out[joint, [joint, 0]] = 1.0 - KNUCKLE_MARK, KNUCKLE_MARK
    return out


MARKS: Array = _marks()
"""(21, 21) the points that the landmark network marks, as means of joints."""
_NEAREST = 1e-2  # metres before the camera, where a projection has no meaning any more


@dataclass(frozen=True)
class Together:
    """Several terms as one."""

    terms: tuple[JointEvidence, ...]

    def __call__(self, joints: Array) -> tuple[Array, Array]:
        """The residuals of all terms, one after the other."""
        found = [term(joints) for term in self.terms]
        return np.concatenate([r for r, _ in found], 1), np.concatenate([d for _, d in found], 1)


@dataclass(frozen=True)
class Mirrored:
    """Evidence about a left hand, asked about its mirror image."""

    term: JointEvidence

    def __call__(self, joints: Array) -> tuple[Array, Array]:
        """Residuals of the left hand; derivatives by the right one."""
        residual, derivative = self.term(joints * MIRROR)
        return residual, derivative * MIRROR


@dataclass(frozen=True)
class Reprojection:
    """Joints are seen where a detector saw them, knuckles by its marks.

    Attributes:
        rays: (T, 21, 2) x/z and y/z of the joints as seen.
        sigma: (T, 21) their standard deviations.
        reach: standard deviations at which a joint is let go of.
    """

    rays: Array
    sigma: Array
    reach: float = 3.0

    def __call__(self, joints: Array) -> tuple[Array, Array]:
        """Residuals (T, 42)."""
        frames, marks = len(joints), MARKS @ joints
        z = np.maximum(marks[..., 2], _NEAREST)
        seen = marks[..., :2] / z[..., None]
        by_point = np.zeros((frames, 21, 2, 3))
        by_point[..., 0, 0] = by_point[..., 1, 1] = 1.0 / z
        by_point[..., 2] = -seen / z[..., None]
        scale = 1.0 / self.sigma[..., None]
        value, change = kept_short((seen - self.rays) * scale, self.reach)
        part = change @ (by_point * scale[..., None])
        derivative = MARKS[None, :, None, :, None] * part[:, :, :, None]
        return value.reshape(frames, 42), derivative.reshape(frames, 42, 21, 3)


@dataclass(frozen=True)
class BoneDirections:
    """Bones point where a detector guesses they do.

    Attributes:
        vectors: (T, 20, 3) metres from each joint's parent to the joint as guessed, camera axes.
        sigma: (T, 20) metres, error of the guess across a bone; infinite where there is none.
        reach: standard deviations at which a bone's guess is let go of.
    """

    vectors: Array
    sigma: Array
    reach: float = 3.0

    def __call__(self, joints: Array) -> tuple[Array, Array]:
        """Residuals (T, 60)."""
        frames, parents = len(joints), np.array(JOINT_PARENTS[1:])
        scale = 1.0 / self.sigma[..., None]
        off = (joints[:, 1:] - joints[:, parents] - self.vectors) * scale
        value, change = kept_short(off, self.reach)
        change = change * scale[..., None]
        derivative = np.zeros((frames, 20, 3, 21, 3))
        bone = np.arange(20)
        derivative[:, bone, :, bone + 1] = np.moveaxis(change, 1, 0)
        derivative[:, bone, :, parents] -= np.moveaxis(change, 1, 0)
        return value.reshape(frames, 60), derivative.reshape(frames, 60, 21, 3)


@dataclass(frozen=True)
class LikelyDistance:
    """The wrist is about so far away.

    Attributes:
        log_depth: (T,) natural logarithm of its z in metres.
        sigma: (T,) standard deviation of that, infinite where nothing is known.
    """

    log_depth: Array
    sigma: Array

    def __call__(self, joints: Array) -> tuple[Array, Array]:
        """Residuals (T, 1)."""
        z = np.maximum(joints[:, 0, 2], _NEAREST)
        derivative = np.zeros((len(joints), 1, 21, 3))
        derivative[:, 0, 0, 2] = 1.0 / (z * self.sigma)
        return ((np.log(z) - self.log_depth) / self.sigma)[:, None], derivative


def kept_short(residual: Array, reach: float) -> tuple[Array, Array]:
    """Vectors (..., D) made no longer than ``reach``, and the derivative (..., D, D) of that."""
    square = np.sum(residual**2, -1)[..., None]
    root = np.sqrt(1.0 + square / reach**2)
    outer = residual[..., :, None] * residual[..., None, :]
    turned = np.eye(residual.shape[-1]) / root[..., None] - outer / (reach**2 * root**3)[..., None]
    return residual / root, turned
