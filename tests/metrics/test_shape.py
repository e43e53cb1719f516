"""Distance between surfaces with known answers; alignment of a moved, scaled, bumpy mesh."""

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Mesh
from dexman_pose.errors import InputError, MeshError
from dexman_pose.geometry import rotation_angle, se3, so3_exp, transform_points
from dexman_pose.metrics._starts import cube_rotations
from dexman_pose.metrics.shape import align_generated_mesh, chamfer, surface_points, volume, volume_ratio

RNG = np.random.default_rng(5)


def mesh_of(shape):
    return Mesh(np.asarray(shape.vertices), np.asarray(shape.faces, np.int32))


def tool():
    """A body without any symmetry: a slab, a rod near one corner, a ball at one side."""
    slab = trimesh.creation.box((0.10, 0.06, 0.03))
    rod = trimesh.creation.cylinder(0.012, 0.09, sections=16)
    rod.apply_translation([0.03, 0.01, 0.05])
    ball = trimesh.creation.icosphere(2, 0.02)
    ball.apply_translation([-0.05, 0.03, 0.0])
    return mesh_of(trimesh.util.concatenate([slab, rod, ball]))


def similarity(factor, turn, shift):
    out = se3(so3_exp(turn), shift)
    out[:3, :3] *= factor
    return out


SPHERE = trimesh.creation.icosphere(4, 0.03)
TOOL = tool()


def test_concentric_spheres():
    found = chamfer(mesh_of(SPHERE).scaled(1.1), mesh_of(SPHERE), thresholds=(0.002, 0.004))
    assert found.chamfer == pytest.approx(0.003, rel=0.01)
    assert found.a_to_b == pytest.approx(0.003, rel=0.01)
    assert found.b_to_a == pytest.approx(0.003, rel=0.01)
    assert found.farthest == pytest.approx(0.003, rel=0.02)
    assert (found.precision, found.recall, found.f_score) == ((0.0, 1.0),) * 3
    assert found.volume_ratio == pytest.approx(1.331)


def test_a_part_that_is_missing_shows_one_way_only():
    both = Mesh(
        np.concatenate([SPHERE.vertices, SPHERE.vertices + [0.1, 0.0, 0.0]]),
        np.concatenate([SPHERE.faces, SPHERE.faces + len(SPHERE.vertices)]).astype(np.int32),
    )
    found = chamfer(mesh_of(SPHERE), both, thresholds=(0.001,))
    assert found.a_to_b == pytest.approx(0.0, abs=1e-6)
    assert found.b_to_a > 0.03
    assert found.precision == (1.0,)
    assert found.recall[0] == pytest.approx(0.5, abs=0.03)
    assert found.f_score[0] == pytest.approx(2 / 3, abs=0.03)
    assert found.volume_ratio == pytest.approx(0.5)


def test_equal_meshes_and_equal_seeds():
    assert chamfer(TOOL, TOOL, samples=500).chamfer == pytest.approx(0.0, abs=1e-7)
    moved = TOOL.moved(se3(np.eye(3), [0.001, 0.002, 0.0]))
    assert chamfer(TOOL, moved, samples=500, seed=3) == chamfer(TOOL, moved, samples=500, seed=3)
    assert chamfer(TOOL, moved, samples=500, seed=3) != chamfer(TOOL, moved, samples=500, seed=4)


def test_chamfer_agrees_with_dense_brute_force():
    a, b = mesh_of(trimesh.creation.box((0.1, 0.08, 0.06))), mesh_of(SPHERE)
    pa, pb = surface_points(a, 3000, 1), surface_points(b, 3000, 2)
    distance = np.linalg.norm(pa[:, None] - pb, axis=-1)
    brute = 0.5 * (distance.min(0).mean() + distance.min(1).mean())
    assert chamfer(a, b).chamfer == pytest.approx(brute, rel=0.03)


def test_points_are_spread_evenly_over_the_surface():
    points = surface_points(mesh_of(trimesh.creation.box((0.3, 0.1, 0.1))), 20_000, 0)
    ends = np.isclose(np.abs(points[:, 0]), 0.15).mean()
    assert ends == pytest.approx(0.02 / (0.02 + 0.12), abs=0.01)
    assert np.abs(points.mean(0)).max() < 0.002


def test_volume_of_closed_and_open_meshes():
    box = mesh_of(trimesh.creation.box((0.1, 0.2, 0.3)))
    assert volume(box) == pytest.approx(0.006)
    turned = Mesh(box.vertices, box.faces[:, ::-1])
    assert volume(turned) == pytest.approx(0.006)
    assert volume(Mesh(box.vertices, box.faces[1:])) is None
    assert volume_ratio(Mesh(box.vertices, box.faces[1:]), box) is None
    # Corners doubled, as at texture seams: still one closed body.
    assert volume(Mesh(box.vertices[box.faces].reshape(-1, 3), np.arange(36).reshape(-1, 3))) is not None


def test_cube_rotations():
    found = cube_rotations()
    assert len(np.unique(found.reshape(24, 9), axis=0)) == 24
    assert np.allclose(np.linalg.det(found), 1.0)


@pytest.mark.parametrize("factor", [1.0, 0.4, 2.3])
def test_a_moved_mesh_is_found(factor):
    truth = similarity(factor, RNG.normal(size=3) * 2.0, RNG.normal(size=3) * 0.2)
    found = align_generated_mesh(TOOL.moved(np.linalg.inv(truth)), TOOL, scale=factor != 1.0, samples=600)
    assert found.scale == pytest.approx(factor, rel=1e-3)
    assert np.allclose(
        transform_points(found.true_from_generated, transform_points(np.linalg.inv(truth), TOOL.vertices)),
        TOOL.vertices,
        atol=2e-4,
    )
    assert found.residual < 1e-4 < found.residual_start
    assert len(found.alternatives) == 0


def test_a_bumpy_mesh_is_found_and_its_residual_told():
    bumps = 0.003 * np.sin(TOOL.vertices @ [[60.0, 20, 0], [0, 50, 30], [40, 0, 70]])
    generated = Mesh(TOOL.vertices + bumps, TOOL.faces)
    truth = similarity(0.7, [1.0, -2.0, 0.4], [0.3, 0.0, -0.1])
    found = align_generated_mesh(generated.moved(np.linalg.inv(truth)), TOOL, scale=True, samples=600)
    assert found.scale == pytest.approx(0.7, rel=0.03)
    turned = found.true_from_generated[:3, :3] / found.scale @ so3_exp([1.0, -2.0, 0.4]).T
    assert rotation_angle(turned) < np.radians(4.0)
    assert 2e-4 < found.residual < 3e-3
    again = chamfer(generated.moved(np.linalg.inv(truth)).moved(found.true_from_generated), TOOL)
    assert found.residual == pytest.approx(again.chamfer, rel=0.1)


def test_without_scale_the_size_stays():
    found = align_generated_mesh(TOOL.scaled(1.05), TOOL, scale=False, samples=400)
    assert found.scale == 1.0
    assert np.isclose(np.linalg.det(found.true_from_generated[:3, :3]), 1.0)


def test_generated_from_true_is_rigid_and_keeps_the_place():
    truth = similarity(2.0, [0.3, 0.2, -0.4], [0.1, 0.0, 0.2])
    generated = TOOL.moved(np.linalg.inv(truth))
    found = align_generated_mesh(generated, TOOL, scale=True, samples=600)
    place = found.generated_from_true
    assert np.allclose(place[:3, :3] @ place[:3, :3].T, np.eye(3))
    assert np.allclose(place[:3, 3], np.linalg.inv(truth)[:3, 3], atol=3e-4)
    assert np.allclose(place[:3, :3], so3_exp([0.3, 0.2, -0.4]).T, atol=5e-3)


def test_a_box_has_alternatives_and_a_guess_chooses():
    box = mesh_of(trimesh.creation.box((0.10, 0.06, 0.03)))
    half = se3(so3_exp([0.0, 0.0, np.pi]), np.zeros(3))
    plain = align_generated_mesh(box, box, scale=False, samples=400)
    assert len(plain.alternatives) == 3
    chosen = align_generated_mesh(box, box, scale=False, samples=400, prefer=half)
    assert rotation_angle(chosen.true_from_generated @ half.T) < np.radians(2.0)
    assert chosen.residual < 2e-4


def test_a_guess_decides_the_spin_of_a_can():
    can = mesh_of(trimesh.creation.cylinder(0.03, 0.1, sections=128))
    spin = se3(so3_exp([0.0, 0.0, np.radians(37.0)]), np.zeros(3))
    found = align_generated_mesh(can, can, scale=False, samples=400, prefer=spin)
    assert rotation_angle(found.true_from_generated @ spin.T) < np.radians(3.0)
    assert found.residual < 2e-4


def test_a_mirrored_mesh_is_not_mirrored_back():
    mirrored = Mesh(TOOL.vertices * [-1.0, 1.0, 1.0], TOOL.faces[:, ::-1])
    found = align_generated_mesh(mirrored, TOOL, scale=True, samples=400)
    assert np.linalg.det(found.true_from_generated[:3, :3]) > 0
    assert found.residual > 5e-4


def test_bad_input_is_named():
    flat = Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]], np.int32))
    with pytest.raises(MeshError, match="area"):
        chamfer(flat, TOOL)
    with pytest.raises(InputError, match="positive"):
        chamfer(TOOL, TOOL, samples=0)
    with pytest.raises(InputError, match="at least 10"):
        align_generated_mesh(TOOL, TOOL, scale=False, samples=1)
    with pytest.raises(InputError, match="prefer"):
        align_generated_mesh(TOOL, TOOL, scale=False, prefer=np.eye(3))
