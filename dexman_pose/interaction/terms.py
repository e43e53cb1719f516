"""What hands and objects say about each other, as residuals and to second order, and slip as a path."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import inverse
from dexman_pose.hands.model.paths import JointPath
from dexman_pose.hands.model.quadratic import JointQuadratic
from dexman_pose.interaction.probes import PALM, RADII, TIPS, TOUCHERS, WEIGHTS, probes
from dexman_pose.interaction.surface import Tangents

_PALM_JOINTS = (0, 5, 9, 13, 17)


@dataclass(frozen=True)
class NoPenetration:
    """Flesh is outside of an object.

    Attributes:
        near: the surface, at all probes.
        soft: metres that flesh gives way without resistance.
        sigma: (T,) metres more, standard deviation.
        radii: (42,) or (T, 42) metres from each probe to the skin.
    """

    near: Tangents
    soft: float
    sigma: Array
    radii: Array = field(default_factory=lambda: RADII)

    def residuals(self, joints: Array) -> Array:
        """(T, 42), over their standard deviations: 0 for probes whose flesh is outside, or hardly inside."""
        return self._off(joints)[0]

    def __call__(self, joints: Array) -> JointQuadratic:
        """What flesh inside of the object says of the joints."""
        value, inside = self._off(joints)
        slope = np.where(inside, 1.0 / self.sigma[:, None], 0.0)
        out = JointQuadratic.none(len(joints))
        out.cost = 0.5 * float((value**2).sum())
        out.gradient = WEIGHTS.T @ ((slope * value)[..., None] * self.near.normals)
        curvature = _along(slope, self.near.normals)
        out.own += curvature[:, :21]
        halves = 0.25 * curvature[:, 21:PALM]
        out.own[:, 1:] += halves
        out.add_to_parents(halves)
        out.bones += halves
        out.palm = curvature[:, PALM]
        return out

    def _off(self, joints: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Residuals (T, 42), and which probes count."""
        gap = self.near.at(probes(joints)) - self.radii + self.soft
        inside = (gap < 0) & self.near.valid[:, None]
        return np.where(inside, gap, 0.0) / self.sigma[:, None], inside


@dataclass(frozen=True)
class ClosedContacts:
    """Finger tips and the palm of a hand that grips lie on the surface.

    Attributes:
        near: the surface, at all probes.
        touching: (T, 6) which of ``TOUCHERS`` touch.
        sigma: (T,) metres, error of a gap.
        reach: standard deviations at which a gap is let go of.
    """

    near: Tangents
    touching: NDArray[np.bool_]
    sigma: Array
    reach: float

    def residuals(self, joints: Array) -> Array:
        """(T, 6), over their standard deviations: 0 for those that do not touch."""
        return self._off(joints)[0]

    def __call__(self, joints: Array) -> JointQuadratic:
        """What open and overlapping contacts say of the joints."""
        value, slope = self._off(joints)
        normals = self.near.normals[:, list(TOUCHERS)]
        out = JointQuadratic.none(len(joints))
        out.cost = 0.5 * float((value**2).sum())
        out.gradient = WEIGHTS[list(TOUCHERS)].T @ ((slope * value)[..., None] * normals)
        curvature = _along(slope, normals)
        out.own[:, list(TIPS)] = curvature[:, : len(TIPS)]
        out.palm = curvature[:, TOUCHERS.index(PALM)]
        return out

    def _off(self, joints: Array) -> tuple[Array, Array]:
        """Residuals (T, 6), and their slopes along the normals."""
        points = WEIGHTS[list(TOUCHERS)] @ joints
        near = self.near.only(TOUCHERS)
        gap = (near.at(points) - RADII[list(TOUCHERS)]) / self.sigma[:, None]
        counts = self.touching & near.valid[:, None]
        root = np.sqrt(1.0 + (gap / self.reach) ** 2)
        slope = np.where(counts, 1.0 / (self.sigma[:, None] * root**3), 0.0)
        return np.where(counts, gap / root, 0.0), slope


def _along(slope: Array, normals: Array) -> Array:
    """(T, N, 3, 3) curvatures of residuals that change by slopes (T, N) along normals (T, N, 3)."""
    each = slope[..., None] * normals
    out: Array = each[..., :, None] * each[..., None, :]
    return out


def no_slip(
    camera_from_object: Array,
    together: NDArray[np.bool_],
    touching: NDArray[np.bool_],
    slip: Array,
    bend: Array,
    moved: Array | None = None,
) -> JointPath:
    """A hand that grips stays where it is on the object.

    Args:
        camera_from_object: (T, 4, 4).
        together: (T - 1,) pairs of neighbouring frames in both of which the hand grips.
        touching: (T, 6) which of ``TOUCHERS`` touch.
        slip: (T,) metres per frame of those.
        bend: (T,) metres per frame of the other joints.
        moved: (T, 21) metres per frame by which joints plainly move on it all the same; None for none.
    """
    first = np.flatnonzero(together)
    loose = 1.0 / np.maximum(bend[first], bend[first + 1])[:, None]
    tight = 1.0 / np.maximum(slip[first], slip[first + 1])[:, None]
    weight = np.tile(loose, (1, 21))
    both = touching[first] & touching[first + 1]
    weight[:, list(TIPS)] = np.where(both[:, : len(TIPS)], tight, loose)
    palm = both[:, TOUCHERS.index(PALM)]
    weight[:, list(_PALM_JOINTS)] = np.where(palm[:, None], tight, loose)
    if moved is not None:
        weight = 1.0 / np.hypot(1.0 / weight, np.maximum(moved[first], moved[first + 1]))
    return JointPath(inverse(camera_from_object), first, (-1.0, 1.0), weight)


def steady(together: NDArray[np.bool_], sigma: float) -> JointPath:
    """Joints move without sudden changes in the camera frame.

    Args:
        together: (T - 1,) pairs of frames that follow on each other.
        sigma: metres, second difference of a joint.
    """
    first = np.flatnonzero(together[:-1] & together[1:])
    still = np.tile(np.eye(4), (len(together) + 1, 1, 1))
    return JointPath(still, first, (1.0, -2.0, 1.0), np.full((len(first), 21), 1.0 / sigma))
