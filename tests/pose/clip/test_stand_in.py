"""Which meshes are compared with masks through a closed stand-in."""

from __future__ import annotations

import numpy as np
import trimesh

from dexman_pose.data import Mesh
from dexman_pose.geometry.symmetry import SymmetryGroup
from dexman_pose.pose.clip.stand_in import compared_shape, picture_share
from dexman_pose.pose.clip.types import ObjectRequest


def mesh_of(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(shape.vertices, float), np.asarray(shape.faces))


def cage() -> Mesh:
    """Twelve thin bars along the edges of a box and six across its sides: gaps of some 2 cm."""
    bars = []
    for axis in range(3):
        for a in (-0.03, -0.01, 0.01, 0.03):
            for b in (-0.03, 0.03):
                size, at = np.full(3, 0.003), np.zeros(3)
                size[axis], at[(axis + 1) % 3], at[(axis + 2) % 3] = 0.06, a, b
                bars.append(trimesh.creation.box(size, trimesh.transformations.translation_matrix(at)))
    return mesh_of(trimesh.util.concatenate(bars))


def test_bars_are_closed_and_solids_are_not() -> None:
    solid, bars = mesh_of(trimesh.creation.box((0.06, 0.05, 0.08))), cage()
    none = SymmetryGroup.trivial()
    assert compared_shape(ObjectRequest("box", solid), none)[0] is solid
    wide = ObjectRequest("cage", bars, symmetry=none, closed=True)
    assert compared_shape(wide, none)[0] is not bars
    assert compared_shape(ObjectRequest("cage", bars, closed=False), none)[0] is bars


def test_pictures_tell_gaps_from_none() -> None:
    """A ring has a hole that is far too wide to be closed, which is no gap; a cage has gaps in every picture."""
    assert picture_share(mesh_of(trimesh.creation.icosphere(3, 0.05))) > 0.97
    assert picture_share(mesh_of(trimesh.creation.torus(0.03, 0.004))) > 0.86
    assert picture_share(cage()) < 0.8
