"""Planes in depth images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import DepthSequence, MaskSequence
from dexman_pose.scene import estimate_scene
from dexman_pose.scene.depth_plane import depth_planes
from tests.scene.staged import CAMERA, OFFSET, UP, degrees_between

FRAMES = 6


def _depth_of(normal: NDArray[np.float64], offset: float) -> NDArray[np.float64]:
    """(480, 640) depth of a plane."""
    v, u = np.mgrid[:480, :640]
    rays = CAMERA.unproject(np.stack([u, v], -1), np.ones((480, 640)))
    depth = -offset / (rays @ normal)
    return np.where((depth > 0) & (depth < 5), depth, 0.0)


def _clip(wall: float, noise: float) -> tuple[DepthSequence, MaskSequence]:
    """A table, a wall behind it, an object before both, and noise that grows with the square of depth."""
    rng = np.random.default_rng(1)
    depth = np.minimum(_depth_of(UP, OFFSET), np.full((480, 640), wall))
    labels = np.zeros((480, 640), np.uint8)
    labels[180:300, 280:360] = 1
    labels[300:480, 400:440] = 255
    images = []
    for _ in range(FRAMES):
        image = depth + noise * depth**2 * rng.standard_normal(depth.shape)
        image[labels > 0] = 0.4
        images.append(np.where(rng.random(depth.shape) < 0.1, 0.0, image))
    masks = MaskSequence(("cup",), 480, 640, FRAMES)
    for t in range(FRAMES):
        masks.set(t, labels)
    return DepthSequence.from_arrays(np.stack(images).astype(np.float32)), masks


def test_the_table_is_found_beside_a_wall() -> None:
    depth, masks = _clip(wall=0.85, noise=0.004)
    found = depth_planes(depth, masks, CAMERA)
    best = min(found, key=lambda vote: degrees_between(vote.normal, UP))
    assert degrees_between(best.normal, UP) < 0.3
    assert abs(best.point @ UP + OFFSET) < 0.002


def test_depth_alone_makes_a_table() -> None:
    depth, masks = _clip(wall=5.0, noise=0.004)
    scene = estimate_scene({}, {}, CAMERA, np.arange(FRAMES) / 30, depth=depth, masks=masks)
    assert scene.table is not None
    assert degrees_between(scene.table.normal, UP) < 0.3
    assert scene.table.evidence == ("depth around the objects",)


def test_no_depth_no_plane() -> None:
    masks = _clip(wall=5.0, noise=0.0)[1]
    depth = DepthSequence.from_arrays(np.zeros((FRAMES, 480, 640), np.float32))
    assert depth_planes(depth, masks, CAMERA) == []
