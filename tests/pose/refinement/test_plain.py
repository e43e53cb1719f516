"""Whether a mesh's colours outweigh its shading is told by what is drawn of them."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Mesh
from dexman_pose.pose.refinement import plain
from dexman_pose.pose.refinement.options import COLORS
from dexman_pose.pose.refinement.plain import usual_contrast
from dexman_pose.pose.refinement.refiner import has_color, refiner_for
from dexman_pose.render import Rasterizer


def ball(colors: Any) -> Mesh:
    """A sphere of 5 cm whose vertices have the colours that a function gives unit directions (N, 3)."""
    import trimesh

    part = trimesh.creation.icosphere(subdivisions=4, radius=0.05)
    return Mesh(
        np.asarray(part.vertices, np.float64),
        np.asarray(part.faces, np.int32),
        vertex_colors=np.clip(colors(part.vertices / 0.05), 0, 255).astype(np.uint8),
        source="synthetic",
    )


def patches(unit: Any) -> Any:
    return 128.0 + 100.0 * np.sign(np.sin(9.0 * unit[:, :1]) * np.sin(9.0 * unit[:, 1:2])) * np.ones((1, 3))


def fading(unit: Any) -> Any:
    """From dark to bright all over the ball: as much spread as patches have, and nothing to hold on to."""
    return 128.0 + 100.0 * unit[:, 2:] * np.ones((1, 3))


def test_patches_are_colours_and_what_fades_slowly_is_shading() -> None:
    print_, plain = refiner_for(ball(patches)), refiner_for(ball(fading))
    assert usual_contrast(print_.rasterizer, COLORS) > 3 * COLORS.plain_contrast
    assert usual_contrast(plain.rasterizer, COLORS) < COLORS.plain_contrast
    assert has_color(print_)
    assert not has_color(plain)


def test_size_and_place_of_a_mesh_do_not_matter() -> None:
    mesh = ball(patches)
    moved = replace(mesh, vertices=20.0 * mesh.vertices + np.array([3.0, -1.0, 0.5]))
    first, second = (usual_contrast(refiner_for(m).rasterizer, COLORS) for m in (mesh, moved))
    np.testing.assert_allclose(first, second, rtol=0.02)


def test_colours_that_the_clip_gave_hold_its_light_and_count() -> None:
    mesh = ball(fading)
    assert has_color(refiner_for(replace(mesh, seen=np.ones(len(mesh.faces), np.bool_))))


def test_a_mesh_is_looked_at_once(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = replace(scene.mesh)
    first = plain.usual_contrast(Rasterizer(mesh), COLORS)
    assert first > 0
    looks: list[float] = []

    def look(*_: object) -> float:
        looks.append(1.0)
        return 1.0

    monkeypatch.setattr(plain, "_looked_at", look)
    assert plain.usual_contrast(Rasterizer(mesh), COLORS) == first and not looks
    other = replace(scene.mesh)
    assert plain.usual_contrast(Rasterizer(other), COLORS) == 1.0 and looks


def test_it_is_forgotten_with_the_mesh(scene: Any) -> None:
    gc.collect()
    before = len(plain._known)
    mesh = replace(scene.mesh)
    plain.usual_contrast(Rasterizer(mesh), COLORS)
    assert len(plain._known) == before + 1
    del mesh
    gc.collect()
    assert len(plain._known) == before
