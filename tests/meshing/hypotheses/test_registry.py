"""Every family of shapes that fits an outline gives closed meshes that fill it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import trimesh

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.meshing.hypotheses.outlines import Outline
from dexman_pose.meshing.hypotheses.registry import guesses, remade, slenderness
from dexman_pose.render import Rasterizer

See = Callable[[Mesh], tuple[Outline, Array]]


def _mesh(solid: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(solid.vertices), np.asarray(solid.faces))


@pytest.fixture(scope="module")
def can() -> Mesh:
    return _mesh(trimesh.creation.cylinder(0.04, 0.12, sections=48))


def test_a_can_is_guessed_by_every_family(see: See, can: Mesh) -> None:
    view, up = see(can)
    found = guesses(view, up, 2)
    assert {"lying", "standing", "revolved", "vessel", "rolled", "extruded"} <= {g.kind for g in found}
    for guess in found:
        assert guess.up == 2
        assert guess.mesh.source == guess.kind
        assert trimesh.Trimesh(guess.mesh.vertices, guess.mesh.faces, process=False).is_watertight
    best = next(g for g in found if g.kind == "revolved")
    camera = view.camera
    drawn = Rasterizer(best.mesh).render(view.camera_from_object[None], camera.K, camera.width, camera.height)
    assert (drawn.mask[0] & view.mask).sum() / (drawn.mask[0] | view.mask).sum() > 0.95


def test_a_guess_is_made_anew_thicker_and_about_another_axis(see: See, can: Mesh) -> None:
    view, up = see(can)
    slab = next(g for g in guesses(view, up) if g.kind == "extruded")
    thicker = remade(slab, [view], thickness=2 * slab.numbers["thickness"])
    assert thicker is not None
    assert thicker.numbers["thickness"] == 2 * slab.numbers["thickness"]
    assert np.ptp(thicker.mesh.vertices @ up) == pytest.approx(2 * np.ptp(slab.mesh.vertices @ up), rel=0.02)
    turned = remade(slab, [view], axis=np.array([0.0, 0.0, -1.0]))
    assert turned is not None
    assert turned.mesh.extents[2] == pytest.approx(slab.numbers["thickness"] * view.size, rel=0.05)
    assert remade(slab, [view], thickness=50.0) is None


def test_what_is_wide_does_not_stand(see: See, can: Mesh) -> None:
    board = _mesh(trimesh.creation.box((0.2, 0.05, 0.02)))
    view, up = see(board)
    assert slenderness(view, up) < 0.5
    assert "standing" not in {g.kind for g in guesses(view, up)}
    assert slenderness(*see(can)) > 1.2
