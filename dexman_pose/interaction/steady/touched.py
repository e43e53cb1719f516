"""A hand that holds an object lies on its surface: that tells where the object is, as far as the hand is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import PoseTrack, RigidObject
from dexman_pose.interaction.options import ContactOptions
from dexman_pose.interaction.probes import RADII, TOUCHERS, probes
from dexman_pose.interaction.surface import tangents
from dexman_pose.interaction.touchers import chosen_touchers
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.optimize.smoothness import robust
from dexman_pose.optimize.types import FrameTerms

_LEAST = 1e-3
"""Information of directions of which touches say nothing; far below any measurement."""


@dataclass(frozen=True)
class TouchedObject:
    """What the gaps between a hand and an object say of the object's poses.

    Attributes:
        thing: the object; its poses are not read.
        points: (T, 42, 3) probes of the hand, camera frame, metres.
        gripped: (T,) frames in which it holds the object.
        touching: (T, 6) which of ``TOUCHERS`` touch.
        touch: (T,) metres, error of a gap that should be closed.
        inside: (T,) metres, standard deviation of flesh inside of the object.
        options: of contacts.
    """

    thing: RigidObject
    points: Array
    gripped: NDArray[np.bool_]
    touching: NDArray[np.bool_]
    touch: Array
    inside: Array
    options: ContactOptions

    @classmethod
    def of(
        cls,
        thing: RigidObject,
        joints: Array,
        gripped: NDArray[np.bool_],
        off: Array,
        options: ContactOptions,
    ) -> TouchedObject:
        """Of a hand that holds a thing.

        Args:
            thing: where it is, about.
            joints: (T, 21, 3) of the hand, camera frame.
            gripped: (T,).
            off: (T,) metres along an axis, by which the hand as a whole is off.
            options: of contacts.
        """
        points, every = probes(joints), np.arange(len(joints))
        near = tangents(_known(thing, thing.camera_from_object), points, every)
        touching = chosen_touchers(near, points, gripped, options.gates[-1], options.fewest)
        touch, inside = np.hypot(options.touch, off), np.hypot(options.inside, off)
        return cls(thing, points, gripped, touching, touch, inside, options)

    def linearise(self, poses: Array, shared: Array) -> FrameTerms:
        """Terms of all frames at camera_from_object (T, 4, 4); there are no shared unknowns."""
        at = np.flatnonzero(self.gripped)
        hessian, gradient = np.zeros((len(poses), POSE_SIZE, POSE_SIZE)), np.zeros((len(poses), POSE_SIZE))
        cost = np.zeros(len(poses))
        if len(at):
            hessian[at], gradient[at], cost[at] = self._terms(poses, at)
        return FrameTerms(hessian, gradient, cost)

    def _terms(self, poses: Array, at: NDArray[np.intp]) -> tuple[Array, Array, Array]:
        near = tangents(_known(self.thing, poses), self.points[at], at)
        center = self.thing.mesh.center
        arm = self.points[at] - (poses[at, :3, :3] @ center + poses[at, :3, 3])[:, None]
        slope = -np.concatenate([near.normals, np.cross(arm, near.normals)], -1)
        gap = near.distance - RADII
        deep = np.minimum(gap + self.options.soft, 0.0) / self.inside[at, None]
        scale = np.where(deep < 0, 1.0 / self.inside[at, None], 0.0)
        which = list(TOUCHERS)
        open_ = np.where(self.touching[at], gap[:, which] / self.touch[at, None], 0.0)
        closed, weight = robust(open_**2, "geman-mcclure", self.options.touch_reach)
        pull = np.where(self.touching[at], weight / self.touch[at, None] ** 2, 0.0)
        hessian = _outer(slope, scale**2) + _outer(slope[:, which], pull)
        gradient = np.einsum("tn,tni->ti", scale * deep, slope)
        gradient += np.einsum("tn,tni->ti", pull * gap[:, which], slope[:, which])
        return hessian, gradient, (deep**2).sum(1) + closed.sum(1)


def _outer(slope: Array, weight: Array) -> Array:
    out: Array = np.einsum("tn,tni,tnj->tij", weight, slope, slope)
    return out


def _known(thing: RigidObject, poses: Array) -> RigidObject:
    """The thing in poses (T, 4, 4), all of which count."""
    ones = np.ones(len(poses))
    return RigidObject(
        thing.name, thing.mesh, PoseTrack(poses, ones > 0, ones), thing.scale, thing.scale_source
    )


@dataclass(frozen=True)
class Touch:
    """The touches of a hold, of a hand that is off as a whole.

    Attributes:
        cost: what gaps say.
        frames: (N,) of the hold.
        few: independent frames that all of them count as: what is wrong in one is wrong in all.
        off: metres along an axis, by which the hand is off throughout the hold.
    """

    cost: TouchedObject
    frames: NDArray[np.intp]
    few: float
    off: float

    def rows(self, poses: Array) -> tuple[Array, Array]:
        """Slopes (N, 6, 6) by twists of the object in poses (T, 4, 4), and residuals (N, 6) there."""
        found = self.cost.linearise(poses, np.zeros(0))
        share = min(self.few / len(self.frames), 1.0)
        values, axes = np.linalg.eigh(share * found.hessian[self.frames])
        root = np.sqrt(np.maximum(values, _LEAST))
        along = np.einsum("nij,ni->nj", axes, share * found.gradient[self.frames])
        return root[..., None] * np.swapaxes(axes, 1, 2), along / root
