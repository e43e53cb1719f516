"""MANO's parameters fitted to the joints of a hand over a clip: one shape, a pose and a place per frame.

Joints do not show how bones turn about themselves; there, and where the joints leave more open, the usual decides:
the file's mean pose, wide across the bones and narrow along them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.mano import ManoParameters
from dexman_pose.data.tracks import HandTrack
from dexman_pose.errors import InputError
from dexman_pose.geometry.align import kabsch
from dexman_pose.hands.mano.file import ManoFile
from dexman_pose.hands.mano.hand import ManoHand
from dexman_pose.hands.mano.layout import DEFAULT_TIPS, SHAPES
from dexman_pose.hands.mano.parameters import mano_from_frame
from dexman_pose.hands.mano.poses import PoseCoding
from dexman_pose.hands.mano.rig import ManoRig
from dexman_pose.hands.mano.system import ManoFitOptions, ManoState, PosePrior, solved
from dexman_pose.hands.model.fit import MeasuredJoints
from dexman_pose.hands.model.skeleton import BONE_JOINTS

_PALM = (0, 1, 5, 9, 13, 17)


@dataclass(frozen=True)
class ManoCoding:
    """How fitted parameters are written down.

    Attributes:
        flat_hand_mean: whether zero is the flat hand and not the file's mean pose.
        pca: how many principal components the fingers are written in, or None for angles. With fewer than 45 the pose
            is the nearest one, and the joints are those of it.
        center_joint: index in ``JOINT_NAMES`` of the joint that the translation places; None: the template's origin,
            turned about the wrist.
        left_fixed: whether the wrong sign in a left hand's file is mended.
        tips: which vertices are fingertips.
    """

    flat_hand_mean: bool = True
    pca: int | None = None
    center_joint: int | None = 0
    left_fixed: bool = True
    tips: str | Sequence[int] = DEFAULT_TIPS


@dataclass(frozen=True)
class ManoFit:
    """A MANO hand fitted over T frames.

    Attributes:
        parameters: as they are to be written; of frames that are not valid, the nearest valid one's.
        hand: the hand of the fitted shape.
        pose: (T, 15, 3) rotation vectors, order ``BONE_NAMES``.
        frame_from_hand: (T, 4, 4).
        joints: (T, 21, 3) metres, of the parameters.
        cost: half the sum of squares at the end.
    """

    parameters: ManoParameters
    hand: ManoHand
    pose: Array
    frame_from_hand: Array
    joints: Array
    cost: float

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(T,) frames that were fitted."""
        return self.parameters.valid

    def errors(self, joints: ArrayLike) -> Array:
        """Distances (V, 21) in metres from measured joints (T, 21, 3), over the V valid frames."""
        difference = self.joints - np.asarray(joints, np.float64)
        out: Array = np.linalg.norm(difference[self.valid], axis=-1)
        return out


def fit_mano_track(
    track: HandTrack,
    file: ManoFile,
    *,
    coding: ManoCoding | None = None,
    options: ManoFitOptions | None = None,
) -> ManoFit:
    """Fit a hand to the valid frames of a track; parameters are in the camera frame.

    Raises:
        InputError: the file is of the other side, or no frame is valid.
    """
    if track.side != file.side:
        raise InputError(f"the track is of a {track.side} hand, but {file.path} is of a {file.side} one")
    return fit_mano(track.joints, file, track.valid, coding=coding, options=options)


def fit_mano(
    joints: ArrayLike,
    file: ManoFile,
    valid: ArrayLike | None = None,
    *,
    sigma: ArrayLike | None = None,
    frame: str = "camera",
    coding: ManoCoding | None = None,
    options: ManoFitOptions | None = None,
) -> ManoFit:
    """Fit a hand to measured joints.

    Args:
        joints: (T, 21, 3) metres, order of ``JOINT_NAMES``; frames that are not valid may hold anything.
        file: the user's MANO file of that side.
        valid: (T,) frames with joints; all when left out.
        sigma: standard deviations in metres, one or (T, 21), infinite for joints that are not known;
            ``options.sigma`` when left out.
        frame: ``"camera"`` or ``"world"``, in which the joints are; goes into the parameters.
        coding: how the parameters are written down.
        options: how they are fitted.

    Raises:
        InputError: shapes do not fit, NaN in a valid frame, no valid frame, an unknown frame.
    """
    o, c = options or ManoFitOptions(), coding or ManoCoding()
    points = np.asarray(joints, np.float64)
    known = _checked(points, valid, frame)
    spread = np.broadcast_to(np.asarray(o.sigma if sigma is None else sigma, np.float64), points.shape[:2])
    measured = MeasuredJoints(points[known], spread[known])
    hand = _hand(file, None, c)
    usual = PoseCoding.of(file, False, None).pose(np.zeros(file.hands_mean.shape))
    rig = ManoRig.of(file, c.left_fixed).rows(hand.tips)
    prior = PosePrior.about(usual, _directions(hand), o)
    state = solved(rig, measured, prior, _start(measured, hand, usual), o)
    return _as_fit(state, file, known, frame, c)


def _checked(points: Array, valid: ArrayLike | None, frame: str) -> NDArray[np.bool_]:
    """(T,) frames with joints."""
    if points.ndim != 3 or points.shape[1:] != (21, 3):
        raise InputError(f"joints must be (T, 21, 3) metres, but got shape {points.shape}")
    known = np.ones(len(points), np.bool_) if valid is None else np.asarray(valid, np.bool_)
    if known.shape != (len(points),) or not known.any():
        raise InputError(f"valid must be ({len(points)},) booleans, some True, but got shape {known.shape}")
    if not np.isfinite(points[known]).all():
        raise InputError("joints hold NaN or infinity in a valid frame; mark such frames as not valid")
    if frame not in ("camera", "world"):
        raise InputError(f"frame must be 'camera' or 'world', but got {frame!r}")
    return known


def _hand(file: ManoFile, betas: Array | None, c: ManoCoding) -> ManoHand:
    return ManoHand(
        file, betas, flat_hand_mean=c.flat_hand_mean, left_fixed=c.left_fixed, pca=c.pca, tips=c.tips
    )


def _directions(hand: ManoHand) -> Array:
    """(15, 3) unit vectors along the bones at rest."""
    at = np.array(BONE_JOINTS)
    along = hand.rest_joints[at + 1] - hand.rest_joints[at]
    out: Array = along / np.linalg.norm(along, axis=-1, keepdims=True)
    return out


def _start(measured: MeasuredJoints, hand: ManoHand, usual: Array) -> ManoState:
    """The mean hand, its palm laid on the measured one."""
    palm = list(_PALM)
    count = len(measured.joints)
    rest = np.broadcast_to(hand.rest_joints[palm], (count, len(palm), 3))
    known = np.isfinite(measured.sigma[:, palm])
    weights = np.where(known, 1.0, np.finfo(float).eps)
    places = kabsch(rest, np.where(known[..., None], measured.joints[:, palm], 0.0), weights)
    return ManoState(np.zeros(SHAPES), np.tile(usual, (count, 1, 1)), places)


def _as_fit(state: ManoState, file: ManoFile, known: NDArray[np.bool_], frame: str, c: ManoCoding) -> ManoFit:
    """The fit of all frames; those without joints hold the nearest one's state."""
    frames = np.flatnonzero(known)
    nearest = np.abs(np.arange(len(known))[:, None] - frames).argmin(1)
    hand = _hand(file, state.betas, c)
    numbers = hand.mano_from_pose(state.pose[nearest])
    pose, places = hand.pose_from_mano(numbers), state.frame_from_hand[nearest]
    root, shift = mano_from_frame(hand, places, pose, c.center_joint)
    parameters = ManoParameters(
        file.side,
        np.concatenate([root, numbers], 1),
        shift,
        hand.betas,
        known,
        frame=frame,
        flat_hand_mean=c.flat_hand_mean,
        center_joint=c.center_joint,
        left_fixed=c.left_fixed,
        pca=c.pca is not None,
    )
    return ManoFit(parameters, hand, pose, places, hand.joints(pose, places), state.cost)
