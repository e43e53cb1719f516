"""The stress suite's pictures agree with their truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.benchmarks.stress.cases import CONDITIONS, applies, build_case
from dexman_pose.benchmarks.stress.files import read_stress_case, write_stress_case
from dexman_pose.benchmarks.stress.score import hidden_stretches
from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.scenes.render import Actor, Studio, silhouette_size
from dexman_pose.synthetic.scenes.shape_parts import corner_normals, grid_box, lathe
from dexman_pose.synthetic.scenes.shapes import SHAPES, stress_shape
from dexman_pose.synthetic.scenes.true_symmetry import rotation_errors


def _actor(mesh: Mesh) -> Actor:
    return Actor(Rasterizer(mesh), corner_normals(mesh.vertices, mesh.faces), 1)


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_the_size_of_things_and_right_side_out(name: str) -> None:
    mesh = stress_shape(name).mesh
    corners = mesh.vertices[mesh.faces]
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert 1e-4 < volume < 3e-3  # a tenth of a litre to three; negative if faces were inside out
    assert 1000 <= len(mesh.faces) <= 6000
    assert 0.05 < mesh.extents.max() < 0.25
    assert mesh.texture is not None or mesh.vertex_colors is not None
    plain = stress_shape(name, False).mesh
    assert plain.texture is None and np.ptp(np.asarray(plain.vertex_colors), axis=0).max() == 0


@pytest.mark.parametrize("name", SHAPES)
def test_declared_symmetry_leaves_depth_images_as_they_are_and_nothing_else_does(name: str) -> None:
    shape = stress_shape(name, False)
    rasterizer = Rasterizer(shape.mesh)
    k = np.array([[300.0, 0, 79.5], [0, 300.0, 59.5], [0, 0, 1]])
    pose = se3(so3_exp([0.7, 0.5, 0.3]), [0.0, 0.0, 0.5])

    def difference(turn: np.ndarray) -> float:
        both = rasterizer.render(np.stack([pose, pose @ turn]), k, 160, 120)
        assert both.depth is not None
        return float((np.abs(both.depth[0] - both.depth[1]) > 0.002).sum() / both.mask[0].sum())

    turns = list(shape.symmetry.discrete)
    turns += [se3(so3_exp(0.7 * axis), np.zeros(3)) for axis in shape.symmetry.axes]
    assert max(difference(t) for t in turns) < 0.03
    broken = se3(so3_exp([0.0, np.pi / 2, 0.0]), np.zeros(3))
    assert difference(broken) > 0.1


def test_depth_is_that_of_an_analytic_sphere_and_wall_and_box() -> None:
    camera = Camera.from_focal(150.0, 160, 120)
    angles = np.linspace(-np.pi / 2, np.pi / 2, 90)
    sphere = lathe(np.stack([0.08 * np.cos(angles), 0.08 * np.sin(angles)], -1), 160)
    actor = _actor(Mesh(sphere.vertices, sphere.faces.astype(np.int32)))
    middle = np.array([0.05, -0.02, 0.6])
    labels, depth = Studio(camera, 3, 0.9).truth([(actor, se3(so3_exp([0.3, 0.2, 0.1]), middle))])
    v, u = np.nonzero(labels == 1)
    rays = camera.unproject(np.stack([u, v], -1), np.ones(len(u)))
    a, b, c = (rays**2).sum(1), rays @ middle, middle @ middle - 0.08**2
    inside = b**2 - a * c > 1e-4  # near the rim a facet is far off in depth
    true = (b - np.sqrt(np.maximum(b**2 - a * c, 0))) / a
    assert inside.sum() > 1000
    assert np.abs(depth[v, u] - true)[inside].max() < 3e-4
    assert (depth[labels == 0] > 0.7).all()
    box = grid_box((0.2, 0.096, 0.06), 3)
    flat = _actor(Mesh(box.vertices, box.faces.astype(np.int32)))
    labels, depth = Studio(camera, 3, 0.9).truth([(flat, se3(np.eye(3), [0.0, 0.0, 0.63]))])
    assert np.allclose(depth[labels == 1], 0.60, atol=1e-5)
    # 0.2 x 0.096 m at the front side, 0.6 m away, focal 150: 50 x 24 pixels
    assert (labels == 1).sum() == 50 * 24 == silhouette_size(flat, se3(np.eye(3), [0.0, 0.0, 0.63]), camera)


def test_masks_are_the_reprojected_mesh_and_pictures_show_it() -> None:
    case = build_case("clean", "box", 1, 2)
    rasterizer = Rasterizer(case.mesh)
    for k in range(2):
        seen = rasterizer.render(case.camera_from_object[k], case.camera.K, 640, 480)
        assert np.array_equal(seen.mask[0], case.labels[k] == 1)
        assert seen.depth is not None
        assert np.allclose(seen.depth[0][seen.mask[0]], case.depth[k][seen.mask[0]], atol=1e-6)
    outside = case.labels[0] == 0
    change = np.abs(case.images[0].astype(int) - case.images[1]).max(-1)
    still = outside & (case.labels[1] == 0)
    assert np.percentile(change[still], 95) < 12  # the wall stands still but for noise
    assert np.median(change[(case.labels[0] == 1) & (case.labels[1] == 1)]) > 3


def test_same_seed_same_case_and_other_seed_another() -> None:
    first, again, other = (build_case("clean", "can", seed, 1) for seed in (0, 0, 1))
    assert np.array_equal(first.images[0], again.images[0])
    assert np.array_equal(first.camera_from_object, again.camera_from_object)
    assert not np.allclose(first.camera_from_object, other.camera_from_object)


def test_half_is_hidden_by_something_nearer() -> None:
    case = build_case("occluded_50", "can", 1, 1)
    assert 0.44 < case.visible[0] < 0.56
    hidden = case.labels[0] == 255
    alone = Rasterizer(case.mesh).render(case.camera_from_object[0], case.camera.K, 640, 480)
    assert alone.depth is not None
    both = hidden & alone.mask[0]
    assert both.sum() > 200 and (case.depth[0][both] < alone.depth[0][both]).all()


def test_noisy_masks_are_ragged_and_not_ruined() -> None:
    case = build_case("noisy_mask", "mug", 0, 1)
    given, exact = case.labels[0] == 1, case.exact_labels[0] == 1
    overlap = (given & exact).sum() / (given | exact).sum()
    assert 0.75 < overlap < 0.97


def test_depth_noise_has_holes_and_millimetres() -> None:
    noisy = build_case("depth_noise", "can", 0, 1)
    z = noisy.depth[0]
    own = Rasterizer(noisy.mesh).render(noisy.camera_from_object[0], noisy.camera.K, 640, 480)
    assert own.depth is not None
    both = own.mask[0] & (z > 0)
    assert 0.03 < (z == 0).mean() < 0.3
    assert 0.0008 < (z - own.depth[0])[both].std() < 0.0035


def test_wrong_scale_is_undone_by_the_true_one() -> None:
    case = build_case("wrong_scale", "tool", 2, 1)
    assert not 0.9 < case.true_scale < 1.1
    true = stress_shape("tool").mesh
    assert np.allclose(case.mesh.scaled(case.true_scale).vertices, true.vertices)
    seen = Rasterizer(true).render(case.camera_from_object[0], case.camera.K, 640, 480)
    assert np.array_equal(seen.mask[0], case.labels[0] == 1)


@pytest.mark.parametrize("condition", ["leaves_image", "full_occlusion"])
def test_the_object_is_gone_for_a_while_and_comes_back(condition: str) -> None:
    case = build_case(condition, "can", 0, 40)
    (gap,) = hidden_stretches(case.visible)
    assert 5 <= gap[1] - gap[0] + 1 <= 15
    assert case.visible[:4].min() > 0.95 and case.visible[-2:].min() > 0.9
    assert not (case.labels[(gap[0] + gap[1]) // 2] == 1).any()


def test_fast_motion_is_fast_and_blurred() -> None:
    case = build_case("fast_motion", "box", 0, 6)
    middles = case.camera.project(case.camera_from_object[:, :3, 3])
    steps = np.linalg.norm(np.diff(middles, axis=0), axis=1)
    turns = rotation_errors(case.camera_from_object[1:], case.camera_from_object[:-1])
    assert 15 < steps.max() < 80 and 8 < turns.max() < 32


def test_disturbed_start_is_off_by_what_was_asked() -> None:
    case = build_case("clean", "mug", 0, 1)
    start, true = case.disturbed_start(6.0, 0.008), case.camera_from_object
    assert rotation_errors(start[None], true)[0] == pytest.approx(6.0)
    c = case.center
    moved = start[:3, :3] @ c + start[:3, 3] - true[0, :3, :3] @ c - true[0, :3, 3]
    assert np.linalg.norm(moved) == pytest.approx(0.008)


def test_files_round_trip(tmp_path: Path) -> None:
    case = build_case("occluded_50", "can", 0, 2)
    back = read_stress_case(write_stress_case(case, tmp_path / "case"))
    for k in range(2):
        assert np.array_equal(back.images[k], case.images[k])
        assert np.array_equal(back.labels[k], case.labels[k])
        assert np.abs(back.depth[k] - case.depth[k]).max() < 0.00051
    assert np.array_equal(back.camera_from_object, case.camera_from_object)
    assert np.allclose(back.camera.K, case.camera.K) and back.condition == case.condition
    again = Rasterizer(back.mesh).render(back.camera_from_object[:1], back.camera.K, 640, 480)
    before = Rasterizer(case.mesh).render(case.camera_from_object[:1], case.camera.K, 640, 480)
    assert (again.mask[0] ^ before.mask[0]).sum() <= 3 and back.mesh.texture is not None
    with pytest.raises(InputError, match="no stress case"):
        read_stress_case(tmp_path)


def test_names_that_do_not_exist_are_refused() -> None:
    with pytest.raises(InputError, match="clean"):
        build_case("foggy", "can")
    with pytest.raises(InputError, match="bowl"):
        build_case("clean", "banana")
    assert not applies("symmetric", "tool") and applies("symmetric", "can")
    assert len(CONDITIONS) == 13
    with pytest.raises(InputError, match="bracket"):
        build_case("print", "can")
    assert not applies("clean", "bracket") and applies("colorful", "truck")
