from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from dexman_pose.errors import EstimationError
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import has_color, refiner_for
from dexman_pose.pose.search.search import search_pose


@pytest.mark.parametrize("rotation", [(0.4, 0.5, 0.2), (2.2, -0.8, 1.0), (-0.6, 2.6, 0.4)])
def test_search_finds_any_rotation_of_a_coloured_mesh(
    scene: Any, rotation: tuple[float, float, float]
) -> None:
    true = scene.pose_at(rotation, (0.03, -0.02, 0.32))
    image, labels, _ = scene.picture(scene.mesh, true)
    refiner = refiner_for(scene.mesh, labels == 1)
    found = search_pose(refiner, ObjectView(image, labels, 1, scene.camera), keep=12)
    millimetres, degrees = scene.error(found[0].camera_from_object, true)
    assert millimetres < 2.5
    assert degrees < 2.0
    assert found[0].iou > 0.95
    assert all(a.score >= b.score for a, b in pairwise(found))


def test_search_needs_a_mask(scene: Any) -> None:
    image, labels, _ = scene.picture(scene.mesh, scene.pose_at((0, 0, 0), (0, 0, 0.4)))
    with pytest.raises(EstimationError, match="mask is empty"):
        search_pose(refiner_for(scene.mesh), ObjectView(image, np.zeros_like(labels), 1, scene.camera))


def test_colour_is_noticed(scene: Any) -> None:
    from dataclasses import replace

    assert has_color(refiner_for(scene.mesh))
    assert not has_color(refiner_for(replace(scene.mesh, vertex_colors=None)))


def test_the_search_says_what_it_decided(scene: Any, caplog: Any) -> None:
    image, labels, _ = scene.picture(scene.mesh, scene.pose_at((0.4, 0.5, 0.2), (0.03, -0.02, 0.32)))
    view = ObjectView(image, labels, 1, scene.camera)
    with caplog.at_level("DEBUG", logger="dexman_pose.pose.search.search"):
        found = search_pose(refiner_for(scene.mesh, view.own), view, keep=6, count=2)
    assert len(found) == 2
    said = [r.getMessage() for r in caplog.records]
    assert any("6 starts" in m and f"margin {found[0].score - found[1].score:.3f}" in m for m in said)
