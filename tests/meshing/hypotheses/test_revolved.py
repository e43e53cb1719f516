"""A can and a bottle come back from their outline alone once it is known which way is up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import trimesh

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.meshing.hypotheses.lathe import turned_mesh
from dexman_pose.meshing.hypotheses.outlines import Outline
from dexman_pose.meshing.hypotheses.revolved import Profile, revolved_profile

See = Callable[[Mesh], tuple[Outline, Array]]


def _lathe(profile: list[tuple[float, float]]) -> Mesh:
    solid = trimesh.creation.revolve(np.array(profile), sections=64)
    return Mesh(np.asarray(solid.vertices), np.asarray(solid.faces))


def test_a_can_has_its_height_and_its_width(see: See) -> None:
    view, up = see(_lathe([(1e-4, 0), (0.04, 0), (0.04, 0.1), (1e-4, 0.1)]))
    found = revolved_profile([view], up)
    assert found is not None
    assert found.radii.max() == pytest.approx(0.04, rel=0.06)
    assert np.ptp(found.heights) == pytest.approx(0.1, rel=0.08)
    assert found.radii[len(found.radii) // 2] == pytest.approx(0.04, rel=0.06)


def test_a_bottle_keeps_its_neck(see: See) -> None:
    view, up = see(_lathe([(1e-4, 0), (0.04, 0), (0.04, 0.08), (0.015, 0.1), (0.015, 0.14), (1e-4, 0.14)]))
    found = revolved_profile([view], up)
    assert found is not None
    at = np.interp([0.25, 0.9], (found.heights - found.heights[0]) / np.ptp(found.heights), found.radii)
    assert at[0] == pytest.approx(0.04, rel=0.1)
    assert at[1] == pytest.approx(0.015, rel=0.2)


def test_a_flat_board_is_no_body_of_revolution_of_its_size(see: See) -> None:
    solid = trimesh.creation.box((0.2, 0.06, 0.01))
    view, up = see(Mesh(np.asarray(solid.vertices), np.asarray(solid.faces)))
    found = revolved_profile([view], up)
    assert found is None or found.radii.max() < 0.06


@pytest.mark.parametrize("hollow", [False, True])
def test_a_turned_mesh_is_closed_and_a_vessel_holds_something(hollow: bool) -> None:
    heights = np.linspace(0.0, 0.1, 9)
    profile = Profile(np.array([0.0, 0.0, 1.0]), np.zeros(3), heights, np.full(9, 0.05))
    mesh = turned_mesh(profile, hollow=hollow)
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    full = np.pi * 0.05**2 * 0.1
    assert solid.is_watertight
    assert solid.volume > 0
    assert (solid.volume < 0.3 * full) if hollow else (solid.volume == pytest.approx(full, rel=0.02))
