"""The contrast of a mesh's colours is looked at once, and forgotten with the mesh."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import pytest

from dexman_pose.pose.refinement import plain
from dexman_pose.pose.refinement.options import COLORS
from dexman_pose.render import Rasterizer


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
