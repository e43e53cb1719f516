"""Frames in which a hand seems to hold a thing otherwise than in the rest of a grip, and need not.

Seen from some sides a hand that points to the camera looks as one that points away; a detector that turns it over for a
stretch of a grip takes a fit along. As long as a grip lasts the hand lies on the thing in one way: where the picture
agrees with that way too, it is the likelier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.hands.model.system import HandState
from dexman_pose.interaction.along_sight import Grip
from dexman_pose.interaction.hand_picture import HandPicture, own_place, place_of_own
from dexman_pose.interaction.options import GraspOptions


def with_same_grasp(
    picture: HandPicture, state: HandState, grips: Sequence[Grip], options: GraspOptions
) -> HandState:
    """The state with the hand laid on what it grips as in most of the grip, where it is not and the picture allows it.

    Args:
        picture: of the hand.
        state: of all frames.
        grips: what it grips.
        options: what counts as another way, and when the picture allows the usual one.
    """
    for grip in grips:
        for frames in grip.stretches(picture.frames):
            state = _laid(picture, state, grip, frames, options)
    return state


def _laid(
    picture: HandPicture, state: HandState, grip: Grip, frames: NDArray[np.intp], o: GraspOptions
) -> HandState:
    """The same for one grip, in rising ``frames`` of the hand's own."""
    poses = grip.thing.camera_from_object[picture.frames]
    joints = transform_points(inverse(poses[frames]), picture.joints_of(state)[frames])
    usual, spread = _middle(joints, o.sample)
    apart = np.linalg.norm(joints - joints[usual], axis=-1).mean(1)
    odd = frames[apart > o.apart]
    if spread > o.rigid or not len(odd):
        return state
    places, angles = state.frame_from_hand.copy(), state.angles.copy()
    own = own_place(state, picture.side)
    carried = poses[odd] @ inverse(poses[frames[usual]]) @ own[frames[usual]]
    places[odd] = place_of_own(carried, picture.side)
    angles[odd] = angles[frames[usual]]
    tried = replace(state, angles=angles, frame_from_hand=places)
    before, after = (picture.off(picture.joints_of(s)) for s in (state, tried))
    kept = odd[after[odd] > np.maximum(o.worse * before[odd], o.tolerated)]
    places[kept], angles[kept] = state.frame_from_hand[kept], state.angles[kept]
    return replace(state, angles=angles, frame_from_hand=places)


def _middle(joints: Array, sample: int) -> tuple[int, float]:
    """Index of the frame of joints (T, 21, 3) that most others are nearest to, and the middle of their distances."""
    chosen = np.unique(np.linspace(0, len(joints) - 1, sample).round().astype(int))
    apart = np.linalg.norm(joints[chosen, None] - joints[None, chosen], axis=-1).mean(-1)
    middle = np.median(apart, axis=1)
    best = int(middle.argmin())
    return int(chosen[best]), float(middle[best])
