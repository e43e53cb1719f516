"""Poses that fill a box are ranked by colours and edges of the picture, whatever the mask in it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Mesh
from dexman_pose.geometry import rotation_angle
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.search.box_outlines import (
    color_kinds,
    edge_vectors,
    edges_along,
    is_astray,
    object_box,
    poses_filling_box,
    told_apart,
)


def test_colours_tell_an_outline_that_holds_one_of_them_and_no_other() -> None:
    kinds = np.zeros((20, 20), np.int32)
    kinds[5:15, 5:15] = 1
    right, beside, nothing = (np.zeros((20, 20), bool) for _ in range(3))
    right[5:15, 5:15] = True
    beside[5:15, 10:20] = True
    scores = told_apart(np.stack([right, beside, nothing]), kinds)
    assert scores[0] > 0.5 > scores[1] > -1e-9
    assert scores[2] < 0.01
    assert np.allclose(
        told_apart(np.stack([~right]), kinds), scores[0], atol=0.02
    )  # what is inside is not asked


def test_edges_count_where_they_run_along_the_outline() -> None:
    lab = np.zeros((24, 24, 3), np.float32)
    lab[6:18, 6:18] = [60.0, 20.0, 0.0]
    square, turned = np.zeros((24, 24), bool), np.zeros((24, 24), bool)
    square[6:18, 6:18] = True
    y, x = np.mgrid[:24, :24]
    turned[np.abs(x - 11.5) + np.abs(y - 11.5) < 9] = True
    scores = edges_along(np.stack([square, turned, np.zeros_like(square)]), edge_vectors(lab))
    assert scores[0] > 0.7 and scores[1] < 0.7 * scores[0] and scores[2] == 0.0


def test_like_colours_are_one_kind_and_the_same_every_time() -> None:
    rng = np.random.default_rng(0)
    lab = np.full((16, 16, 3), 50.0, np.float32) + rng.standard_normal((16, 16, 3)).astype(np.float32)
    lab[:, 8:, 1] += 40
    kinds = color_kinds(lab)
    assert not set(kinds[:, :8].ravel()) & set(kinds[:, 8:].ravel())
    assert np.array_equal(kinds, color_kinds(lab))


@pytest.fixture(scope="module")
def boxed(scene: Any) -> tuple[Mesh, np.ndarray, ObjectView]:
    """A plain mesh before a noisy ground, the box around it, and a mask of the ground in a corner of the box."""
    true = scene.pose_at((0.4, 0.5, 0.2), (0.03, -0.02, 0.32))
    _, labels, _ = scene.picture(scene.mesh, true)
    rng = np.random.default_rng(2)
    image = 90.0 + 12.0 * rng.standard_normal((*labels.shape, 3))
    image[labels == 1] = [190.0, 120.0, 60.0] + 6.0 * rng.standard_normal((int(labels.sum()), 3))
    v, u = np.nonzero(labels == 1)
    box = np.array([u.min() - 4, v.min() - 4, u.max() + 4, v.max() + 4], np.float64)
    mask = np.zeros_like(labels)
    mask[int(box[1]) + 1 : int(box[1]) + 9, int(box[0]) + 1 : int(box[0]) + 9] = 1
    look = ObjectView(image.clip(0, 255).astype(np.uint8), mask, 1, scene.camera, asked=box)
    return Mesh(scene.mesh.vertices, scene.mesh.faces), true, look


def test_the_right_pose_is_among_the_best_though_the_mask_is_of_the_ground(boxed: Any) -> None:
    mesh, true, look = boxed
    assert is_astray(look)
    poses = poses_filling_box(refiner_for(mesh), look, np.radians(12.0))
    turned = np.degrees([rotation_angle(p[:3, :3] @ true[:3, :3].T) for p in poses[:8]])
    assert turned.min() < 25.0  # of a grid of 15 degrees
    nearest = poses[int(turned.argmin())]
    off = (nearest - true) @ np.append(mesh.center, 1.0)
    assert np.linalg.norm(off) < 0.03


def test_without_a_box_the_mask_says_where_and_is_never_astray(boxed: Any) -> None:
    _, _, look = boxed
    alone = replace(look, asked=None)
    assert np.array_equal(object_box(alone), alone.box) and not is_astray(alone)
    inner = object_box(look)
    assert (inner[:2] > look.asked[:2]).all() and (inner[2:] < look.asked[2:]).all()
