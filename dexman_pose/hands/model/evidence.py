"""What a picture says of the joints of a hand, as residuals and what these say to second order.

Each term is a :class:`~dexman_pose.hands.model.system.JointEvidence`; :class:`Together` makes one of several. Outliers
are let go of inside the residuals: a residual of ``r`` standard deviations counts ``r / sqrt(1 + (r / reach)**2)``, the
square of which is the cost of Geman and McClure. Points that are compared in two or three coordinates count as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.hands.model.quadratic import JointQuadratic
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

    def residuals(self, joints: Array) -> Array:
        """The residuals of all terms, one after the other."""
        return np.concatenate([term.residuals(joints) for term in self.terms], 1)

    def __call__(self, joints: Array) -> JointQuadratic:
        """The sum of all terms."""
        out = JointQuadratic.none(len(joints))
        for term in self.terms:
            out.add(term(joints))
        return out


@dataclass(frozen=True)
class Mirrored:
    """Evidence about a left hand, asked about its mirror image."""

    term: JointEvidence

    def residuals(self, joints: Array) -> Array:
        """Residuals of the left hand."""
        return self.term.residuals(joints * MIRROR)

    def __call__(self, joints: Array) -> JointQuadratic:
        """Of the left hand, by the joints of the right one."""
        return self.term(joints * MIRROR).mirrored(MIRROR)


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

    def residuals(self, joints: Array) -> Array:
        """(T, 42), over their standard deviations."""
        seen, _ = self._seen(joints)
        return kept_short((seen - self.rays) / self.sigma[..., None], self.reach)[0].reshape(len(joints), 42)

    def __call__(self, joints: Array) -> JointQuadratic:
        """What landmarks say of the joints."""
        seen, z = self._seen(joints)
        scale = 1.0 / self.sigma[..., None]
        value, change = kept_short((seen - self.rays) * scale, self.reach)
        part = np.empty((*value.shape, 3))
        part[..., :2] = change * (scale / z[..., None])[..., None]
        part[..., 2] = -(part[..., :2] @ seen[..., None])[..., 0]
        turned = np.swapaxes(part, -1, -2)
        curvature = turned @ part
        out = JointQuadratic.none(len(joints))
        out.cost = 0.5 * float((value**2).sum())
        out.gradient = MARKS.T @ (turned @ value[..., None])[..., 0]
        knuckles, bones = list(KNUCKLES), [joint - 1 for joint in KNUCKLES]
        whole = 1.0 - KNUCKLE_MARK
        out.own[:, 0] = KNUCKLE_MARK**2 * curvature[:, knuckles].sum(1)
        curvature[:, knuckles] *= whole
        out.bones[:, bones] = KNUCKLE_MARK * curvature[:, knuckles]
        curvature[:, knuckles] *= whole
        out.own += curvature
        return out

    def _seen(self, joints: Array) -> tuple[Array, Array]:
        """Where the marks are seen (T, 21, 2), and how far they are (T, 21)."""
        marks = MARKS @ joints
        z = np.maximum(marks[..., 2], _NEAREST)
        return marks[..., :2] / z[..., None], z


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

    def residuals(self, joints: Array) -> Array:
        """(T, 60), over their standard deviations."""
        return kept_short(self._off(joints), self.reach)[0].reshape(len(joints), 60)

    def __call__(self, joints: Array) -> JointQuadratic:
        """What the guess says of the joints."""
        value, change = kept_short(self._off(joints), self.reach)
        change = change / self.sigma[..., None, None]  # symmetric
        curvature = change @ change
        out = JointQuadratic.none(len(joints))
        out.cost = 0.5 * float((value**2).sum())
        out.gradient = bone_ends((change @ value[..., None])[..., 0])
        out.own[:, 1:] = curvature
        out.add_to_parents(curvature)
        out.bones = -curvature
        return out

    def _off(self, joints: Array) -> Array:
        parents = np.array(JOINT_PARENTS[1:])
        off: Array = (joints[:, 1:] - joints[:, parents] - self.vectors) / self.sigma[..., None]
        return off


@dataclass(frozen=True)
class LikelyDistance:
    """The wrist is about so far away.

    Attributes:
        log_depth: (T,) natural logarithm of its z in metres.
        sigma: (T,) standard deviation of that, infinite where nothing is known.
    """

    log_depth: Array
    sigma: Array

    def residuals(self, joints: Array) -> Array:
        """(T, 1), over their standard deviations."""
        z = np.maximum(joints[:, 0, 2], _NEAREST)
        off: Array = ((np.log(z) - self.log_depth) / self.sigma)[:, None]
        return off

    def __call__(self, joints: Array) -> JointQuadratic:
        """What is known of the wrist."""
        off = self.residuals(joints)[:, 0]
        slope = 1.0 / (np.maximum(joints[:, 0, 2], _NEAREST) * self.sigma)
        out = JointQuadratic.none(len(joints))
        out.cost = 0.5 * float(off @ off)
        out.gradient[:, 0, 2] = slope * off
        out.own[:, 0, 2, 2] = slope**2
        return out


def bone_ends(along: Array) -> Array:
    """Gradients (T, 21, 3) by joints, of those (T, 20, 3) by the vectors from their parents to them."""
    out = np.zeros((len(along), 21, 3))
    out[:, 1:] = along
    fingers = along.reshape(len(along), 5, 4, 3)
    out[:, 1:].reshape(fingers.shape)[:, :, :-1] -= fingers[:, :, 1:]
    out[:, 0] -= fingers[:, :, 0].sum(1)
    return out


def kept_short(residual: Array, reach: float) -> tuple[Array, Array]:
    """Vectors (..., D) made no longer than ``reach``, and the derivative (..., D, D) of that."""
    square = np.einsum("...i,...i", residual, residual)[..., None]
    root = np.sqrt(1.0 + square / reach**2)
    turned = residual[..., :, None] * (residual / (-(reach**2) * root**3))[..., None, :]
    axes = np.arange(residual.shape[-1])
    turned[..., axes, axes] += 1.0 / root
    return residual / root, turned
