"""What of a result rests on a camera that stands still, and what is left of it where the camera moved.

A pose is in the frame of the camera at that moment. What rests on the camera standing still, and what does not:

- An object with a given mesh: no. Its outline and texture fix its pose in every frame by themselves, so its flags
  stay as the tracker set them.
- An object whose shape was made from the clip: yes. Shape and pose both come from masks alone, and those were
  cut out with a model of a background that stays where it is; nothing else holds them. Not valid while the camera is
  elsewhere.
- A hand bridged over a gap: yes. It was interpolated in the frame of the camera. Not valid while the camera is
  elsewhere; a hand that was seen keeps its flags.
- One world for all frames: yes. ``world_from_camera`` is one matrix; poses of frames with the camera in different
  places are not in one frame. That is said, not flagged.

*Elsewhere* is every frame that is moved, or unknown since the last one that was: until the camera is seen to be back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dexman_pose.data.doubt import Doubt
from dexman_pose.data.files import read_arrays, write_npz
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.tracks import HandTrack, RigidObject, doubted

if TYPE_CHECKING:
    from dexman_pose.imaging.camera_motion import CameraMotion


def withhold_objects(
    objects: Mapping[str, RigidObject], meshes: Mapping[str, Mesh | None], motion: CameraMotion
) -> dict[str, RigidObject]:
    """Take ``valid`` from objects without a mesh of their own where the camera has moved."""
    if not motion.moves:
        return dict(objects)
    return {
        name: obj
        if meshes.get(name) is not None
        else replace(obj, track=doubted(obj.track, motion.displaced, Doubt.CAMERA))
        for name, obj in objects.items()
    }


def withhold_hands(hands: Mapping[str, HandTrack], motion: CameraMotion) -> dict[str, HandTrack]:
    """Take ``valid`` from hands that were interpolated, not seen, where the camera has moved."""
    if not motion.moves:
        return dict(hands)
    return {
        side: replace(
            hand,
            valid=hand.valid & ~(hand.bridged & motion.displaced),
            bridged=hand.bridged & ~motion.displaced,
        )
        for side, hand in hands.items()
    }


def camera_motion_provenance(motion: CameraMotion) -> dict[str, Any]:
    """Plain values for a trajectory: counts, stretches, pixels, a sentence."""
    return {
        "moves": motion.moves,
        "moved_frames": int(motion.moved.sum()),
        "unknown_frames": int(motion.unknown.sum()),
        "ranges": [list(stretch) for stretch in motion.ranges],
        "cuts": list(motion.cuts),
        "max_displacement_px": float(motion.displacement.max(initial=0.0)),
        "summary": motion.summary,
    }


def camera_motion_notices(motion: CameraMotion, meshes: Mapping[str, Mesh | None]) -> list[str]:
    """Sentences about a camera that moved, or of which mostly nothing can be told; none when it stands still."""
    sentence = motion.summary[0].upper() + motion.summary[1:]
    if not motion.moves:
        mostly = motion.unknown.sum() > 0.5 * len(motion.codes)
        return [f"{sentence}: whether the camera moved was not checked there."] if mostly else []
    made = [name for name, mesh in meshes.items() if mesh is None]
    text = f"{sentence}: poses are those in the camera's frame at that moment, not in one world"
    if made:
        text += f"; {', '.join(made)}, whose shape was made from the clip, is not valid there"
    return [f"{text}; hands are not bridged there."]


def save_camera_motion(motion: CameraMotion, path: Path) -> None:
    """Write how the camera moved."""
    cuts = np.array(motion.cuts, dtype=np.int64)
    write_npz(path, {"displacement": motion.displacement, "codes": motion.codes, "cuts": cuts})


def load_camera_motion(path: Path) -> CameraMotion:
    """Read what :func:`save_camera_motion` wrote."""
    from dexman_pose.imaging.camera_motion import CameraMotion

    stored = read_arrays(path)
    cuts = tuple(int(cut) for cut in stored["cuts"])
    return CameraMotion(stored["displacement"], stored["codes"], cuts)
