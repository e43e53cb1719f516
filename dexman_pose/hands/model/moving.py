"""The skin of a hand in a trajectory, and the bones that carry it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require_engine
from dexman_pose.arrays import Array
from dexman_pose.data import HandTrack, Trajectory
from dexman_pose.geometry import transform_points
from dexman_pose.geometry.held import held
from dexman_pose.hands.model.skeleton import BONE_JOINTS

if TYPE_CHECKING:
    from dexman_pose.hands.model.fit import HandFit
    from dexman_pose.hands.model.hand_model import HandModel

FOREARM = 0.05
"""Metres of forearm behind the wrist."""

RESOLUTION = 0.004
"""Metres between points of the skin: some 6,000 points."""


@dataclass(frozen=True)
class HandSkin:
    """A hand that moves: shape, and pose of every frame.

    Attributes:
        model: the hand at rest, metres, with its skin.
        pose: (T, 15, 3) rotation vectors of the bones.
        world_from_hand: (T, 4, 4).
        fitted: whether the hand was fitted to the joints here, because the trajectory holds joints alone.
    """

    model: HandModel
    pose: Array
    world_from_hand: Array
    fitted: bool

    @property
    def weights(self) -> Array:
        """(V, 16) of palm and bones; the forearm, which is straight here, counts to the palm."""
        out = self.model.weights[:, :16].copy()
        out[:, 0] += self.model.weights[:, 16]
        return out

    @property
    def pivots(self) -> Array:
        """(16, 3) where palm and bones begin at rest, hand frame, metres."""
        return np.concatenate([np.zeros((1, 3)), self.model.rest_joints[list(BONE_JOINTS)]])

    def bones(self) -> Array:
        """(T, 16, 4, 4) transforms that carry points at rest, hand frame."""
        return self.model.bone_transforms(self.pose)

    def vertices(self, frame: int) -> Array:
        """(V, 3) skin in the world, metres."""
        return transform_points(self.world_from_hand[frame], self.model.vertices(self.pose[frame]))


PARENTS: tuple[int, ...] = (-1, *(0 if b % 3 == 0 else b for b in range(15)))
"""Of palm and bones, by index into the 16."""


def hand_skin(trajectory: Trajectory, side: str, *, resolution: float = RESOLUTION) -> HandSkin:
    """The skin of a hand of a trajectory; frames that are not valid hold the one before.

    Args:
        trajectory: with a hand of that side.
        side: ``"left"`` or ``"right"``.
        resolution: metres between points of the skin.

    Raises:
        MissingExtraError: the engine is not installed.
    """
    require_engine("the skin of hands (exports with hands='joints' do without)")
    hand = trajectory.hands[side]
    fit, fitted = _fit(hand)
    model = fit.model(forearm_length=FOREARM, resolution=resolution)
    pose = model.pose_from_angles(held(fit.angles, hand.valid), limited=False)
    placed: Array = trajectory.world_from_camera @ held(fit.frame_from_hand, hand.valid)
    return HandSkin(model, pose, placed, fitted)


def _fit(hand: HandTrack) -> tuple[HandFit, bool]:
    from dexman_pose.hands.model.fit import HandFit, fit_joints

    if hand.angles is None or hand.shape is None or hand.camera_from_wrist is None:
        return fit_joints(hand.joints, hand.side, hand.valid), True
    known: NDArray[np.bool_] = hand.valid
    return HandFit(hand.side, hand.shape, hand.angles, hand.camera_from_wrist, hand.joints, known, 0.0), False
