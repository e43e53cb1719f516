"""Prints and many-coloured things are closed or right side out, concave, without symmetry, the size of things."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.scenes.colorful import COLORFUL, colorful_shape
from dexman_pose.synthetic.scenes.horned_prints import HORNED
from dexman_pose.synthetic.scenes.prints import PRINTS, print_shape


def _volume(mesh: Mesh) -> float:
    t = mesh.vertices[mesh.faces]
    return float(np.einsum("ij,ij->i", t[:, 0], np.cross(t[:, 1], t[:, 2])).sum() / 6)


def _outlines(mesh: Mesh, turns: list[Array]) -> list[Array]:
    k = np.array([[300.0, 0, 79.5], [0, 300.0, 79.5], [0, 0, 1]])
    view = se3(so3_exp([0.9, 0.5, 0.3]), [0.0, 0.0, 0.4])
    poses = [view @ se3(turn, mesh.center - turn @ mesh.center) for turn in turns]
    return list(Rasterizer(mesh).render(np.stack(poses), k, 160, 160).mask)


@pytest.mark.parametrize("name", [*PRINTS, *HORNED])
def test_prints_are_closed_concave_and_of_no_colour(name: str) -> None:
    mesh = print_shape(name).mesh
    edges = np.sort(mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    assert 0.06 < mesh.extents.max() < 0.14 and 3000 < len(mesh.faces) < 10000
    assert mesh.texture is None and mesh.vertex_colors is None
    share = _volume(mesh) / ConvexHull(mesh.vertices).volume
    assert 0.2 < share < 0.8  # negative if faces were inside out, 1 for a convex solid


@pytest.mark.parametrize("name", [*PRINTS, *HORNED, *COLORFUL])
def test_half_and_quarter_turns_change_the_outline(name: str) -> None:
    mesh = (colorful_shape(name).shape if name in COLORFUL else print_shape(name)).mesh
    turns = [so3_exp(np.radians(a) * np.eye(3)[k]) for k in range(3) for a in (90.0, 180.0)]
    first, *others = _outlines(mesh, [np.eye(3), *turns])
    for other in others:
        assert (first ^ other).sum() > 0.05 * first.sum()


@pytest.mark.parametrize("name", COLORFUL)
def test_many_coloured_things_have_parts_that_differ_strongly(name: str) -> None:
    thing = colorful_shape(name)
    mesh, palette = thing.shape.mesh, thing.palette
    assert mesh.texture is None and mesh.vertex_colors is None and _volume(mesh) > 0
    assert len(thing.face_parts) == len(mesh.faces) and set(thing.face_parts) == set(range(len(palette)))
    assert len(palette) >= 3
    apart = np.linalg.norm(palette[:, None] - palette[None], axis=-1)
    assert apart[~np.eye(len(palette), dtype=bool)].min() > 60


def test_names_that_do_not_exist_are_refused() -> None:
    with pytest.raises(InputError, match="bracket"):
        print_shape("sphere")
    with pytest.raises(InputError, match="truck"):
        colorful_shape("grey")
