"""Hands that a user brings: joints of another detector in our order, our pixels, and as if seen by our camera."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.clip import Clip
from dexman_pose.data.tracks import HandObservations
from dexman_pose.errors import InputError
from dexman_pose.given.door import reading
from dexman_pose.given.hand_joints import order_of, unit_of
from dexman_pose.given.hand_records import (
    FOCALS,
    IN_IMAGE,
    IN_SPACE,
    SHIFTS,
    HandRecord,
    hand_records,
    load_hands,
    without_joints,
)
from dexman_pose.hands.lifting.bones import AVERAGE_LENGTHS
from dexman_pose.hands.lifting.observation import towards
from dexman_pose.hands.mediapipe.roi import hand_size

JOINTS = 21
NETWORK_FOCAL, NETWORK_SIDE = 5000.0, 256.0
"""HaMeR and WiLoR assume 5000 pixels at their crop of 256; on the whole picture times its longer side."""
_ROOTED = 0.05
"""Metres of z up to which joints in space are relative to the hand, and not in the camera's frame."""
_ALIKE = 0.2
"""Relative difference of focal lengths up to which joints in space are those of the real camera."""
_OUT_OF_REACH = 4.0
"""Metres of z from which on joints of no known focal length are as the networks' long focal length puts them."""
_SHARES = 1.5
_FLAT_SCORE = 0.5
_LEFT_MIRRORED = ("pred_keypoints_3d",)
"""Entries that the networks give as of a right hand, for the picture of a left one is mirrored before."""


def read_hands(
    source: Any, clip: Clip, camera: Camera | None = None, *, order: str = "auto"
) -> tuple[HandObservations, list[str]]:
    """Hands of a clip out of a file or values in memory.

    Args:
        source: observations, a file, or its content: see ``docs/inputs.md``.
        clip: the frames.
        camera: the user's intrinsics, or None; joints in space of no known focal length need them.
        order: of the joints, by name, or ``auto``.

    Returns:
        What a detector saw, ready to be lifted, and sentences about what was assumed. Joints in pixels are those of the
        file, or its joints in space projected with the file's own focal length.

    Raises:
        InputError: no hands there, or joints that cannot be placed in the pictures.
    """
    with reading(source):
        return _read(source, clip, camera, order)


def _read(source: Any, clip: Clip, camera: Camera | None, order: str) -> tuple[HandObservations, list[str]]:
    if isinstance(source, HandObservations):
        if len(source.joints_2d) != clip.num_frames:
            raise InputError(
                f"there are hands of {len(source.joints_2d)} frames, but the clip has {clip.num_frames}"
            )
        return source, []
    is_path = isinstance(source, (str, PathLike))
    where = str(source) if is_path else "hands"
    records, notes = hand_records(load_hands(Path(source).expanduser()) if is_path else source, clip, where)
    placed = [_Joints.of(record, where) for record in records]
    placed = [p for p in placed if p.image is not None or p.space is not None]
    if not placed:
        raise without_joints(records[0].values if records else {}, where)
    shown = next(
        s for s in ([p.space for p in placed], [p.image for p in placed]) if any(v is not None for v in s)
    )
    at = order_of(order, np.array([v for v in shown if v is not None]))
    spaces = [p.space for p in placed if p.space is not None]
    unit = unit_of(np.array(spaces)[:, at]) if spaces else 1.0
    count = clip.num_frames
    pixels, local = np.zeros((count, 2, JOINTS, 2)), np.zeros((count, 2, JOINTS, 3))
    score, detected = np.zeros((count, 2)), np.zeros((count, 2), np.bool_)
    doubled = 0
    for one in placed:
        frame, side = one.record.frame, one.record.side
        if detected[frame, side]:
            doubled += 1
            if one.record.score <= score[frame, side]:
                continue
        pixels[frame, side], local[frame, side], sure = one.seen(clip, camera, at, unit, where)
        detected[frame, side], score[frame, side] = True, one.record.score * sure
    if doubled:
        notes.append(
            f"Hands: {doubled} more of the same side in one frame were left out; the best score counts."
        )
    if not spaces:
        notes.append("Hands were given in pixels alone: their shape in depth was taken as flat.")
    return HandObservations(pixels, local, detected, np.zeros_like(detected), score), notes


class _Joints:
    """One detection with its joints in the file's order."""

    def __init__(self, record: HandRecord, image: Array | None, space: Array | None, mirrored: bool) -> None:
        self.record, self.image, self.space, self.mirrored = record, image, space, mirrored

    @classmethod
    def of(cls, record: HandRecord, where: str) -> _Joints:
        at = f"{where}, frame {record.frame}"
        image = record.array(IN_IMAGE, (), at)
        space = record.array(IN_SPACE, (JOINTS, 3), at)
        flat = None
        if image is not None:
            flat = _in_pixels(record, *image, at)
        mirrored = space is not None and space[0] in _LEFT_MIRRORED and record.side == 0
        empty = space is not None and not np.ptp(space[1], axis=0).any()
        return cls(record, flat, None if space is None or empty else space[1], mirrored)

    def seen(
        self, clip: Clip, camera: Camera | None, at: Any, unit: float, where: str
    ) -> tuple[Array, Array, float]:
        """Pixels (21, 2), the hand in its own frame (21, 3) in metres, and how far that can be trusted."""
        pixels = None if self.image is None else _of_shares(self.image[at], clip)
        if self.space is None:
            assert pixels is not None
            return pixels, _flat(pixels), _FLAT_SCORE
        space = self.space[at] * unit
        if self.mirrored:
            space = space * np.array([-1.0, 1.0, 1.0])
        local = space - space.mean(0)
        moved = _moved(self.record, space, unit, where)
        view = self._view(clip, camera, moved)
        if pixels is None:
            if moved is None or view is None:
                raise InputError(
                    f"{where}: joints in space need a place in the picture: give joints_2d in pixels, or cam_t with "
                    "the focal length it was made for, or joints in the camera's frame with the camera"
                )
            pixels = view.project(moved)
        real = moved is not None and camera is not None and view is not None and _alike(view, camera)
        if real:
            assert moved is not None
            # Lifting takes guesses as of crops, seen as if the camera pointed at them; these are of the whole picture.
            rays = (moved[:, :2] / moved[:, 2:])[[0, 5, 9, 13, 17]].mean(0)
            local = local @ towards(rays[None])[0]
        return pixels, local, 1.0

    def _view(self, clip: Clip, camera: Camera | None, moved: Array | None) -> Camera | None:
        """The camera that the file's joints in space were made for."""
        focal = next((self.record.values[n] for n in FOCALS if self.record.values.get(n) is not None), None)
        if focal is not None:
            value = float(np.asarray(focal, np.float64).reshape(-1)[0])
            if not (np.isfinite(value) and value > 0):
                raise InputError(f"hands: the focal length must be positive pixels, but is {value}")
            return Camera.from_focal(value, clip.width, clip.height)
        far = moved is not None and float(np.median(moved[:, 2])) > _OUT_OF_REACH
        if far or any(self.record.values.get(n) is not None for n in SHIFTS[:2]):
            assumed = NETWORK_FOCAL / NETWORK_SIDE * max(clip.width, clip.height)
            return Camera.from_focal(assumed, clip.width, clip.height)
        return camera


def _moved(record: HandRecord, space: Array, unit: float, where: str) -> Array | None:
    """Joints in the frame of the file's camera, or None where they are relative to the hand."""
    shift = (
        record.array(SHIFTS, (3,), where) if any(record.values.get(n) is not None for n in SHIFTS) else None
    )
    moved = space if shift is None else space + shift[1].reshape(3) * (unit if unit != 1.0 else 1.0)
    if float(moved[:, 2].min()) <= _ROOTED:
        return None
    return moved


def _alike(first: Camera, second: Camera) -> bool:
    return abs(first.fx / second.fx - 1.0) < _ALIKE


def _in_pixels(record: HandRecord, name: str, joints: Array, where: str) -> Array | None:
    """Joints (21, 2) in pixels; those of a crop are moved to where the crop was cut out."""
    if joints.ndim == 3 and len(joints) == 1:
        joints = joints[0]
    if joints.ndim != 2 or joints.shape[0] != JOINTS or joints.shape[1] not in (2, 3):
        raise InputError(f"{where}: {name} must have shape (21, 2), but has {joints.shape}")
    joints = joints[:, :2]
    if not joints.any():
        return None
    if name == "pred_keypoints_2d":
        center, size = record.values.get("box_center"), record.values.get("box_size")
        if center is None or size is None:
            return None if np.abs(joints).max() <= 1.0 else joints
        flipped = joints * (np.array([-1.0, 1.0]) if record.side == 0 else 1.0)
        return np.asarray(flipped * float(np.ravel(size)[0]) + np.asarray(center, np.float64).reshape(2))
    return joints


def _of_shares(joints: Array, clip: Clip) -> Array:
    """Joints in pixels; shares of the picture, as MediaPipe gives them, become pixels."""
    if np.abs(joints).max() > _SHARES:
        return joints
    return joints * np.array([clip.width, clip.height]) - 0.5


def _flat(pixels: Array) -> Array:
    """A hand that lies in the plane of the picture, as large as an adult's."""
    scale = float(AVERAGE_LENGTHS[5]) / max(float(hand_size(pixels)), 1.0)
    flat = (pixels - pixels.mean(0)) * scale
    return np.concatenate([flat, np.zeros((len(flat), 1))], 1)
