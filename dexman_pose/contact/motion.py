"""How objects and hands are seen to move, across the line of sight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.contact.bridging import LEAST_CONFIDENCE
from dexman_pose.contact.hysteresis import hysteresis
from dexman_pose.contact.phase_options import PhaseOptions
from dexman_pose.data import HandTrack, RigidObject
from dexman_pose.geometry.se3 import inverse, transform_points

Flags = NDArray[np.bool_]

_PALM = (0, 5, 9, 13, 17)
_NEAREST = 1e-3  # metres before the camera, where a projection has no meaning any more


def near_object(thing: RigidObject, hand: HandTrack, o: PhaseOptions) -> Flags:
    """(T,) the hand is seen on the object, or beside it."""
    vertices = thing.mesh.vertices
    chosen = vertices[np.linspace(0, len(vertices) - 1, min(len(vertices), o.points)).astype(int)]
    out = np.zeros(len(hand), np.bool_)
    for t in np.flatnonzero(hand.valid & thing.valid):
        surface = transform_points(thing.camera_from_object[t], chosen)
        rays = hand.joints[t, :, :2] / hand.joints[t, :, 2:]
        across = np.linalg.norm(rays[:, None] - (surface[:, :2] / surface[:, 2:])[None], axis=-1)
        depth = float(surface[:, 2].mean())
        off = abs(float(hand.joints[t, :, 2].mean()) - depth) - thing.mesh.radius
        out[t] = across.min() * depth < o.near and off < o.deep * depth
    return out


def is_moving(thing: RigidObject, half: int, shortest: int, o: PhaseOptions) -> Flags:
    """(T,) the object moves.

    A pose in doubt tells where the object is seen, not how far it is nor how it is turned: its middle counts alone,
    across the line of sight.
    """
    points = thing.mesh.center + thing.mesh.radius * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    placed = transform_points(thing.camera_from_object, points)
    firm = believed(thing)
    change, sure = _changes(placed, firm, half)
    middle = _across(placed[:, :1], thing.valid)
    seen, known = _changes(middle, thing.valid, half)
    noise, blurred = _noise(placed, firm), _noise(middle, thing.valid)
    on, off = (max(least, o.noise * noise) for least in (o.moving, o.still))
    share = on / max(o.moving, o.noise * blurred)
    moved = np.where(
        sure, np.linalg.norm(change, axis=-1).mean(-1), share * np.linalg.norm(seen[:, 0], axis=-1)
    )
    return hysteresis(-moved, known, -on, -off, min_frames=shortest)


def believed(thing: RigidObject) -> Flags:
    """(T,) frames whose pose is neither doubted nor bridged."""
    out: Flags = thing.valid & (thing.track.confidence > LEAST_CONFIDENCE)
    return out


def relative_motion(thing: RigidObject, hand: HandTrack, half: int) -> tuple[Array, Array, Flags]:
    """How far the palm moves over a window from where the object would carry it, and how far that is.

    Both (T,) metres across the line of sight, the palm put where the object is along it; and where they are known.
    """
    frames = np.arange(len(hand))
    before, after = np.maximum(frames - half, 0), np.minimum(frames + half, len(hand) - 1)
    palm = hand.joints[:, list(_PALM)].mean(1)
    middle = transform_points(thing.camera_from_object, thing.mesh.center[None])[:, 0]
    placed = palm * (middle[:, 2:] / palm[:, 2:])
    carry = thing.camera_from_object[after] @ inverse(thing.camera_from_object[before])
    carried = transform_points(carry, placed[before][:, None])[:, 0]
    depth = middle[after, 2:]
    apart = np.linalg.norm(carried[:, :2] / carried[:, 2:] - placed[after, :2] / placed[after, 2:], axis=1)
    along = np.linalg.norm(carried - placed[before], axis=1)
    both = hand.valid & thing.valid
    return apart * depth[:, 0], along, both & both[before] & both[after]


def ways(thing: RigidObject, hand: HandTrack, half: int) -> tuple[Array, Array]:
    """How far the object's middle is seen to move over a window, and the joint of the hand that moves most.

    Both (T,) metres across the line of sight at the object's distance.
    """
    frames = np.arange(len(hand))
    before, after = np.maximum(frames - half, 0), np.minimum(frames + half, len(hand) - 1)
    middle = transform_points(thing.camera_from_object, thing.mesh.center[None])
    depth = np.maximum(middle[:, 0, 2], _NEAREST)

    def moved(points: Array) -> Array:
        rays = points[..., :2] / np.maximum(points[..., 2:], _NEAREST)
        out: Array = np.linalg.norm(rays[after] - rays[before], axis=-1).max(-1) * depth
        return out

    return moved(middle), moved(hand.joints)


def palm_on(thing: RigidObject, hand: HandTrack) -> Array:
    """(T, 2) where the palm is seen from the object's middle, metres across the line of sight at its distance."""
    middle = transform_points(thing.camera_from_object, thing.mesh.center[None])[:, 0]
    palm = hand.joints[:, list(_PALM)].mean(1)
    rays = [points[:, :2] / np.maximum(points[:, 2:], _NEAREST) for points in (palm, middle)]
    out: Array = (rays[0] - rays[1]) * middle[:, 2:]
    return out


def _noise(points: Array, known: Flags) -> float:
    """Noise of points (T, N, D), the middle over frames whose neighbours are known too."""
    _, near = _changes(points, known, 1)
    return float(np.median(_wobble(points)[near])) if near.any() else 0.0


def _across(points: Array, valid: Flags) -> Array:
    """(T, N, 2) places of points (T, N, 3) across the line of sight, metres at their usual distance."""
    usual = float(np.median(points[valid][..., 2])) if valid.any() else 1.0
    out: Array = points[..., :2] / np.maximum(points[..., 2:], _NEAREST) * usual
    return out


def _wobble(points: Array) -> Array:
    """(T,) noise of points (T, N, 3): their second differences, as large as those of steady places would be."""
    out = np.zeros(len(points))
    second = np.linalg.norm(points[2:] - 2 * points[1:-1] + points[:-2], axis=-1).mean(-1)
    out[1:-1] = second / np.sqrt(6.0)
    return out


def _changes(points: Array, valid: Flags, half: int) -> tuple[Array, Flags]:
    """Changes (T, N, D) of points over a window about each frame, and where both its ends are known."""
    frames = np.arange(len(points))
    before, after = np.maximum(frames - half, 0), np.minimum(frames + half, len(points) - 1)
    return points[after] - points[before], valid & valid[before] & valid[after]
