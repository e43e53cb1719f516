"""Joints, vertices and places of MANO parameters, by the user's file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.data.mano import ManoParameters
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import se3, so3_exp, so3_log
from dexman_pose.hands.mano.file import ManoFile
from dexman_pose.hands.mano.hand import ManoHand
from dexman_pose.hands.mano.layout import DEFAULT_TIPS

_ROOT = 3


def parameter_hand(
    parameters: ManoParameters, file: ManoFile, shape: Array, tips: str | Sequence[int] = DEFAULT_TIPS
) -> ManoHand:
    """The hand of one shape, read as the parameters say.

    Raises:
        InputError: the file is of the other side; a left hand of which ``left_fixed`` is not known.
    """
    if parameters.side != file.side:
        raise InputError(
            f"the parameters are of a {parameters.side} hand, but {file.path} is of a {file.side} one"
        )
    return ManoHand(
        file,
        shape,
        flat_hand_mean=parameters.flat_hand_mean,
        left_fixed=parameters.left_fixed,
        pca=parameters.pose.shape[-1] - _ROOT if parameters.pca else None,
        tips=tips,
    )


def parameter_joints(
    parameters: ManoParameters,
    file: ManoFile,
    *,
    tips: str | Sequence[int] = DEFAULT_TIPS,
    left_fixed: bool | None = None,
) -> Array:
    """The 21 joints (T, 21, 3) of parameters, metres, in their own frame, order of ``JOINT_NAMES``.

    Args:
        parameters: of T frames; those that are not valid come out as their numbers say.
        file: the user's MANO file of that side.
        tips: which vertices are fingertips.
        left_fixed: stands in for ``parameters.left_fixed`` where that is None.

    Raises:
        InputError: as :func:`parameter_hand`.
    """
    return _by_shape(_known(parameters, left_fixed), file, tips, ManoHand.joints)


def parameter_vertices(
    parameters: ManoParameters, file: ManoFile, *, left_fixed: bool | None = None
) -> Array:
    """Vertices (T, 778, 3) of parameters, metres, in their own frame; arguments as for :func:`parameter_joints`."""
    return _by_shape(_known(parameters, left_fixed), file, DEFAULT_TIPS, ManoHand.vertices)


def parameter_mesh(
    parameters: ManoParameters, file: ManoFile, frame: int, *, left_fixed: bool | None = None
) -> Mesh:
    """The mesh of one frame; arguments as for :func:`parameter_joints`."""
    chosen = replace(
        parameters,
        pose=parameters.pose[[frame]],
        translation=parameters.translation[[frame]],
        shape=parameters.shape if parameters.shape.ndim == 1 else parameters.shape[[frame]],
        valid=parameters.valid[[frame]],
    )
    return Mesh(parameter_vertices(chosen, file, left_fixed=left_fixed)[0], file.faces, source="mano")


def frame_from_mano(
    hand: ManoHand, root: Array, translation: Array, pose: Array, center: int | None
) -> Array:
    """``frame_from_hand`` (T, 4, 4) of MANO's root rotation and translation.

    The root turns the hand about its wrist; the translation then moves it, or moves one joint there.

    Args:
        hand: whose.
        root: (T, 3) rotation vectors.
        translation: (T, 3) metres.
        pose: (T, 15, 3), which moves the joint ``center`` unless that is the wrist or a knuckle.
        center: index in ``JOINT_NAMES`` of the joint that ``translation`` places, or None.
    """
    turn = so3_exp(root)
    return se3(turn, translation + _offset(hand, turn, pose, center))


def mano_from_frame(
    hand: ManoHand, frame_from_hand: Array, pose: Array, center: int | None
) -> tuple[Array, Array]:
    """Root rotation vectors (T, 3) and translations (T, 3) of places: the inverse of :func:`frame_from_mano`."""
    turn = frame_from_hand[:, :3, :3]
    return so3_log(turn), frame_from_hand[:, :3, 3] - _offset(hand, turn, pose, center)


def _offset(hand: ManoHand, turn: Array, pose: Array, center: int | None) -> Array:
    """What the rotation about the wrist, and the joint that is placed, add to the translation."""
    wrist = hand.rest_joints[0]
    if center is None:
        return wrist - turn @ wrist
    moved: Array = -(turn @ hand.joints(pose)[:, center, :, None])[..., 0]
    return moved


def _known(parameters: ManoParameters, left_fixed: bool | None) -> ManoParameters:
    return replace(parameters, left_fixed=left_fixed) if parameters.left_fixed is None else parameters


def _by_shape(
    parameters: ManoParameters,
    file: ManoFile,
    tips: str | Sequence[int],
    points: Callable[[ManoHand, Array, Array], Array],
) -> Array:
    """Points of all frames, a hand made for each shape that occurs."""
    count = len(parameters.pose)
    shapes = np.broadcast_to(parameters.shape, (count, parameters.shape.shape[-1]))
    distinct, which = np.unique(shapes, axis=0, return_inverse=True)
    parts = []
    for number, shape in enumerate(distinct):
        at = np.flatnonzero(which.reshape(-1) == number)
        hand = parameter_hand(parameters, file, shape, tips)
        pose = hand.pose_from_mano(parameters.pose[at, _ROOT:])
        root, shift = parameters.pose[at, :_ROOT], parameters.translation[at]
        parts.append(
            (at, points(hand, pose, frame_from_mano(hand, root, shift, pose, parameters.center_joint)))
        )
    if not parts:
        raise InputError("there are MANO parameters of no frame")
    out = np.empty((count, *parts[0][1].shape[1:]))
    for at, found in parts:
        out[at] = found
    return out
