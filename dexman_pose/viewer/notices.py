"""What a reader must know before using the numbers: assumptions, gaps, guesses; in plain words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dexman_pose.data import HandTrack, RigidObject, Trajectory
from dexman_pose.data.camera_files.choice import check_plausible
from dexman_pose.data.doubt import DOUBT_TEXT, Doubt
from dexman_pose.data.tracks import SIDES
from dexman_pose.errors import InputError
from dexman_pose.viewer._text import frame_ranges, percent
from dexman_pose.viewer.sizes import hand_notices_of, unit_notice

_SCALE_TEXT = {
    "hand": "its size follows from the size of the hand that handles it, taken as an average adult's",
    "contact": "its size was chosen so that the hand touches it; expect some per cent of error",
    "table": "its size is that with which it stands on the table",
    "unknown": "nothing fixed its metric size; lengths and distances of it are up to one common factor",
}


class Notice(NamedTuple):
    """What a sentence is about - the camera, an object's name, a hand, the run - and the sentence."""

    about: str
    text: str


def notices(trajectory: Trajectory) -> list[str]:
    """Sentences about everything assumed, guessed or missing in a trajectory; empty when nothing is."""
    return [notice.text for notice in noted(trajectory)]


def noted(trajectory: Trajectory) -> list[Notice]:
    """The same sentences, each with what it is about."""
    found = [Notice("camera", text) for text in _camera_notices(trajectory)]
    for name, obj in trajectory.objects.items():
        unit = unit_notice(obj, trajectory.provenance)
        found += [Notice(name, text) for text in ([] if unit is None else [unit]) + _object_notices(obj)]
        found += [Notice(name, text) for text in hand_notices_of(trajectory, obj)]
    for side in SIDES if _hands_looked_for(trajectory) else ():
        hand = trajectory.hands.get(side)
        texts = [f"The {side} hand was never seen."] if hand is None else _hand_notices(hand)
        found += [Notice(f"{side} hand", text) for text in texts]
    if not trajectory.objects:
        found.append(Notice("run", "The trajectory holds no object."))
    extra = trajectory.provenance.get("notices", [])
    return found + [Notice("run", str(text)) for text in (extra if isinstance(extra, list) else [extra])]


def _hands_looked_for(trajectory: Trajectory) -> bool:
    """Whether a hand that is not there can be called unseen: not when the run was told to leave hands out."""
    settings = trajectory.provenance.get("settings")
    switched_off = isinstance(settings, dict) and "hands" in settings and settings["hands"] in (None, "none")
    return bool(trajectory.hands) or not switched_off


def _camera_notices(trajectory: Trajectory) -> list[str]:
    camera = trajectory.camera
    view = np.degrees(2 * np.arctan(0.5 * camera.width / camera.fx))
    if camera.source == "assumed":
        return [
            f"The camera was not known: a field of view of {view:.0f} degrees was assumed, not measured. "
            "Distances from the camera are off by the same factor as the focal length."
        ]
    if camera.source == "estimated":
        return [
            f"The focal length ({camera.fx:.0f} px, {view:.0f} degrees wide) was estimated from the clip."
        ]
    try:
        check_plausible(camera.K, camera.width, camera.height)
    except (
        InputError
    ) as error:  # a crop may have such a camera; intrinsics of another resolution look the same
        return [f"The camera is right only for a picture that was cut out of a larger one: {error}."]
    return []


def _object_notices(obj: RigidObject) -> list[str]:
    found = []
    if obj.scale_source in _SCALE_TEXT:
        found.append(f"{obj.name}: {_SCALE_TEXT[obj.scale_source]}.")
    seen = obj.mesh.seen
    if seen is not None and not seen.all():
        share = percent(float(1.0 - seen.mean()))
        kind = (
            ""
            if obj.mesh.sure is None
            else f" Its kind, {obj.mesh.source}, is {percent(obj.mesh.sure)} sure."
        )
        found.append(
            f"{obj.name}: {share} of its faces were never seen by the camera; their shape is a guess.{kind}"
        )
    elif seen is None and obj.mesh.source != "file":
        found.append(
            f"{obj.name}: its mesh was made ({obj.mesh.source}), not given; unseen sides are a guess."
        )
    if not obj.valid.all():
        count = int((~obj.valid).sum())
        found.append(
            f"{obj.name}: no usable pose in {count} of {len(obj.valid)} frames: {frame_ranges(~obj.valid)}."
        )
    doubts = doubt_text(obj)
    return [*found, f"{obj.name}: {doubts}."] if doubts else found


def doubt_text(obj: RigidObject) -> str:
    """Why poses of an object are not to be used, and where only its mask is lost; empty when nothing is in doubt.

    For example ``"pose lost in frames 31-40 (colours disagree); mask lost but pose kept in frames 50-60"``.
    """
    doubt = obj.track.doubt
    if doubt is None:
        return ""
    parts, told = [], np.zeros(len(doubt), np.bool_)
    for reason, words in DOUBT_TEXT.items():
        # A frame is told once, under its first reason.
        frames = ((doubt & np.uint16(reason)) != 0) & ~told
        if reason is Doubt.MASK_LOST:
            frames &= obj.valid
        else:
            frames &= ~obj.valid
        told |= frames
        if frames.any():
            where = f"in frames {frame_ranges(frames)}"
            parts.append(f"{words} {where}" if reason is Doubt.MASK_LOST else f"pose lost {where} ({words})")
    return "; ".join(parts)


def _hand_notices(hand: HandTrack) -> list[str]:
    found = []
    if hand.scale_source == "hand" and hand.valid.any():
        found.append(f"The {hand.side} hand's size was taken as an average adult's.")
    absent, bridged = ~hand.valid, hand.valid & hand.bridged
    if absent.any():
        found.append(
            f"The {hand.side} hand is absent in {int(absent.sum())} of {len(hand)} frames: "
            f"{frame_ranges(absent)}."
        )
    if bridged.any():
        found.append(
            f"The {hand.side} hand was not seen but interpolated in {int(bridged.sum())} frames: "
            f"{frame_ranges(bridged)}."
        )
    return found
