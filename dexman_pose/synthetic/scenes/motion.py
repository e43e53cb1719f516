"""How the object moves in the stress suite: smooth paths of a real-valued time in frames, the same for a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data import Camera
from dexman_pose.geometry.se3 import se3, so3_exp

Path = Callable[[float], Array]

_SMALL_PIXELS = (62.0, 90.0)  # across, of the objects that are seen small


@dataclass(frozen=True)
class Placement:
    """Where an object is at rest: its middle (3,) in the camera frame, and its orientation (3, 3)."""

    middle: Array
    rotation: Array


def place(rng: np.random.Generator, radius: float, camera: Camera, *, small: bool) -> Placement:
    """A random place 0.35 to 0.9 m away, whole in the picture; ``small`` ones are farther where need be."""
    if small:
        depth = 2 * radius * camera.fx / rng.uniform(*_SMALL_PIXELS)
    else:
        nearest = max(0.35, 2 * radius * camera.fx / (0.72 * camera.height))
        depth = rng.uniform(nearest, max(0.9, nearest))
    room = (0.5 * np.array([camera.width, camera.height]) - radius * camera.fx / depth) * depth / camera.fx
    xy = rng.uniform(-0.6, 0.6, 2) * np.maximum(room, 0)
    q = rng.standard_normal(4)
    from dexman_pose.geometry.se3 import matrix_from_quaternion

    return Placement(np.array([*xy, depth]), matrix_from_quaternion(q))


def wander(
    rng: np.random.Generator,
    at: Placement,
    center: Array,
    radius: float,
    camera: Camera,
    *,
    pixels: float,
    degrees: float,
) -> Path:
    """A path about a place that moves by at most so many pixels and degrees in a frame.

    Args:
        rng: random numbers.
        at: the middle of the path.
        center: (3,) of the object, object frame: turns are about it.
        radius: of the object; the path keeps it in the picture.
        camera: the camera.
        pixels: fastest motion of the middle, pixels a frame.
        degrees: fastest turn, degrees a frame.
    """
    focal, depth = camera.fx, at.middle[2]
    size = np.array([camera.width, camera.height])
    room = (0.48 * size - radius * focal / depth) * depth / focal
    reach = np.maximum(room - np.abs(at.middle[:2]), 0.01)
    speed = pixels * depth / focal
    amplitude = np.minimum(rng.uniform(0.5, 1.0, 2) * reach, [0.16, 0.11])
    rate = np.append(0.7 * speed / amplitude, 0.12) * rng.uniform(0.8, 1.0, 3)
    rate = np.minimum(rate, 0.55)
    amplitude = np.append(amplitude, min(0.04, speed / 0.2))
    phase, turn_phase = rng.uniform(0, 6.28, 3), rng.uniform(0, 6.28, 3)
    turn_rate = np.clip(np.radians(degrees) / 0.9, 0.06, 0.5) * rng.uniform(0.7, 1.0, 3)
    turn = np.full(3, np.radians(degrees)) / turn_rate / np.sqrt(3) * rng.uniform(0.7, 1.0, 3)

    def path(t: float) -> Array:
        middle = at.middle + amplitude * (np.sin(phase + rate * t))
        rotation = so3_exp(turn * (np.sin(turn_phase + turn_rate * t) - np.sin(turn_phase))) @ at.rotation
        return about(rotation, middle, center)

    return path


def spinning(path: Path, axis: Array, center: Array, degrees: float) -> Path:
    """The path with a steady turn about an axis of the object added, degrees a frame."""

    def spun(t: float) -> Array:
        pose = path(t)
        turned = pose[:3, :3] @ so3_exp(np.radians(degrees) * t * axis)
        return about(turned, pose[:3, :3] @ center + pose[:3, 3], center)

    return spun


def leaving(
    rng: np.random.Generator, path: Path, center: Array, radius: float, camera: Camera, frames: int
) -> tuple[Path, float]:
    """The path with a journey out of the picture and back, turned by 50 to 110 degrees meanwhile.

    Returns:
        The path, and a time at which the object is about half out of the picture.
    """
    side = rng.integers(4)
    way = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])[side]
    back = way if rng.random() < 0.4 else np.array([-way[1], way[0]])
    turn = rng.standard_normal(3)
    turn *= np.radians(rng.uniform(50, 110)) / np.linalg.norm(turn)
    marks = frames * np.array([0.08, 0.44, 0.50, 0.88])  # leaves, gone, returns, is back

    def moved(t: float) -> Array:
        pose = path(t)
        middle = pose[:3, :3] @ center + pose[:3, 3]
        out, home = (
            _smooth((t - marks[0]) / (marks[1] - marks[0])),
            _smooth((t - marks[2]) / (marks[3] - marks[2])),
        )
        gone = _outside(middle, way if t < 0.5 * (marks[1] + marks[2]) else back, radius, camera)
        share = out if t < 0.5 * (marks[1] + marks[2]) else 1 - home
        middle = middle + share * (gone - middle)
        rotation = so3_exp(turn * _smooth((t - marks[1]) / (marks[2] - marks[1]))) @ pose[:3, :3]
        return about(rotation, middle, center)

    times = np.linspace(marks[0], marks[1], 200)
    off = [_overhang(moved(t), center, camera) for t in times]
    return moved, float(times[int(np.argmin(np.abs(off)))])


def _outside(middle: Array, way: Array, radius: float, camera: Camera) -> Array:
    """The nearest point (3,) beyond an edge of the picture where nothing of the object is seen."""
    z = middle[2]
    near = z - radius  # the object's nearest part is the last to leave
    half = 0.5 * np.array([camera.width, camera.height]) / camera.fx
    out = middle.copy()
    k = int(np.argmax(np.abs(way)))
    out[k] = way[k] * (half[k] * z + 1.12 * radius * z / max(near, 0.1) + 0.01)
    return out


def _overhang(pose: Array, center: Array, camera: Camera) -> float:
    """Pixels by which the middle is outside the picture (negative: inside)."""
    u, v = camera.project(pose[:3, :3] @ center + pose[:3, 3])
    return float(max(-u, u - camera.width, -v, v - camera.height))


def about(rotation: Array, middle: Array, center: Array) -> Array:
    """camera_from_object (4, 4) with this rotation that takes ``center`` to ``middle``."""
    return se3(rotation, middle - rotation @ center)


def _smooth(x: float) -> float:
    """0 before 0, 1 after 1, and smooth between."""
    x = float(np.clip(x, 0, 1))
    return x * x * (3 - 2 * x)
