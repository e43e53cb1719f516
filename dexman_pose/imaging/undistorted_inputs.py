"""What belongs to a clip, undistorted at the door: frames and depth when they are asked for, the rest at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.clip import Clip
from dexman_pose.data.depth import DepthSequence
from dexman_pose.data.masks import MaskSequence
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.data.tracks import HandObservations, HandTrack
from dexman_pose.errors import InputError
from dexman_pose.imaging.undistort import Undistortion, undistortion_of, without_harmless_skew

Frame = NDArray[np.uint8]


class UndistortedClip(Clip):
    """A clip whose frames are undistorted when they are asked for.

    Attributes:
        undistortion: from the filmed to the undistorted camera.
        filmed: the clip as it was filmed.
    """

    def __init__(self, filmed: Clip, undistortion: Undistortion) -> None:
        given = undistortion.given
        if (filmed.width, filmed.height) != (given.width, given.height):
            raise InputError(
                f"the clip is {filmed.width}x{filmed.height}, but its camera is for {given.width}x{given.height}; "
                "give intrinsics in pixels of this clip"
            )
        size = (filmed.width, filmed.height)
        super().__init__(_Source(filmed, undistortion), filmed.frame_times, size, path=filmed.path)
        self.filmed, self.undistortion = filmed, undistortion

    def sha256(self) -> str:
        """Hash of the filmed content and of the lens."""
        u = self.undistortion
        digest = hashlib.sha256(self.filmed.sha256().encode())
        lens = u.given.lens
        digest.update(f"{lens.model if lens else None} {u.given.width}x{u.given.height}".encode())
        for array in (u.given.K, lens.coefficients if lens else None, u.camera.K):
            digest.update(b"none" if array is None else array.tobytes())
        return digest.hexdigest()


class _Source:
    """Frames of a clip, undistorted on their way out."""

    def __init__(self, filmed: Clip, undistortion: Undistortion) -> None:
        self._filmed, self._undistortion = filmed, undistortion

    def one(self, index: int) -> Frame:
        return self._undistortion.picture(self._filmed.frame(index))

    def forward(self, start: int, stop: int) -> Iterator[Frame]:
        return (self._undistortion.picture(image) for _, image in self._filmed.frames(start, stop))

    def backward(self, start: int, stop: int) -> Iterator[Frame]:
        frames = self._filmed.frames(start, stop, reverse=True)
        return (self._undistortion.picture(image) for _, image in frames)


def undistorted_clip(clip: Clip, filmed: Camera | None) -> Clip:
    """The clip as an ideal pinhole would have filmed it.

    Args:
        clip: as filmed; one that is undistorted already is given back.
        filmed: the camera with its lens; None and a pinhole change nothing.
    """
    found = None if filmed is None else undistortion_of(without_harmless_skew(filmed))
    return clip if found is None or isinstance(clip, UndistortedClip) else UndistortedClip(clip, found)


def filmed_clip(clip: Clip) -> Clip:
    """The clip as it was filmed, whether it is undistorted or not."""
    return clip.filmed if isinstance(clip, UndistortedClip) else clip


def undistorted_depth(depth: DepthSequence | None, found: Undistortion) -> DepthSequence | None:
    """Depth images registered to the filmed pictures, undistorted when they are asked for."""
    if depth is None:
        return None
    names = [f"undistorted depth image {i}" for i in range(len(depth))]
    return DepthSequence(lambda i: found.depth(depth.frame(i)), names, 1.0)


def undistorted_masks(masks: MaskSequence, found: Undistortion) -> MaskSequence:
    """Label images of the filmed pictures, undistorted; what was not filmed is an occluder."""
    out = MaskSequence(masks.names, masks.height, masks.width, masks.num_frames, masks.confidence.copy())
    for frame in range(masks.num_frames):
        out.set(frame, found.labels(masks.labels(frame)))
    return out


def outside_marked(masks: MaskSequence, clip: Clip) -> MaskSequence:
    """Masks made from an undistorted clip, with what was not filmed an occluder; of another clip as they are."""
    if not isinstance(clip, UndistortedClip) or not clip.undistortion.outside.any():
        return masks
    out = MaskSequence(
        masks.names, masks.height, masks.width, masks.num_frames, masks.confidence, faults=masks.faults
    )
    for frame in range(masks.num_frames):
        out.set(frame, clip.undistortion.mark_outside(masks.labels(frame)))
    return out


def undistorted_prompt(name: str, prompt: ObjectPrompt, found: Undistortion) -> ObjectPrompt:
    """A prompt given in the filmed picture, moved to the undistorted one.

    Raises:
        InputError: it points at what the undistorted picture does not show.
    """
    try:
        return replace(
            prompt,
            box=None if prompt.box is None else found.box(prompt.box),
            points=None if prompt.points is None else _moved_points(prompt.points, found),
            mask=None if prompt.mask is None else found.mask(prompt.mask),
        )
    except InputError as error:
        raise type(error)(f"object {name!r}: {error}") from error


def _moved_points(points: NDArray[np.float64], found: Undistortion) -> NDArray[np.float64]:
    moved = found.pixels(points[:, :2])
    size = np.array([found.camera.width, found.camera.height])
    seen = ((moved >= -0.5) & (moved < size - 0.5)).all(-1)  # NaN compares False
    wanted = points[:, 2] == 1
    if (wanted & ~seen).any():
        at = points[int(np.argmax(wanted & ~seen)), :2].tolist()
        raise InputError(
            f"the point {at} lies where the lens shows more than an undistorted picture can; point at another place"
        )
    kept = np.concatenate([np.clip(moved, 0, size - 1), points[:, 2:]], 1)[seen]
    return np.asarray(kept, np.float64)


def undistorted_hands(hands: HandObservations, found: Undistortion) -> HandObservations:
    """Joints seen in the filmed pictures, moved to the undistorted ones."""
    return replace(hands, joints_2d=_moved(hands.joints_2d, found))


def _moved(joints_2d: Array, found: Undistortion) -> Array:
    """Joints (..., 2) moved; what the lens does not show stays where it is."""
    moved = found.pixels(joints_2d)
    return np.where(np.isfinite(moved).all(-1, keepdims=True), moved, joints_2d)


def undistorted_tracks(hands: dict[str, HandTrack] | None, camera: Camera) -> dict[str, HandTrack] | None:
    """Metric hands with their pixels moved from the filmed pictures to the undistorted ones."""
    found = undistortion_of(without_harmless_skew(camera))
    if found is None or not hands:
        return hands
    return {side: replace(hand, joints_2d=_moved(hand.joints_2d, found)) for side, hand in hands.items()}


def undistorted_views(
    clip: Clip, masks: MaskSequence, camera: Camera, depth: DepthSequence | None
) -> tuple[Clip, MaskSequence, Camera, DepthSequence | None]:
    """All that shows an object in a clip, as an ideal pinhole would have: the door of functions on clips.

    A pinhole's are given back as they are, at no cost.
    """
    camera = without_harmless_skew(camera)
    found = undistortion_of(camera)
    if found is None:
        return clip, masks, camera, depth
    straight = clip if isinstance(clip, UndistortedClip) else UndistortedClip(clip, found)
    return straight, undistorted_masks(masks, found), found.camera, undistorted_depth(depth, found)
