"""How far the poses of an object are off."""

from __future__ import annotations

from dataclasses import dataclass

from dexman_pose.data.camera import Camera
from dexman_pose.data.tracks import RigidObject
from dexman_pose.scene.options import SigmaOptions

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


def pose_sigmas(obj: RigidObject, camera: Camera, options: SigmaOptions | None = None) -> PoseSigmas:
    """Say how far an object's poses are off, by what is known of its size and of the camera."""
    o = options or SigmaOptions()
    factor = {"given": 1.0, "estimated": o.focal, "assumed": o.assumed}[camera.source]
    along = o.along if obj.scale_source in _SIZED else o.unsized
    along = o.unknown if obj.scale_source == "unknown" else along
    return PoseSigmas(factor * o.turn, factor * o.lateral, factor * along)
