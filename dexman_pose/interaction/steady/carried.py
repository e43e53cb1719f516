"""What tells an object's poses beside its own track: the hand that carries it, and the table it stands on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.tracks import RigidObject
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry.se3 import hat, inverse, se3, so3_exp, transform_points
from dexman_pose.hands.model.quadratic import FINGERS
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.optimize.smoothness import robust
from dexman_pose.optimize.types import FrameCosts, FrameTerms
from dexman_pose.scene.faces import standing_faces


@dataclass(frozen=True)
class CarriedJoints:
    """A hand that carries an object was measured: where it lies on the object tells where that is.

    A hand is off as a whole, and each joint for itself beside that; so the mean of the joints and how they lie about it
    are told apart.

    Attributes:
        on_object: (T, 21, 3) where the hand's joints lie on the object, its frame; metres.
        measured: (T, 21, 3) where they were measured, camera frame.
        whole: (T, 3, 3) information of their mean, one over square metres; 0 where the hand carries nothing.
        single: (T, 21) metres along an axis, by which a joint is off for itself; infinite where it carries nothing.
        center: (3,) the object's centre in its own frame.
        reach: standard deviations at which a joint is let go of: fingers move on what a hand holds.
    """

    on_object: Array
    measured: Array
    whole: Array
    single: Array
    center: Array
    reach: float

    def linearise(self, poses: Array, shared: Array) -> FrameTerms:
        """Terms of all frames at camera_from_object (T, 4, 4); there are no shared unknowns."""
        turned = (self.on_object - self.center) @ np.swapaxes(poses[:, :3, :3], 1, 2)
        moved = turned + (poses[:, :3, :3] @ self.center + poses[:, :3, 3])[:, None]
        jacobian = np.zeros((*moved.shape, POSE_SIZE))
        jacobian[..., :3], jacobian[..., 3:] = np.eye(3), -hat(turned)
        off, share = moved - self.measured, self._shares
        mean, slope = np.einsum("tj,tji->ti", share, off), np.einsum("tj,tjik->tik", share, jacobian)
        whole, trust = robust(np.einsum("ti,tik,tk->t", mean, self.whole, mean), "geman-mcclure", self.reach)
        pulled = trust[:, None, None] * (np.swapaxes(slope, -1, -2) @ self.whole)
        about, own = off - mean[:, None], jacobian - slope[:, None]
        scale, count = self.single**-2.0, FINGERS / self.measured.shape[1]
        single, weight = robust(np.sum(about**2, -1) * scale, "geman-mcclure", self.reach)
        turning = np.swapaxes(own, -1, -2) * (count * weight * scale)[..., None, None]
        return FrameTerms(
            pulled @ slope + (turning @ own).sum(1),
            (pulled @ mean[..., None])[..., 0] + (turning @ about[..., None])[..., 0].sum(1),
            whole + count * single.sum(1),
        )

    @property
    def _shares(self) -> Array:
        """(T, 21) of the joints in their mean: those count that are known well."""
        weight = self.single**-2.0
        out: Array = weight / np.maximum(weight.sum(1, keepdims=True), np.finfo(float).tiny)
        return out


@dataclass(frozen=True)
class Several:
    """The sum of several kinds of evidence about one object.

    Attributes:
        costs: each of all frames.
    """

    costs: tuple[FrameCosts, ...]

    def linearise(self, poses: Array, shared: Array) -> FrameTerms:
        """Terms of all frames."""
        found = [cost.linearise(poses, shared) for cost in self.costs]
        return FrameTerms(
            np.sum([f.hessian for f in found], axis=0),
            np.sum([f.gradient for f in found], axis=0),
            np.sum([f.cost for f in found], axis=0),
        )


@dataclass(frozen=True)
class Lying:
    """How a hand lies on an object over N frames.

    Attributes:
        places: (N, 21, 3) metres, the object's frame: means over the frames between which the hand has not moved on it.
        strays: (N, 21) metres along an axis, by which joints stray from there in those.
        shared: (N,) how many frames these are.
    """

    places: Array
    strays: Array
    shared: Array

    @property
    def levers(self) -> Array:
        """(N, 21) metres from the middle of the hand to each joint."""
        out: Array = np.linalg.norm(self.places - self.places.mean(1, keepdims=True), axis=-1)
        return out


def lying_on(thing: RigidObject, joints: Array, frames: NDArray[np.intp], moved: Array, slip: float) -> Lying:
    """How a hand lies on an object.

    Args:
        thing: the object.
        joints: (N, 21, 3) of the hand, camera frame.
        frames: (N,) of the clip.
        moved: (N,) metres, by how much the hand moves on the object from each frame to the next.
        slip: metres of such motion over which frames have less and less in common.
    """
    on = transform_points(inverse(thing.camera_from_object[frames]), joints)
    way = np.cumsum(moved)
    alike = np.exp(-0.5 * ((way[:, None] - way) / slip) ** 2)
    shared = alike.sum(1)
    mean = np.einsum("ts,sji->tji", alike, on) / shared[:, None, None]
    square = np.einsum("ts,sj->tj", alike, np.sum(on**2, -1)) / shared[:, None] - np.sum(mean**2, -1)
    return Lying(mean, np.sqrt(np.maximum(square, 0.0) / 3.0), shared)


def standing(mean: Array, mesh: Mesh, table: TablePlane | None, reach: float) -> Array:
    """(4, 4) the pose of an object at rest, seen in a mean pose: turned by the least that makes it stand, on the table.

    Args:
        mean: (4, 4) camera_from_object.
        mesh: of the object.
        table: None where it is not known; then the mean stays.
        reach: radians by which it is turned at most; farther off it leans on something, and stays too.
    """
    if table is None:
        return mean
    faces = standing_faces(mesh)
    if not len(faces.down):
        return mean
    down = faces.down @ mean[:3, :3].T
    angle = np.arccos(np.clip(-down @ table.normal, -1.0, 1.0))
    likely = angle / np.hypot(faces.sigma, reach)
    k = int(np.argmin(likely))
    if angle[k] > reach:
        return mean
    axis = np.cross(down[k], -table.normal)
    length = float(np.linalg.norm(axis))
    turn = so3_exp(axis * (angle[k] / length)) if length > 0 else np.eye(3)
    rotation = turn @ mean[:3, :3]
    middle = mean[:3, :3] @ mesh.center + mean[:3, 3]
    upright = se3(rotation, middle - rotation @ mesh.center)
    low = float(table.heights(transform_points(upright, faces.corners)).min())
    upright[:3, 3] -= low * table.normal
    return upright
