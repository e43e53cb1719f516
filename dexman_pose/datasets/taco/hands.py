"""The hands of a TACO sequence: joints in the order of the package, MANO parameters as they are in the files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import JOINT_PARENTS, Camera, HandTrack
from dexman_pose.data.mano import ManoParameters
from dexman_pose.data.pickles.load import load_pickle
from dexman_pose.data.tracks import SIDES
from dexman_pose.datasets.mano_joints import ManoModels, joints_from_mano
from dexman_pose.datasets.taco.cameras import filled
from dexman_pose.datasets.taco.files import TacoSequence, load_array
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.hands.mano.layout import MANO_ORDER

JOINT_ORDERS: dict[str, tuple[int, ...]] = {
    "manopth": tuple(range(21)),
    "mano": MANO_ORDER,
}
"""For each joint of ``JOINT_NAMES``, its place in the file, by the name of the file's order.

``manopth``: wrist, then thumb, index, middle, ring, pinky from the palm to the tip, as the hand layer that the
dataset's authors use returns them; this is the order of version 1. ``mano``: the 16 joints of the model (wrist, index,
middle, pinky, ring, thumb), then the five tips from the thumb on.
"""

# Metres from joint to parent of an adult hand, only to tell orders apart.
_BONES = np.array(
    [0.037, 0.033, 0.031, 0.027, 0.092, 0.036, 0.023, 0.022, 0.090, 0.038, 0.026, 0.023]
    + [0.083, 0.036, 0.025, 0.023, 0.079, 0.026, 0.020, 0.020]
)
# Of bone_error: hands in the right order stay under 0.15, in a wrong one they are over 0.44.
_UNLIKELY = 0.3
_SIZES = (0.5, 2.0)  # of an adult's hand; outside, the unit is another
_FARTHEST = 1e3  # metres; anything beyond is damage
_NEAR = 0.01  # metres in front of a camera from which on a joint can be projected
_WRIST = 0.005  # metres


@dataclass(frozen=True)
class TacoHands:
    """Both hands in the world.

    Attributes:
        joints: (N, 21, 3) metres by side, order of ``JOINT_NAMES``.
        valid: (N,) bool by side.
        mano: parameters by side, in the world.
        notes: what is missing or odd.
    """

    joints: dict[str, Array]
    valid: dict[str, NDArray[np.bool_]]
    mano: dict[str, ManoParameters]
    notes: tuple[str, ...]


def read_hands(
    sequence: TacoSequence,
    count: int,
    *,
    joint_order: str,
    expect_joints: bool,
    models: ManoModels | None = None,
) -> TacoHands:
    """What the files of a sequence say of its hands, for its first ``count`` frames.

    Frames without a hand, or beyond the end of a file, are not valid.

    Args:
        sequence: whose.
        count: number of frames.
        joint_order: one of :data:`JOINT_ORDERS`.
        expect_joints: whether the release has joints at all.
        models: the user's MANO files, which make joints of the parameters where there are no others.
    """
    notes: list[str] = []
    joints, valid = _joints(sequence, count, joint_order, expect_joints, notes)
    mano: dict[str, ManoParameters] = {}
    for side in SIDES:
        try:
            found = _mano(sequence, side, count, notes)
        except InputError as error:
            notes.append(str(error))
            continue
        if found is not None:
            mano[side] = found
    _compare_wrists(joints, valid, mano, notes)
    if models is not None and not joints:
        joints = joints_from_mano(mano, models, notes)
        valid = {side: mano[side].valid for side in joints}
    return TacoHands(joints, valid, mano, tuple(notes))


def _joints(
    sequence: TacoSequence, count: int, joint_order: str, expected: bool, notes: list[str]
) -> tuple[dict[str, Array], dict[str, NDArray[np.bool_]]]:
    path = sequence.find("hands", "hand_joints.npy")
    if path is None:
        why = "is missing" if expected else "is not part of this release; joints need the MANO model"
        notes.append(f"hand_joints.npy {why}")
        return {}, {}
    try:
        both = load_array(path, (None, 2, 21, 3))[:, :, JOINT_ORDERS[joint_order]]
        if len(both) != count:
            notes.append(f"hand_joints.npy has {len(both)} frames, {count} are used")
        rows = np.full((count, 2, 21, 3), np.nan)
        rows[: min(count, len(both))] = both[:count]
        given = {side: _given(rows[:, s]) for s, side in enumerate(SIDES)}
        _check_order(rows, given, joint_order)
    except InputError as error:
        notes.append(str(error))
        return {}, {}
    joints = {s: filled(rows[:, i], given[s], np.zeros((21, 3))) for i, s in enumerate(SIDES)}
    return joints, given


def _given(joints: Array) -> NDArray[np.bool_]:
    """Frames whose joints are numbers and not all in one place, which is how absence looks."""
    finite: NDArray[np.bool_] = np.asarray((np.abs(joints) < _FARTHEST).all(axis=(1, 2)))  # NaN is not
    spread = np.ptp(np.where(finite[:, None, None], joints, 0.0), axis=1).max(axis=1)
    given: NDArray[np.bool_] = finite & (spread > 1e-3)
    return given


def bone_error(joints: Array) -> float:
    """How unlike a hand's the bones of joints (N, 21, 3) are: spread of the logarithm of their ratio to an adult's.

    The size of the hand is free within reason; beyond, the answer is infinite.
    """
    parents = np.array(JOINT_PARENTS)[1:]
    lengths = np.median(np.linalg.norm(joints[:, 1:] - joints[:, parents], axis=-1), axis=0)
    ratio = np.log(np.maximum(lengths, 1e-6) / _BONES)
    size = float(np.exp(np.median(ratio)))
    if not _SIZES[0] < size < _SIZES[1]:
        return float("inf")
    return float(np.sqrt(np.square(ratio - np.median(ratio)).mean()))


def _check_order(rows: Array, given: dict[str, NDArray[np.bool_]], joint_order: str) -> None:
    hands = [rows[given[side], s] for s, side in enumerate(SIDES) if given[side].any()]
    if not hands:
        return
    hand = max(hands, key=len)
    if bone_error(hand) < _UNLIKELY:
        return
    stored = hand[:, np.argsort(JOINT_ORDERS[joint_order])]
    others = {name: bone_error(stored[:, order]) for name, order in JOINT_ORDERS.items()}
    best = min(others, key=lambda name: others[name])
    advice = f"joint_order={best!r} would fit" if others[best] < _UNLIKELY else "no known order fits"
    raise InputError(f"hand_joints.npy read in the order {joint_order!r} has bones of no hand; {advice}")


def _mano(sequence: TacoSequence, side: str, count: int, notes: list[str]) -> ManoParameters | None:
    path = sequence.find("hands", f"{side}_hand.pkl")
    if path is None:
        notes.append(f"{side}_hand.pkl is missing")
        return None
    value = load_pickle(path)
    if not isinstance(value, dict):
        raise InputError(f"{path.name} must hold a dict of frames, but holds a {type(value).__name__}")
    pose, translation = np.full((count, 48), np.nan), np.full((count, 3), np.nan)
    beyond = 0
    for key, entry in value.items():
        frame = _frame(key, path) - 1  # frames are counted from 1
        if frame >= count:
            beyond += 1
            continue
        pose[frame], translation[frame] = (
            _entry(entry, "hand_pose", path, 48),
            _entry(entry, "hand_trans", path, 3),
        )
    valid = np.isfinite(pose).all(axis=1) & np.isfinite(translation).all(axis=1)
    if beyond or not valid.all():
        absent = int((~valid).sum())
        notes.append(f"{path.name}: {absent} of {count} frames have no hand, {beyond} are beyond the end")
    return ManoParameters(
        side,
        filled(pose, valid, np.zeros(48)),
        filled(translation, valid, np.zeros(3)),
        _shape(sequence, side, notes),
        valid,
        frame="world",
        flat_hand_mean=True,
        center_joint=0,
    )


def _frame(key: object, path: Path) -> int:
    try:
        frame = int(key) if isinstance(key, (str, int)) else 0
    except ValueError:
        frame = 0
    if not 1 <= frame < 10**7:
        raise InputError(f"{path.name} has a key {key!r:.40}; keys are numbers of frames, the first is 1")
    return frame


def _entry(entry: Any, name: str, path: Path, size: int) -> Array:
    try:
        return np.array(entry[name], dtype=np.float64).reshape(size)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{path.name}: a {name} is missing or is not {size} numbers") from error


def _shape(sequence: TacoSequence, side: str, notes: list[str]) -> Array:
    """The shape coefficients; zeros where the file is missing, as the dataset's own code has it."""
    path = sequence.find("hands", f"{side}_hand_shape.pkl")
    if path is None:
        notes.append(f"{side}_hand_shape.pkl is missing; the mean shape is taken")
        return np.zeros(10)
    try:
        shape = _entry(load_pickle(path), "hand_shape", path, 10)
        if not np.isfinite(shape).all():
            raise InputError(f"{path.name} holds NaN or infinite numbers")
    except InputError as error:
        notes.append(f"{error}; the mean shape is taken")
        return np.zeros(10)
    return shape


def _compare_wrists(
    joints: dict[str, Array],
    valid: dict[str, NDArray[np.bool_]],
    mano: dict[str, ManoParameters],
    notes: list[str],
) -> None:
    """``hand_trans`` places the wrist joint: both files must agree, and sides must not be swapped."""
    for side in joints.keys() & mano.keys():
        both = valid[side] & mano[side].valid
        if not both.any():
            continue
        gap = np.linalg.norm(joints[side][both, 0] - mano[side].translation[both], axis=1)
        if np.median(gap) > _WRIST:
            notes.append(
                f"the {side} wrist of hand_joints.npy is {1000 * np.median(gap):.0f} mm from {side}_hand.pkl's"
            )


def hand_track(
    side: str, joints: Array, valid: NDArray[np.bool_], camera: Camera, camera_from_world: Array
) -> HandTrack:
    """One hand as a camera saw it; frames with a joint behind the camera are not valid.

    Args:
        side: ``"left"`` or ``"right"``.
        joints: (N, 21, 3) world.
        valid: (N,) bool.
        camera: projects the joints, with its lens, as they are in the pictures.
        camera_from_world: (N, 4, 4).
    """
    seen = transform_points(camera_from_world, joints)
    ahead = (seen[..., 2] > _NEAR).all(axis=1)
    safe = seen.copy()
    safe[..., 2] = np.maximum(safe[..., 2], _NEAR)
    usable = valid & ahead
    parents = np.array(JOINT_PARENTS)[1:]
    lengths = np.zeros(21)
    if usable.any():
        lengths[1:] = np.median(np.linalg.norm(seen[usable, 1:] - seen[usable][:, parents], axis=-1), axis=0)
    return HandTrack(
        side,
        seen,
        camera.project_finite(safe),
        usable,
        np.zeros(len(seen), dtype=bool),
        usable.astype(np.float64),
        lengths,
        scale_source="given",
    )
