"""Signals of a pose in one picture: what is in the picture, what is covered, and what colours, edges and depth say."""

from __future__ import annotations

from typing import Any

import numpy as np

from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.search.signals import pose_signals
from dexman_pose.pose.solver.options import RefineOptions

TRUE = ((0.4, 0.5, 0.2), (0.03, -0.02, 0.32))


def found(
    scene: Any, labels: np.ndarray, image: np.ndarray, depth: Any = None, *, pictured: bool = True
) -> Any:
    refiner = refiner_for(scene.mesh, labels == 1)
    view = ObjectView(image, labels, 1, scene.camera, depth)
    refined = refiner.refine(scene.pose_at(*TRUE), view.evidence(), RefineOptions(iterations=0))
    return pose_signals(refiner, refined, view, 0.1, pictured)


def test_the_true_pose_has_good_signals(scene: Any) -> None:
    image, labels, depth = scene.picture(scene.mesh, scene.pose_at(*TRUE))
    signals = found(scene, labels, image, depth)
    assert signals.overlap > 0.95 and signals.margin == 0.1
    assert signals.colors is not None and signals.colors.value > 0.7
    assert signals.depth is not None and signals.depth > 0.9
    assert signals.inside == 1.0 and signals.seen > 0.99


def test_without_a_picture_colours_and_edges_say_nothing(scene: Any) -> None:
    image, labels, _ = scene.picture(scene.mesh, scene.pose_at(*TRUE))
    signals = found(scene, labels, image, pictured=False)
    assert signals.colors is None and signals.edges is None and signals.depth is None


def test_what_covers_the_object_counts_as_not_seen(scene: Any) -> None:
    image, labels, _ = scene.picture(scene.mesh, scene.pose_at(*TRUE))
    columns = np.nonzero((labels == 1).any(0))[0]
    covered = labels.copy()
    covered[:, columns[0] : columns[len(columns) // 2]] = 255
    assert 0.3 < found(scene, covered, image).seen < 0.7
