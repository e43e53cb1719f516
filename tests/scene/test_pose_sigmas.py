"""How far poses are off: by size and camera, and by what a thin thing does not tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.data import RigidObject
from dexman_pose.scene.options import SigmaOptions
from dexman_pose.scene.pose_sigmas import pose_sigmas
from tests.scene.staged import CAMERA, still

SIGMAS = SigmaOptions()


def _with_covariance(along: float, turn: float) -> tuple[RigidObject, float]:
    """A box at rest whose covariance has these standard deviations, metres and radians; and how far away it is."""
    thing = still("box", 0.0, 0.0, count=8)
    middle = thing.camera_from_object[0][:3, :3] @ thing.mesh.center + thing.camera_from_object[0][:3, 3]
    ray = middle / np.linalg.norm(middle)
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = along**2 * np.outer(ray, ray) + 1e-8 * np.eye(3)
    covariance[3:, 3:] = turn**2 * np.eye(3)
    track = replace(thing.track, covariance=np.tile(covariance, (8, 1, 1)))
    return replace(thing, track=track), float(np.linalg.norm(middle))


def test_what_shows_its_distance_well_is_as_sure_as_ever() -> None:
    thing, _ = _with_covariance(0.0005, 0.002)
    bare = replace(thing, track=replace(thing.track, covariance=None))
    assert pose_sigmas(thing, CAMERA) == pose_sigmas(bare, CAMERA)


def test_what_shows_little_of_its_distance_and_turn_is_less_sure() -> None:
    thing, far = _with_covariance(0.01, 0.03)
    found = pose_sigmas(thing, CAMERA)
    assert found.along == pytest.approx(SIGMAS.covariance * 0.01 / far, rel=1e-3)
    assert found.turn == pytest.approx(SIGMAS.covariance * 0.03, rel=1e-6)
    assert found.lateral == SIGMAS.lateral


def test_frames_that_are_not_asked_about_do_not_count() -> None:
    thing, far = _with_covariance(0.01, 0.03)
    assert thing.track.covariance is not None
    covariance = thing.track.covariance.copy()
    covariance[4:] *= 4.0
    thing = replace(thing, track=replace(thing.track, covariance=covariance))
    assert pose_sigmas(thing, CAMERA, frames=np.arange(4)).along == pytest.approx(
        SIGMAS.covariance * 0.01 / far, rel=1e-3
    )
    assert pose_sigmas(thing, CAMERA, frames=np.arange(4, 8)).along == pytest.approx(
        SIGMAS.covariance * 0.02 / far, rel=1e-3
    )
