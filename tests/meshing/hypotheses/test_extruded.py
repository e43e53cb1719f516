"""A board and a box come back from their outline, up and thickness; too thick a slab does not fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import trimesh

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.meshing.hypotheses.extruded import boxed, extruded_slab, slab_mesh
from dexman_pose.meshing.hypotheses.outlines import Outline
from dexman_pose.render import Rasterizer

See = Callable[[Mesh], tuple[Outline, Array]]


def _box(*sides: float) -> Mesh:
    solid = trimesh.creation.box(sides)
    solid.apply_transform(trimesh.transformations.rotation_matrix(0.4, [0, 0, 1]))
    return Mesh(np.asarray(solid.vertices), np.asarray(solid.faces))


def _overlap(mesh: Mesh, view: Outline) -> float:
    camera = view.camera
    drawn = Rasterizer(mesh).render(view.camera_from_object[None], camera.K, camera.width, camera.height)
    return float((drawn.mask[0] & view.mask).sum() / (drawn.mask[0] | view.mask).sum())


@pytest.mark.parametrize("sides", [(0.2, 0.12, 0.012), (0.08, 0.06, 0.1)])
def test_a_box_of_its_height_has_its_sides(see: See, sides: tuple[float, float, float]) -> None:
    view, up = see(_box(*sides))
    slab = extruded_slab([view], up, sides[2])
    assert slab is not None
    box = boxed(slab)
    assert box is not None
    mesh = slab_mesh(box)
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert solid.is_watertight
    assert solid.volume == pytest.approx(np.prod(sides), rel=0.15)
    assert np.sort(solid.bounding_box_oriented.primitive.extents) == pytest.approx(np.sort(sides), rel=0.1)
    assert _overlap(mesh, view) > 0.94


def test_a_slab_that_is_too_thick_does_not_fill_the_outline(see: See) -> None:
    view, up = see(_box(0.2, 0.12, 0.012))
    right, thick = (extruded_slab([view], up, t) for t in (0.012, 0.06))
    assert right is not None
    full = _overlap(slab_mesh(right), view)
    assert full > 0.95
    assert thick is None or _overlap(slab_mesh(thick), view) < full - 0.03


def test_nothing_fits_where_every_column_leaves_the_outline(see: See) -> None:
    view, up = see(_box(0.2, 0.12, 0.012))
    assert extruded_slab([view], up, 1.0) is None


def test_a_disc_is_no_box(see: See) -> None:
    solid = trimesh.creation.cylinder(0.07, 0.01, sections=64)
    cross = trimesh.creation.box((0.3, 0.02, 0.01))
    both = trimesh.util.concatenate([solid, cross])
    view, up = see(Mesh(np.asarray(both.vertices), np.asarray(both.faces)))
    slab = extruded_slab([view], up, 0.01)
    assert slab is not None
    assert boxed(slab) is None
