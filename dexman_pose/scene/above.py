"""What is never under the table: objects and hands, through the whole clip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import HandTrack, RigidObject
from dexman_pose.geometry.se3 import transform_points
from dexman_pose.scene.evidence import Above
from dexman_pose.scene.options import SceneOptions
from dexman_pose.scene.pose_sigmas import pose_sigmas

T = TypeVar("T", bound=np.generic)


def objects_above(
    objects: Mapping[str, RigidObject],
    corners: Mapping[str, Array],
    camera: Camera,
    options: SceneOptions | None = None,
) -> list[Above]:
    """Objects of known shape.

    Args:
        objects: by name.
        corners: of the convex hulls of some of them, object frame.
        camera: of the clip.
        options: how far poses are off.
    """
    o = options or SceneOptions()
    out = []
    for name, hull in corners.items():
        frames = _few(np.flatnonzero(objects[name].valid), o.sample)
        if len(frames):
            points = transform_points(objects[name].camera_from_object[frames], _few(hull, o.sample))
            sigmas, held = pose_sigmas(objects[name], camera, o.sigmas), o.sigmas.held
            out.append(
                Above(name, points, held * sigmas.lateral, held * sigmas.along, o.priors.deepest, True)
            )
    return out


def hands_above(hands: Mapping[str, HandTrack], options: SceneOptions | None = None) -> list[Above]:
    """Hands: their joints; distances that rest on an average hand are off by several per cent."""
    o = options or SceneOptions()
    out = []
    for side, hand in hands.items():
        frames = _few(np.flatnonzero(hand.valid & ~hand.bridged), o.sample)
        if len(frames):
            place, along = o.sigmas.hand_place, o.sigmas.hand_along
            out.append(Above(f"{side} hand", hand.joints[frames], place, along, o.priors.hand_deepest, False))
    return out


def _few(values: NDArray[T], most: int) -> NDArray[T]:
    """At most so many rows, evenly spread."""
    if len(values) <= most:
        return values
    return values[np.linspace(0, len(values) - 1, most).astype(int)]
