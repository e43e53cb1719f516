"""Poses of callers: rigid transforms, and whether one puts its object where a camera can see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import _check
from dexman_pose.data.camera import Camera
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.numbers import plain
from dexman_pose.errors import InputError

_LAST_ROW = np.array([0.0, 0.0, 0.0, 1.0])


@dataclass(frozen=True)
class StartLimits:
    """Which poses can be of an object that a picture shows. Set by hand.

    Attributes:
        smallest: pixels across; an object that would look smaller is too far away.
        farthest: metres; an object that a hand can hold is nearer, whatever the lens.
        held: metres; the radius of the largest object that a hand can hold.
        aside: pictures beside the picture that the object's middle may lie, as it leaves the image.
    """

    smallest: float = 3.0
    farthest: float = 20.0
    held: float = 1.0
    aside: float = 1.0


_LIMITS = StartLimits()


def as_pose(value: Any, name: str = "camera_from_object") -> NDArray[np.float64]:
    """One rigid transform (4, 4), metres, from (4, 4), (3, 4) or (1, 4, 4).

    Raises:
        InputError: another shape, NaN, or no rotation and translation: scaled, mirrored, transposed.
    """
    array = plain(value, name)
    if array.shape == (1, 4, 4):
        array = array[0]
    if array.shape == (3, 4):
        array = np.vstack([array, _LAST_ROW])
    if array.shape != (4, 4):
        raise InputError(f"{name} must have shape (4, 4), but got {np.shape(value)}")
    out: NDArray[np.float64] = _check.rigid(array[None], name)[0]
    return out


def check_in_sight(pose: NDArray[np.float64], mesh: Mesh, camera: Camera, name: str) -> None:
    """See that a pose puts its object before the camera, near enough to be seen, in or beside the picture.

    Args:
        pose: (4, 4) camera_from_object, metres.
        mesh: the object.
        camera: the camera.
        name: what messages call the pose.

    Raises:
        InputError: it does not; the message names the usual reasons.
    """
    x, y, z = (float(v) for v in pose[:3, :3] @ mesh.center + pose[:3, 3])
    if z + mesh.radius <= 0 or z <= 0:
        raise InputError(
            f"{name} puts the object behind the camera (z = {z:.3g} m): +z looks away from an OpenCV camera; "
            "is it the inverse, or of OpenGL axes?"
        )
    pixels = 2.0 * mesh.radius * max(camera.fx, camera.fy) / z
    if pixels < _LIMITS.smallest or (z > _LIMITS.farthest and mesh.radius < _LIMITS.held):
        raise InputError(
            f"{name} puts the object {z:.4g} m away, where it is {pixels:.2g} pixels large: give its translation and "
            "the mesh in metres"
        )
    u, v = camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy
    wide, high = (n * _LIMITS.aside + pixels for n in (camera.width, camera.height))
    if not (-wide < u < camera.width + wide and -high < v < camera.height + high):
        raise InputError(
            f"{name} puts the object outside the {camera.width}x{camera.height} picture, at pixel ({u:.0f}, {v:.0f})"
        )
