"""Open3D's volume and our own hold the same distances."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from dexman_pose.data import Camera
from dexman_pose.errors import MissingExtraError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.meshing.fusion.open3d_volume import integrate_by_open3d
from dexman_pose.meshing.fusion.volume import Depths, Grid, integrate

CAMERA = Camera(np.array([[260.0, 0, 78.3], [0, 255.0, 61.2], [0, 0, 1]]), 160, 120)
GRID = Grid.around(np.array([-0.03, -0.02, -0.025]), np.array([0.03, 0.03, 0.02]), 0.002)


def slanted() -> Depths:
    """Two views of a wavy surface."""
    v, u = np.mgrid[0:120, 0:160]
    for k, turn in enumerate(([0.1, 0.2, 0.0], [-0.2, 0.1, 0.3])):
        depth = (0.4 + 0.01 * np.sin(u / 25 + k) + 0.005 * np.cos(v / 20)).astype(np.float32)
        yield depth, se3(so3_exp(np.array(turn)), np.array([0.0, 0.0, 0.4]))


def test_the_same_distances() -> None:
    pytest.importorskip("open3d")
    own, theirs = (by(slanted(), CAMERA, GRID, 0.008) for by in (integrate, integrate_by_open3d))
    known, both = own.weight > 0, (own.weight > 0) & (theirs.weight > 0)
    assert both.sum() > 0.97 * known.sum()
    off = np.abs(own.distance - theirs.distance)[both]
    assert np.median(off) < 1e-4 and np.quantile(off, 0.99) < 0.001


def test_without_open3d_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open3d", None)
    with pytest.raises(MissingExtraError, match=r"dexman-pose\[fusion\]"):
        integrate_by_open3d(slanted(), CAMERA, GRID, 0.008)
