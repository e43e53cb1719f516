"""What an estimate says of itself: scale convention, covariance, observable directions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Mesh, MeshUnit
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.pose import estimate_pose, refine_pose
from dexman_pose.pose.estimate import uncertainty
from dexman_pose.pose.refinement.refiner import Refined
from dexman_pose.render import Rasterizer


def refined_with(evidence: np.ndarray) -> Refined:
    return Refined(np.eye(4), 0.0, 1.0, evidence, True, 1, evidence=evidence)


def test_covariance_is_the_inverse_of_what_was_seen() -> None:
    evidence = np.diag([4e6, 1e6, 2.5e5, 1e4, 4e4, 1e4])
    covariance, observed, _ = uncertainty(refined_with(evidence), radius=0.1)
    np.testing.assert_allclose(np.diag(covariance), 1.0 / np.diag(evidence), rtol=1e-3)
    assert observed.all()


def test_a_direction_that_nothing_fixed_is_told() -> None:
    evidence = np.diag([1e6, 1e6, 1e6, 1e4, 1e4, 0.0])
    covariance, observed, directions = uncertainty(refined_with(evidence), radius=0.05)
    assert list(observed) == [True] * 5 + [False]
    np.testing.assert_allclose(np.abs(directions[:, 5]), [0, 0, 0, 0, 0, 1], atol=1e-6)
    assert np.isfinite(covariance).all() and covariance[5, 5] > 100


def test_an_unknown_scale_widens_what_it_is_tied_to() -> None:
    evidence = np.diag([1e6, 1e6, 1e6, 1e4, 1e4, 1e4, 1e4])
    evidence[2, 6] = evidence[6, 2] = 0.9 * 1e5
    free, _, _ = uncertainty(refined_with(evidence), radius=0.05)
    held, _, _ = uncertainty(refined_with(evidence[:6, :6]), radius=0.05)
    assert free[2, 2] > 2.0 * held[2, 2]
    np.testing.assert_allclose(free[0, 0], held[0, 0])


def test_the_spin_of_a_plain_can_is_not_observed(scene: Any) -> None:
    can = trimesh.creation.cylinder(0.03, 0.1, sections=64)
    mesh = Mesh(np.asarray(can.vertices), np.asarray(can.faces))
    pose = se3(so3_exp([0.9, 0.3, 0.1]), [0.0, 0.0, 0.4])
    drawn = Rasterizer(mesh).render(pose[None], scene.camera.K, scene.camera.width, scene.camera.height)
    found = refine_pose(mesh, pose, drawn.mask[0], scene.camera)
    assert not found.observable.all()
    least = found.directions[:, ~found.observable][3:, -1]
    axis = found.camera_from_object[:3, 2]
    assert abs(least @ axis) / np.linalg.norm(least) > 0.98


@pytest.fixture(scope="module")
def view(scene: Any) -> Any:
    true = scene.pose_at((0.5, 0.6, 0.3), (0.01, 0.02, 0.4))
    return true, *scene.picture(scene.mesh, true)


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_the_pose_belongs_to_the_mesh_times_its_scale(scene: Any, view: Any, factor: float) -> None:
    """Mesh of the wrong size and off its origin: vertices end up where the true mesh has them."""
    true, image, labels, depth = view
    wrong = scene.mesh.scaled(factor).moved(se3(np.eye(3), [0.05, -0.03, 0.02]))
    found = estimate_pose(wrong, image, labels == 1, scene.camera, depth=depth, scale="unknown")
    assert abs(found.scale * factor - 1.0) < 0.02
    assert found.scale_source == "depth"
    there = (
        found.scale * wrong.vertices @ found.camera_from_object[:3, :3].T + found.camera_from_object[:3, 3]
    )
    expected = scene.mesh.vertices @ true[:3, :3].T + true[:3, 3]
    assert np.linalg.norm(there - expected, axis=1).mean() < 0.003


@pytest.mark.parametrize("solver", ["lm", "adam"])
@pytest.mark.parametrize(
    ("source", "told"), [("guessed", "guessed"), ("given", "given"), ("standard", "given")]
)
def test_a_guessed_unit_is_never_called_given(
    scene: Any, view: Any, source: Any, told: str, solver: str
) -> None:
    true, _, labels, _ = view
    mesh = replace(scene.mesh, unit=MeshUnit("m", source))
    assert refine_pose(mesh, true, labels == 1, scene.camera, solver=solver).scale_source == told


def test_without_depth_only_the_direction_is_found(scene: Any, view: Any) -> None:
    true, image, labels, _ = view
    wrong = scene.mesh.scaled(1.5)
    found = estimate_pose(wrong, image, labels == 1, scene.camera, scale="unknown")
    assert found.scale == 1.0 and found.scale_source == "unknown"
    center = found.camera_from_object[:3, :3] @ wrong.center + found.camera_from_object[:3, 3]
    expected = true[:3, :3] @ scene.mesh.center + true[:3, 3]
    cosine = center @ expected / np.linalg.norm(center) / np.linalg.norm(expected)
    assert np.degrees(np.arccos(min(cosine, 1.0))) < 0.3


def test_no_alternative_is_a_twin(scene: Any) -> None:
    box = trimesh.creation.box((0.05, 0.07, 0.1)).subdivide().subdivide()
    mesh = Mesh(np.asarray(box.vertices), np.asarray(box.faces))
    pose = scene.pose_at((0.6, 0.7, 0.3), (0.0, 0.0, 0.4))
    image, labels, _ = scene.picture(mesh, pose)
    found = estimate_pose(mesh, image, labels == 1, scene.camera)
    turns = [np.diag(d) for d in ([1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1])]
    ranked = [found, *found.alternatives]
    for i, a in enumerate(ranked):
        for b in ranked[:i]:
            r = a.camera_from_object[:3, :3].T @ b.camera_from_object[:3, :3]
            angles = [np.degrees(np.arccos(np.clip((np.trace(r @ t) - 1) / 2, -1, 1))) for t in turns]
            assert min(angles) > 7.0
    assert found.margin == found.score - found.alternatives[0].score if found.alternatives else True


def test_unknown_words_are_told(scene: Any, view: Any) -> None:
    _, image, labels, _ = view
    with pytest.raises(InputError, match="scale must be one of known, unknown, axes"):
        estimate_pose(scene.mesh, image, labels == 1, scene.camera, scale="big")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="solver must be"):
        refine_pose(scene.mesh, np.eye(4), labels == 1, scene.camera, solver="sgd")


def test_adam_and_lm_agree(scene: Any, view: Any) -> None:
    true, image, labels, depth = view
    start = true.copy()
    start[:3, :3] = so3_exp([0.05, -0.04, 0.03]) @ true[:3, :3]
    both = [
        refine_pose(scene.mesh, start, labels == 1, scene.camera, image=image, depth=depth, solver=solver)
        for solver in ("lm", "adam")
    ]
    for found in both:
        millimetres, degrees = scene.error(found.camera_from_object, true)
        assert millimetres < 2.0 and degrees < 1.5
    assert replace(both[0], alternatives=[]).mask_iou > 0.97
