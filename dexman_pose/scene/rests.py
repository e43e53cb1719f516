"""Objects at rest: what does not move while no hand holds it stands on a face of its hull."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import HandTrack, RigidObject
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.scene.evidence import Rest
from dexman_pose.scene.faces import StandingFaces
from dexman_pose.scene.options import RestOptions, SceneOptions
from dexman_pose.scene.pose_sigmas import pose_sigmas
from dexman_pose.scene.stillness import Stretch, still_stretches

FREE, UNKNOWN, HELD = "free", "unknown", "held"


def object_rests(
    obj: RigidObject,
    faces: StandingFaces,
    camera: Camera,
    hands: Mapping[str, HandTrack],
    frame_times: Array,
    options: SceneOptions | None = None,
) -> list[Rest]:
    """Find the places in which an object is at rest.

    Args:
        obj: of known shape.
        faces: of its mesh.
        camera: of the clip.
        hands: by side; what they hold still is not at rest.
        frame_times: (T,) seconds.
        options: what is rest, and how far poses are off.
    """
    o = options or SceneOptions()
    if not len(faces.share):
        return []
    out = []
    for stretch in still_stretches(obj.track, obj.mesh.center, o.rests):
        held = holding(stretch, obj, camera, hands, o.rests)
        if held == HELD:
            continue
        sigmas = pose_sigmas(obj, camera, o.sigmas, stretch.frames)
        turn = stretch.pose[:3, :3]
        middle = turn @ obj.mesh.center + stretch.pose[:3, 3]
        out.append(
            Rest(
                obj.name,
                int(stretch.frames[0]),
                int(stretch.frames[-1]),
                -faces.down @ turn.T,
                np.hypot(faces.sigma, sigmas.turn),
                faces.share,
                transform_points(stretch.pose, faces.corners),
                middle,
                sigmas.lateral,
                sigmas.along * float(np.linalg.norm(middle)),
                _wrong(held, float(np.ptp(frame_times[stretch.frames])), o),
            )
        )
    return out


def holding(
    stretch: Stretch, obj: RigidObject, camera: Camera, hands: Mapping[str, HandTrack], options: RestOptions
) -> str:
    """Whether a hand may hold an object that stands still.

    It does not where no hand is near in some of the frames, or where the hand that is near moves. Near is a hand whose
    joints are near the object in the picture, and not plainly before or behind it.

    Returns:
        ``free``, ``held``, or ``unknown`` where hands were not looked for or not seen in these frames.
    """
    frames = stretch.frames
    middle = stretch.pose[:3, :3] @ obj.mesh.center + stretch.pose[:3, 3]
    metres = float(middle[2]) / camera.fx
    at = camera.project_finite(middle)
    seen = [hand.valid[frames] for hand in hands.values()]
    if not seen or not np.any(seen):
        return UNKNOWN
    away = np.ones(len(frames), np.bool_)
    moving = True
    for hand in hands.values():
        valid = hand.valid[frames]
        joints = hand.joints_2d[frames]
        apart = np.linalg.norm(joints - at, axis=-1).min(1) * metres - obj.mesh.radius
        beyond = np.abs(hand.joints[frames, :, 2] - middle[2]).min(1) - obj.mesh.radius
        near = valid & (apart < options.clear) & (beyond < options.beyond * middle[2])
        away &= ~near
        if near.sum() > 1:
            moving &= _way(joints[near]) * metres > options.moving
    enough = away.mean() >= options.free
    return FREE if enough or moving else HELD


def _way(joints: Array) -> float:
    """Pixels by which a hand (T, 21, 2) moves: the median joint's farthest way from its first place."""
    return float(np.median(np.linalg.norm(joints - joints[0], axis=-1), axis=1).max())


def _wrong(held: str, seconds: float, o: SceneOptions) -> float:
    """Probability that what does not move for some seconds is not on the table."""
    if held == FREE:
        return o.priors.wrong
    return o.priors.unknown if seconds >= o.rests.long else o.priors.brief
