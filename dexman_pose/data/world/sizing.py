"""Objects made larger or smaller without a change of their picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dexman_pose.arrays import Array
from dexman_pose.data.tracks import PoseTrack, RigidObject, ScaleSource
from dexman_pose.geometry.se3 import scaled_translations


def sized(obj: RigidObject, factor: float, source: ScaleSource) -> RigidObject:
    """Make an object ``factor`` times as large and as many times farther away: its pictures stay the same.

    Args:
        obj: the object.
        factor: positive.
        source: what told the size.
    """
    track: PoseTrack = replace(
        obj.track,
        camera_from_object=scaled_translations(obj.track.camera_from_object, factor),
        covariance=None if obj.track.covariance is None else _scaled_twists(obj.track.covariance, factor),
    )
    return replace(
        obj,
        mesh=obj.mesh.scaled(factor),
        track=track,
        scale=obj.scale * factor,
        scale_source=source,
        symmetry=scaled_translations(obj.symmetry, factor),
    )


def _scaled_twists(covariance: Array, factor: float) -> Array:
    """Covariances (T, 6, 6) of twists (v, w) with v ``factor`` times as large."""
    by = np.array([factor, factor, factor, 1.0, 1.0, 1.0])
    return covariance * np.outer(by, by)
