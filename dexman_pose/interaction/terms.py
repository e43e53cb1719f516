"""What hands and objects say about each other, as residuals with analytic derivatives, and slip as a path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import inverse
from dexman_pose.hands.model.paths import JointPath
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
    """

    near: Tangents
    soft: float
    sigma: Array

    def __call__(self, joints: Array) -> tuple[Array, Array]:
        """Residuals (T, 42): 0 for probes whose flesh is outside, or hardly inside."""
        gap = self.near.at(probes(joints)) - RADII + self.soft
        inside = (gap < 0) & self.near.valid[:, None]
        value = np.where(inside, gap, 0.0) / self.sigma[:, None]
        slope = np.where(inside, 1.0 / self.sigma[:, None], 0.0)[..., None] * self.near.normals
        return value, WEIGHTS[None, :, :, None] * slope[:, :, None, :]


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

    def __call__(self, joints: Array) -> tuple[Array, Array]:
        """Residuals (T, 6): 0 for those that do not touch."""
        which = list(TOUCHERS)
        gap = (self.near.at(probes(joints)) - RADII)[:, which] / self.sigma[:, None]
        counts = self.touching & self.near.valid[:, None]
        root = np.sqrt(1.0 + (gap / self.reach) ** 2)
        slope = (
            np.where(counts, 1.0 / (self.sigma[:, None] * root**3), 0.0)[..., None]
            * self.near.normals[:, which]
        )
        return np.where(counts, gap / root, 0.0), WEIGHTS[None, which, :, None] * slope[:, :, None, :]


def no_slip(
    camera_from_object: Array,
    together: NDArray[np.bool_],
    touching: NDArray[np.bool_],
    slip: Array,
    bend: Array,
) -> JointPath:
    """A hand that grips stays where it is on the object.

    Args:
        camera_from_object: (T, 4, 4).
        together: (T - 1,) pairs of neighbouring frames in both of which the hand grips.
        touching: (T, 6) which of ``TOUCHERS`` touch.
        slip: (T,) metres per frame of those.
        bend: (T,) metres per frame of the other joints.
    """
    first = np.flatnonzero(together)
    loose = 1.0 / np.maximum(bend[first], bend[first + 1])[:, None]
    tight = 1.0 / np.maximum(slip[first], slip[first + 1])[:, None]
    weight = np.tile(loose, (1, 21))
    both = touching[first] & touching[first + 1]
    weight[:, list(TIPS)] = np.where(both[:, : len(TIPS)], tight, loose)
    palm = both[:, TOUCHERS.index(PALM)]
    weight[:, list(_PALM_JOINTS)] = np.where(palm[:, None], tight, loose)
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
