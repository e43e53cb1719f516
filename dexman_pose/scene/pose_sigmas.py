"""How far the poses of an object are off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import RigidObject
from dexman_pose.scene.options import SigmaOptions

_TINY = 1e-12
_SIZED = ("given", "guessed", "depth", "table")


@dataclass(frozen=True)
class PoseSigmas:
    """Standard deviations of a pose.

    Attributes:
        turn: radians.
        lateral: metres across the line of sight.
        along: share of the distance along it.
    """

    turn: float
    lateral: float
    along: float


def pose_sigmas(
    obj: RigidObject,
    camera: Camera,
    options: SigmaOptions | None = None,
    frames: NDArray[np.intp] | None = None,
) -> PoseSigmas:
    """Say how far an object's poses are off, by what is known of its size and of the camera, and by what it shows.

    What a thin thing shows tells little of how far it is and how it is tipped: its covariance is that of residuals that
    are taken for independent, and its errors are some times as large.

    Args:
        obj: the object.
        camera: of the clip.
        options: standard deviations.
        frames: whose poses are asked about; None for all valid ones.
    """
    o = options or SigmaOptions()
    factor = {"given": 1.0, "estimated": o.focal, "assumed": o.assumed}[camera.source]
    along = o.along if obj.scale_source in _SIZED else o.unsized
    along = o.unknown if obj.scale_source == "unknown" else along
    turned, away = _by_covariance(obj, np.flatnonzero(obj.valid) if frames is None else frames)
    return PoseSigmas(
        max(factor * o.turn, o.covariance * turned),
        factor * o.lateral,
        max(factor * along, o.covariance * away),
    )


def _by_covariance(obj: RigidObject, frames: NDArray[np.intp]) -> tuple[float, float]:
    """Radians by which poses are turned, and the share of the distance by which they are off along it, as their
    covariances have it: the middle over frames; zeros where there are none."""
    if obj.track.covariance is None or not len(frames):
        return 0.0, 0.0
    covariance, poses = obj.track.covariance[frames], obj.camera_from_object[frames]
    middle = poses[:, :3, :3] @ obj.mesh.center + poses[:, :3, 3]
    square = np.maximum((middle**2).sum(1), _TINY)
    along = np.einsum("ti,tij,tj->t", middle, covariance[:, :3, :3], middle) / square**2
    turned = np.trace(covariance[:, 3:, 3:], axis1=1, axis2=2) / 3
    return float(np.sqrt(np.median(turned))), float(np.sqrt(np.median(along)))
