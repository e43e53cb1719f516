"""Texture and colours in the search: spins of a can, texture that misleads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import trimesh

from dexman_pose.data import Camera, Mesh
from dexman_pose.imaging.masks import crop_box, mask_box
from dexman_pose.pose import estimate_pose
from dexman_pose.pose.matching.edges import picture_edges
from dexman_pose.pose.observation.crop import gather
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement import texture
from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.refinement.scores import agreement
from dexman_pose.pose.search import mask_leaks
from dexman_pose.pose.search.hypotheses import Hypothesis, refine_and_score
from dexman_pose.pose.search.mask_leaks import _leaked, _without_side, refine_with_leaks
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.residuals import PointMatches
from dexman_pose.render import Rasterizer


def labelled_can() -> Mesh:
    """A can of 6 x 10 cm, symmetric in shape, its colours different at every angle and height."""
    can = trimesh.creation.cylinder(0.03, 0.10, sections=48).subdivide().subdivide()
    x, y, z = np.asarray(can.vertices).T
    angle = np.arctan2(y, x)
    colors = 128 + 90 * np.stack(
        [np.sin(3 * angle + 60 * z), np.sin(angle + 1.0), np.sin(2 * angle - 80 * z + 2.0)], -1
    )
    return Mesh(
        np.asarray(can.vertices), np.asarray(can.faces), vertex_colors=colors.clip(0, 255).astype(np.uint8)
    )


def test_colours_tell_the_spins_of_a_can_apart(scene: Any) -> None:
    mesh = labelled_can()
    true = scene.pose_at((0.9, 0.5, 1.3), (0.01, -0.01, 0.4))
    image, labels, _ = scene.picture(mesh, true)
    found = estimate_pose(mesh, image, labels == 1, scene.camera)
    turn = found.camera_from_object[:3, :3].T @ true[:3, :3]
    assert np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))) < 2.0
    assert found.margin > 0.1


def test_texture_that_makes_a_pose_worse_is_not_taken(scene: Any, monkeypatch: Any) -> None:
    true = scene.pose_at((0.5, 0.6, 0.3), (0.01, 0.02, 0.4))
    image, labels, _ = scene.picture(scene.mesh, true)
    refiner = PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center)
    box = mask_box(labels == 1)
    view = gather(labels, 1, scene.camera, crop_box([box], 0.25))
    look = ObjectView(image, labels, 1, scene.camera)
    right = refiner.refine(true, view, RefineOptions(iterations=5))
    honest = texture.texture_evidence

    def misled(*args: Any, **options: Any) -> Any:
        found = honest(*args, **options)
        assert found.matches is not None
        moved = PointMatches(found.matches.points, found.matches.pixels + 9.0, found.matches.weight)
        return replace(found, matches=moved, edges=None)

    monkeypatch.setattr(texture, "texture_evidence", misled)
    kept = refine_and_score(refiner, right, view, look, True, None)
    assert agreement(refiner, kept.refined, view) >= agreement(refiner, right, view) - 1e-9
    millimetres, degrees = scene.error(kept.camera_from_object, true)
    assert millimetres < 2.0 and degrees < 2.0


def test_a_side_that_may_leak_is_not_evidence_and_the_others_stay() -> None:
    labels = np.zeros((100, 120), np.uint8)
    labels[30:70, 40:90] = 1
    view = gather(labels, 1, Camera.from_focal(100.0, 120, 100), (0, 0, 120, 100))
    part = _without_side(view, 3)  # towards smaller y: the upper side
    assert part is not None
    middle = np.abs(part.edge[:, 0] - 64.5) < 15
    assert not (part.edge[middle, 1] < 40).any()
    assert (part.edge[middle, 1] > 60).sum() == (view.edge[np.abs(view.edge[:, 0] - 64.5) < 15, 1] > 60).sum()
    assert part.near_unknown[30, 64] and not part.near_unknown[69, 64]


def test_a_side_is_taken_for_a_leak_only_if_the_pose_lies_farther_overlaps_less_and_fits_the_edges(
    scene: Any,
) -> None:
    refiner = PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center)
    start = scene.pose_at((0.5, 0.6, 0.3), (0.0, 0.0, 0.5))
    _, labels, _ = scene.picture(scene.mesh, start)
    view = gather(labels, 1, scene.camera, crop_box([mask_box(labels == 1)], 0.25))
    found = refiner.refine(start, view, RefineOptions(iterations=1))

    def at(distance: float) -> Any:
        return replace(found, camera_from_object=scene.pose_at((0.5, 0.6, 0.3), (0.0, 0.0, distance)))

    def chosen(distance: float, edges: float, overlap: float) -> bool:
        tried = [at(0.5), at(distance)]
        return _leaked(refiner, tried, 0, 1, np.array([0.55, edges]), np.array([0.94, overlap])) == 1

    assert chosen(0.506, 0.56, 0.92)
    assert not chosen(0.494, 0.56, 0.92)  # nearer: a leak cannot have made the object look smaller
    assert not chosen(0.506, 0.55, 0.92)  # the edges see no difference
    assert not chosen(0.506, 0.56, 0.938)  # nothing was left out
    assert not chosen(0.506, 0.56, 0.80)  # far more than a leak


def test_a_side_that_is_left_out_is_told(scene: Any, monkeypatch: Any, caplog: Any) -> None:
    true = scene.pose_at((0.5, 0.6, 0.3), (0.0, 0.0, 0.5))
    image, labels, _ = scene.picture(scene.mesh, true)
    look = ObjectView(image, labels, 1, scene.camera)
    refiner, crop = PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center), look.evidence()
    refined = refiner.refine(true, crop, RefineOptions(iterations=1))
    found = Hypothesis(refined.camera_from_object, 1.0, refined.iou, 0.0, refined)
    edges = picture_edges(look.picture(crop))
    with caplog.at_level("INFO", logger="dexman_pose.pose.search.mask_leaks"):
        refine_with_leaks(refiner, found, crop, edges)
        assert not caplog.records, "nothing leaks"
        monkeypatch.setattr(mask_leaks, "_leaked", lambda refiner, tried, best, count, *rest: count + 3)
        refine_with_leaks(refiner, found, crop, edges)
    assert "upper side" in caplog.records[-1].getMessage()
