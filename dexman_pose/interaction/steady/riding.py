"""An object rides on the hand that carries it: it goes where the hand goes, but for how the hand moves on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import RigidObject
from dexman_pose.geometry.se3 import inverse, so3_log, transform_points
from dexman_pose.interaction.options import SteadyOptions
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.optimize.problem import move_poses

_ROUNDS = 4  # of how joints lie on the object, and how they stray from there


@dataclass(frozen=True)
class Ride:
    """An object on a hand in N frames of a grip.

    Attributes:
        frames: (N,) of the clip.
        joints: (N, 21, 3) where the hand was measured, camera frame, metres.
        places: (21, 3) where its joints lie on the object, in its frame.
        shares: (21,) of the joints: those count that stray least. They add up to 1.
        spread: (N, 6, 6) covariance of the twist (v, w) by which the hand tells where the object is.
        walked: (N, 6) variance along each axis by which the hand moves on the object from the frame before.
        center: (3,) of the object, in its frame.
    """

    frames: NDArray[np.intp]
    joints: Array
    places: Array
    shares: Array
    spread: Array
    walked: Array
    center: Array

    def off(self, poses: Array) -> Array:
        """(N, 6) twists (v, w) that take the object in poses (T, 4, 4) to where the hand lies on it."""
        return _laid(self.places, self.joints, self.shares, poses[self.frames], self.center)


@dataclass(frozen=True)
class Measured:
    """A hand as it was measured in N frames.

    Attributes:
        frames: (N,) of the clip.
        joints: (N, 21, 3) camera frame, metres.
        whole: (N, 3, 3) covariance of the hand as a whole, square metres.
        single: (N,) metres along an axis, by which a joint is off for itself.
        moved: (N,) metres by which the hand plainly moves on the object in a frame.
    """

    frames: NDArray[np.intp]
    joints: Array
    whole: Array
    single: Array
    moved: Array


def ride(thing: RigidObject, hand: Measured, step: float, o: SteadyOptions) -> Ride:
    """How an object rides on a hand that grips it.

    Args:
        thing: where the object is, about.
        hand: in the frames of the grip.
        step: seconds between two frames.
        o: how hands move on what they hold.
    """
    center, poses = thing.mesh.center, thing.camera_from_object[hand.frames]
    shares = np.full(hand.joints.shape[1], 1.0 / hand.joints.shape[1])
    places = np.median(transform_points(inverse(poses), hand.joints), axis=0)
    least = float(np.median(hand.single)) ** 2
    for _ in range(_ROUNDS):
        moved = move_poses(poses, _laid(places, hand.joints, shares, poses, center), center)
        on = transform_points(inverse(moved), hand.joints)
        places = on.mean(0)
        shares = 1.0 / (least + np.mean(np.sum((on - places) ** 2, -1), axis=0) / 3.0)
        shares /= shares.sum()
    lever = float(np.sqrt(np.sum(shares * np.sum((places - shares @ places) ** 2, -1))))
    count = 1.0 / float(np.sum(shares**2))
    spread = np.zeros((len(hand.frames), POSE_SIZE, POSE_SIZE))
    spread[:, :3, :3] = hand.whole
    turned = hand.single**2 / count / lever**2 + o.turned**2
    spread[:, 3:, 3:] = turned[:, None, None] * np.eye(3)
    seconds = step * np.diff(hand.frames, prepend=hand.frames[0])
    plain = hand.moved * np.diff(hand.frames, prepend=hand.frames[0])
    walked = np.repeat(
        np.stack([o.slip**2 * seconds + plain**2, o.twist**2 * seconds + (plain / lever) ** 2], 1), 3, axis=1
    )
    return Ride(hand.frames, hand.joints, places, shares, spread, walked, center)


def _laid(places: Array, joints: Array, shares: Array, poses: Array, center: Array) -> Array:
    """(N, 6) twists about the object's centre that lay joints of one object, by least squares, on those measured."""
    there = transform_points(poses, places)
    mean, goal = np.einsum("j,nji->ni", shares, there), np.einsum("j,nji->ni", shares, joints)
    spread = np.einsum("j,nji,njk->nik", shares, joints - goal[:, None], there - mean[:, None])
    u, _, vt = np.linalg.svd(spread)
    sign = np.linalg.det(u @ vt)
    u[:, :, 2] *= sign[:, None]
    turn = u @ vt
    middle = poses[:, :3, :3] @ center + poses[:, :3, 3]
    shift = goal - mean + np.einsum("nij,nj->ni", turn - np.eye(3), middle - mean)
    return np.concatenate([shift, so3_log(turn)], 1)
