"""Evidence from poses measured frame by frame, each with its own uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError
from dexman_pose.geometry import so3_log
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.optimize.smoothness import left_jacobian_inverse, robust
from dexman_pose.optimize.types import FrameTerms

_FINEST = 1e-10
"""Least variance of a measurement along any direction, m^2 or rad^2: a hundredth of a millimetre, of a milliradian.

Nothing that is seen by a camera is known better; it keeps the inverse of a covariance finite."""


@dataclass(frozen=True)
class PoseMeasurements:
    """Per-frame poses as measurements with independent errors, robust after Geman and McClure (1987).

    Alone they are the evidence of a track that was refined frame by frame already: nothing is rendered again. Beside
    rendered evidence they speak where outlines do not: the spin of a bottle, the distance of something small.

    Attributes:
        poses: (T, 4, 4) camera_from_object.
        information: (T, 6, 6) inverse covariances of twists (v, w) about ``center``, camera axes, metres and radians.
        center: (3,) the object's centre in its own frame, as given to ``solve_clip``.
        reach: poses further off than this many standard deviations lose influence; one number, or (T,) by frame.

    Raises:
        InputError: shapes do not fit.
    """

    poses: Array
    information: Array
    center: Array
    reach: Array | float = 4.0

    def __post_init__(self) -> None:
        count = len(self.poses)
        if np.shape(self.information) != (count, POSE_SIZE, POSE_SIZE):
            raise InputError(
                f"PoseMeasurements needs an information matrix for each of {count} poses, shape "
                f"({count}, {POSE_SIZE}, {POSE_SIZE}), but got {np.shape(self.information)}"
            )

    @classmethod
    def with_sigmas(
        cls, poses: Array, center: Array, translation_sigma: float, rotation_sigma: float
    ) -> PoseMeasurements:
        """Measurements that are all as good: standard deviations in metres and radians, along every axis."""
        one = np.diag(np.repeat([translation_sigma**-2.0, rotation_sigma**-2.0], 3))
        return cls(poses, np.broadcast_to(one, (len(poses), *one.shape)), center)

    @classmethod
    def with_covariances(
        cls, poses: Array, center: Array, covariance: Array, reach: Array | float
    ) -> PoseMeasurements:
        """Measurements with covariances (T, 6, 6) of twists (v, w)."""
        values, vectors = np.linalg.eigh(0.5 * (covariance + np.swapaxes(covariance, -1, -2)))
        weighted = vectors / np.maximum(values, _FINEST)[:, None, :]
        return cls(poses, weighted @ np.swapaxes(vectors, -1, -2), center, reach)

    def linearise(self, poses: Array, shared: Array) -> FrameTerms:
        """Terms of all frames at camera_from_object (T, 4, 4); there are no shared unknowns."""
        if len(shared) or np.shape(poses) != np.shape(self.poses):
            raise InputError(
                f"These {len(self.poses)} pose measurements share no unknowns, but got {len(poses)} poses and "
                f"{len(shared)} unknowns"
            )
        moved, held = (p[:, :3, :3] @ self.center + p[:, :3, 3] for p in (poses, self.poses))
        turn = so3_log(poses[:, :3, :3] @ np.swapaxes(self.poses[:, :3, :3], -1, -2))
        off = np.concatenate([moved - held, turn], 1)
        jacobian = np.zeros((len(poses), POSE_SIZE, POSE_SIZE))
        jacobian[:, :3, :3], jacobian[:, 3:, 3:] = np.eye(3), left_jacobian_inverse(turn)
        pulled = np.swapaxes(jacobian, -1, -2) @ self.information
        cost, weight = robust(
            np.einsum("ni,nij,nj->n", off, self.information, off), "geman-mcclure", self.reach
        )
        hessian = weight[:, None, None] * (pulled @ jacobian)
        return FrameTerms(hessian, weight[:, None] * (pulled @ off[..., None])[..., 0], cost)
