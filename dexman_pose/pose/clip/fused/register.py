"""One frame laid onto what is known of an object: points onto planes, and colours onto colours.

Method: Park, Zhou and Koltun, "Colored Point Cloud Registration Revisited" (2017), with Gauss-Newton steps on a twist
about the middle of the points, and each residual in units of its own noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.geometry import se3_exp
from dexman_pose.pose.clip.fused.cloud import Cloud, Target
from dexman_pose.pose.clip.fused.options import RegistrationOptions


@dataclass(frozen=True)
class Registered:
    """Where a frame came to lie.

    Attributes:
        object_from_camera: (4, 4).
        overlap: share of the frame's points that found a match at the finest reach.
        distance: metres, median distance of these from the surface.
    """

    object_from_camera: Array
    overlap: float
    distance: float

    def holds(self, options: RegistrationOptions) -> bool:
        """Whether it may be believed."""
        return self.overlap >= options.least_overlap and self.distance <= options.worst


def register(
    target: Target, cloud: Cloud, start: Array, size: float, options: RegistrationOptions
) -> Registered:
    """Lay a frame's points onto those that are known.

    Args:
        target: what is known, object frame.
        cloud: the frame's points, camera frame.
        start: (4, 4) object_from_camera.
        size: metres, how large the object is.
        options: settings.
    """
    pose = start
    for reach in options.reach:
        for _ in range(options.steps):
            step = _step(target, cloud.moved(pose), reach * size, options)
            if step is None:
                break
            pose = step @ pose
            if np.linalg.norm(step[:3, 3]) + np.abs(step[:3, :3] - np.eye(3)).max() < options.still:
                break
    at, near, off = _matches(target, cloud.moved(pose), options.reach[-1] * size, options)
    overlap = len(at) / max(len(cloud), 1)
    return Registered(pose, overlap, float(np.median(np.abs(off))) if len(near) else np.inf)


def _matches(
    target: Target, cloud: Cloud, reach: float, options: RegistrationOptions
) -> tuple[Array, Array, Array]:
    """Indices of points and of what each matches, and distances (M,) from its plane, metres."""
    far, near = target.tree.query(cloud.points, distance_upper_bound=reach)
    at = np.nonzero(np.isfinite(far))[0]
    near = near[at]
    same = np.einsum("ni,ni->n", cloud.normals[at], target.cloud.normals[near]) > options.same_side
    at, near = at[same], near[same]
    off = np.einsum("ni,ni->n", cloud.points[at] - target.cloud.points[near], target.cloud.normals[near])
    return at, near, off


def _step(target: Target, cloud: Cloud, reach: float, options: RegistrationOptions) -> Array | None:
    """(4, 4) the motion, in the object frame, that brings the points nearer; None where too few match."""
    at, near, off = _matches(target, cloud, reach, options)
    if len(at) < options.least_points // 2:
        return None
    points, middle = cloud.points[at], cloud.points[at].mean(0)
    normal, slope = target.cloud.normals[near], target.gradient[near]
    tangent = points - target.cloud.points[near] - off[:, None] * normal
    shade = target.cloud.grey[near] + np.einsum("ni,ni->n", slope, tangent) - cloud.grey[at]
    # A frame may be lighter than another as a whole.
    shade = shade - np.median(shade)
    residual = np.concatenate([off / options.place_sigma, shade / options.color_sigma])
    along = np.concatenate([normal / options.place_sigma, slope / options.color_sigma])
    arm = np.concatenate([points, points]) - middle
    jacobian = np.concatenate([along, np.cross(arm, along)], 1)
    weight = np.minimum(1.0, options.robust / np.maximum(np.abs(residual), 1e-12))
    a = (jacobian * weight[:, None]).T @ jacobian
    a += options.damping * np.diag(np.diag(a) + 1e-12)
    twist = -np.linalg.solve(a, jacobian.T @ (weight * residual))
    about = np.eye(4)
    about[:3, 3] = middle
    back = np.eye(4)
    back[:3, 3] = -middle
    step: Array = about @ se3_exp(twist) @ back
    return step
