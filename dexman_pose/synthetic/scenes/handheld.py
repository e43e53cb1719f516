"""The way of a camera held in a hand: it circles a place a little, pans, and shakes; smooth, the same for a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.geometry.se3 import se3, so3_exp

View = Callable[[float], Array]
"""camera_from_world (4, 4) at a time in frames."""


@dataclass(frozen=True)
class HandheldOptions:
    """How the camera is held.

    Attributes:
        distance: metres from the target, drawn between the two.
        elevation: degrees above the table, drawn between the two.
        circle: degrees by which it circles the target, to each side.
        approach: share of the distance by which it comes and goes.
        pan: (2,) pixels by which the target wanders in the picture, across and down, where there is room.
        roll: degrees by which it rolls to each side.
        shake: pixels of the quick shaking of the hand.
        pixels: motion of the target in the picture that one frame in ten exceeds, pixels a frame, drawn between.
        period: frames of the pan before the speed is set.
    """

    distance: tuple[float, float] = (0.42, 0.6)
    elevation: tuple[float, float] = (22.0, 50.0)
    circle: float = 14.0
    approach: float = 0.08
    pan: tuple[float, float] = (115.0, 70.0)
    roll: float = 3.0
    shake: float = 2.5
    pixels: tuple[float, float] = (9.0, 14.0)
    period: float = 60.0


def handheld(
    rng: np.random.Generator,
    target: Array,
    radius: float,
    camera: Camera,
    options: HandheldOptions | None = None,
) -> View:
    """A way about a target.

    Args:
        rng: random numbers.
        target: (3,) world axes, z up; the camera looks at it from -y.
        radius: of what has to stay in the picture, metres.
        camera: its focal length and size.
        options: how it is held.
    """
    o = options or HandheldOptions()
    distance, up = rng.uniform(*o.distance), np.radians(rng.uniform(*o.elevation))
    beside = rng.uniform(-0.5, 0.5)
    phase, pace = rng.uniform(0, 2 * np.pi, 12), rng.uniform(0.75, 1.25, 12)
    size = np.array([camera.width, camera.height])
    room = 0.5 * size - radius * camera.fx / distance - 14
    pan = np.clip(room, 4.0, o.pan) / camera.fx

    def view(t: float) -> Array:
        slow = np.sin(phase + 2 * np.pi * pace * t / o.period)
        quick = np.sin(2 * phase + 2 * np.pi * pace * t / (0.16 * o.period))
        azimuth = beside + np.radians(o.circle) * slow[0]
        elevation = up + np.radians(0.35 * o.circle) * slow[1]
        away = distance * (1 + o.approach * slow[2])
        looking = _looking(azimuth, elevation)
        small = o.shake / camera.fx
        turn = np.array([pan[1] * slow[3] + small * quick[3], pan[0] * slow[4] + small * quick[4], 0.0])
        turn[2] = np.radians(o.roll) * (slow[5] + 0.15 * quick[5])
        wobble = small * distance * quick[6:9]
        rotation = so3_exp(turn) @ looking
        return se3(rotation, so3_exp(turn) @ (np.array([0.0, 0.0, away]) + wobble) - rotation @ target)

    return _paced(view, target, camera, float(rng.uniform(*o.pixels)))


def _looking(azimuth: float, elevation: float) -> Array:
    """(3, 3) camera_from_world of a camera beside -y that looks at the origin."""
    flat = np.array([np.sin(azimuth), np.cos(azimuth), 0.0])
    forward = np.cos(elevation) * flat - [0.0, 0.0, np.sin(elevation)]
    right = np.array([np.cos(azimuth), -np.sin(azimuth), 0.0])
    return np.stack([right, np.cross(forward, right), forward])


def _paced(view: View, target: Array, camera: Camera, pixels: float) -> View:
    """The same way at such a pace that one frame in ten moves the target by more than so many pixels."""
    pace = 1.0
    for _ in range(3):
        seen = camera.project(np.array([_apply(view(pace * t), target) for t in range(120)]))
        pace *= pixels / float(np.percentile(np.linalg.norm(np.diff(seen, axis=0), axis=1), 90))
        pace = float(np.clip(pace, 0.2, 3.0))
    return lambda t: view(pace * t)


def _apply(pose: Array, point: Array) -> Array:
    return pose[:3, :3] @ point + pose[:3, 3]
