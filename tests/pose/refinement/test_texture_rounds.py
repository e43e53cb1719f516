"""Matching texture and refining in turns: what ends the rounds, and which pose is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.pose.matching.texture import TextureEvidence
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement import texture
from dexman_pose.pose.refinement.refiner import PoseRefiner, Refined, apply_increment
from dexman_pose.pose.refinement.texture import LEADING, TextureOptions, refine_with_texture
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.residuals import PointMatches
from dexman_pose.render import Rasterizer


class Watched:
    """A refiner and a view, and the matches that were asked for and used."""

    def __init__(self, scene: Any, monkeypatch: Any) -> None:
        self.true = scene.pose_at((0.5, 0.6, 0.3), (0.01, 0.02, 0.3))
        image, labels, _ = scene.picture(scene.mesh, self.true)
        self.view = ObjectView(image, labels, 1, scene.camera)
        self.refiner = PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center)
        move = np.array([0.001, -0.0015, 0.002, 0.02, -0.02, 0.015])
        self.start = Refined.unrefined(apply_increment(move, self.true, self.true[:3, 3]))
        self.rendered: list[TextureEvidence] = []
        self.used: list[dict[str, Any]] = []
        self.shift = 0.0
        honest, refine = texture.texture_evidence, self.refiner.refine

        def seen(*args: Any, **options: Any) -> TextureEvidence:
            found = honest(*args, **options)
            assert found.matches is not None
            moved = PointMatches(
                found.matches.points, found.matches.pixels + self.shift, found.matches.weight
            )
            self.rendered.append(replace(found, matches=moved, edges=None))
            return self.rendered[-1]

        def refined(pose: Any, crop: Any, options: RefineOptions, **more: Any) -> Refined:
            self.used.append({"options": options, **more})
            return refine(pose, crop, options, **more)

        monkeypatch.setattr(texture, "texture_evidence", seen)
        monkeypatch.setattr(self.refiner, "refine", refined)

    def run(self, options: TextureOptions, **more: Any) -> texture.TextureRefined:
        return refine_with_texture(self.refiner, self.start, self.view.evidence(), self.view, options, **more)


@pytest.fixture
def watched(scene: Any, monkeypatch: Any) -> Watched:
    return Watched(scene, monkeypatch)


def test_rounds_are_counted_and_bring_the_pose_home(scene: Any, watched: Watched) -> None:
    found = watched.run(TextureOptions(rounds=2))
    assert found.rounds == 2 and found.enough
    assert len(watched.rendered) == len(watched.used) == 2
    assert all(u["options"].iterations == 8 for u in watched.used)
    millimetres, degrees = scene.error(found.refined.camera_from_object, watched.true)
    assert millimetres < 1.0 and degrees < 0.7


def test_too_few_matches_end_the_rounds_where_the_pose_was(watched: Watched, monkeypatch: Any) -> None:
    none = TextureOptions(least_matches=10_000)
    found = watched.run(none)
    assert not found.enough and found.rounds == 0 and not watched.used
    assert found.refined is watched.start and found.ncc > 0.5
    monkeypatch.setattr(texture, "LEADING", none)
    crop, pose = watched.view.evidence(), watched.start.camera_from_object
    assert texture._by_corners(watched.refiner, pose, crop, watched.view, RefineOptions(), None) is None


def test_a_pose_at_rest_ends_the_rounds(watched: Watched) -> None:
    found = watched.run(TextureOptions(rounds=9, until_rest=True))
    assert 1 < found.rounds < 6
    assert watched.run(TextureOptions(rounds=7)).rounds == 7


def test_the_best_is_kept_where_matches_mislead_and_the_last_elsewhere(scene: Any, watched: Watched) -> None:
    right = watched.refiner.refine(watched.true, watched.view.evidence(), RefineOptions(iterations=3))
    watched.start, watched.shift = right, 9.0
    kept = watched.run(TextureOptions(rounds=2, keep="best"))
    assert kept.refined is right and kept.rounds == 2
    assert len(watched.rendered) == 3  # what the last round made is judged too
    assert kept.ncc == watched.rendered[0].ncc
    last = watched.run(TextureOptions(rounds=2))
    assert scene.error(last.refined.camera_from_object, watched.true)[0] > 2.0


def test_followed_points_are_used_lightly_and_only_where_matches_are_few(watched: Watched) -> None:
    followed = PointMatches(np.zeros((5, 3)), np.zeros((5, 2)), np.ones(5))
    few = TextureOptions(rounds=1, followed_below=10_000, followed_weight=0.25)
    watched.run(few, followed=followed)
    count = len(watched.rendered[-1].matches)  # type: ignore[arg-type]
    used = watched.used[-1]["matches"]
    assert len(used) == count + 5 and (used.weight[-5:] == 0.25).all()
    watched.run(replace(few, followed_below=count), followed=followed)
    assert len(watched.used[-1]["matches"]) == count


def test_the_refinements_own_options_hold_where_the_rounds_name_none(watched: Watched) -> None:
    own = RefineOptions(iterations=5, use_silhouette=False)
    predicted = watched.start.camera_from_object
    watched.run(LEADING, refinement=own, predicted=predicted)
    assert all(u["options"] == own and u["predicted"] is predicted for u in watched.used)
    watched.run(replace(LEADING, outline_steps_back=True), refinement=own)
    assert watched.used[-1]["options"].silhouette_weight < own.silhouette_weight
