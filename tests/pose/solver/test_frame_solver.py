"""The fused solver against its plain twin, term by term, and against finite differences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import OCCLUDER
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.imaging.masks import crop_box, mask_box
from dexman_pose.pose.observation.crop import gather
from dexman_pose.pose.refinement.refiner import PoseRefiner, apply_increment
from dexman_pose.pose.solver import reference
from dexman_pose.pose.solver.options import RefineOptions
from dexman_pose.pose.solver.problem import Problem
from dexman_pose.pose.solver.residuals import EdgeMatches, PointMatches, ShadedPoints
from dexman_pose.render import Rasterizer

UNKNOWNS = [(0, False), (1, False), (3, False), (0, True), (3, True)]


@pytest.fixture(scope="module")
def refiner(scene: Any) -> PoseRefiner:
    return PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center)


@pytest.fixture(scope="module")
def true_pose(scene: Any) -> Any:
    return scene.pose_at((0.5, 0.6, 0.3), (0.01, 0.02, 0.4))


def view_of(scene: Any, true: Any, *, depth: bool = False, hidden: bool = False) -> Any:
    _, labels, measured = scene.picture(scene.mesh, true)
    if hidden:
        x0, _, x1, _ = mask_box(labels == 1)
        labels[:, int(0.5 * (x0 + x1)) : int(x1) + 10] = OCCLUDER
    whole = mask_box(scene.picture(scene.mesh, true)[1] == 1)
    box = crop_box([whole], 0.25)
    return gather(labels, 1, scene.camera, box, depth=measured if depth else None, max_side=96)


def disturbed(true: Any) -> Any:
    return apply_increment(np.array([0.002, -0.003, 0.006, 0.05, -0.03, 0.04]), true, true[:3, 3])


def compare(
    refiner: PoseRefiner, pose: Any, view: Any, options: Any, add: Any, scales: int, focal: bool, **terms: Any
) -> None:
    """The normal equations of the first linearisation, from the kernels and from the twin."""
    found = refiner.solver.solve(
        [Problem(pose, **terms)], [view], replace(options, iterations=0), scales=scales, focal=focal
    )
    frame = reference.Frame(pose, refiner.center, view.camera, scales, focal)
    twin = reference.start(frame)
    h, w = view.size
    drawn = refiner.rasterizer.render(pose[None], view.camera.K, w, h)
    add(twin, frame, drawn.depth[0], view, options)
    assert twin.cost > 0
    np.testing.assert_allclose(found.cost[0], twin.cost, rtol=2e-5)
    scale = np.sqrt(np.diag(twin.hessian))
    np.testing.assert_allclose(
        found.evidence[0] / np.outer(scale, scale), twin.hessian / np.outer(scale, scale), atol=2e-5
    )
    np.testing.assert_allclose(
        found.gradient[0] / scale, twin.rhs / scale, atol=3e-5 * np.sqrt(twin.cost) + 1e-4
    )


@pytest.mark.parametrize(("scales", "focal"), UNKNOWNS)
@pytest.mark.parametrize("hidden", [False, True])
def test_silhouette(
    scene: Any, refiner: PoseRefiner, true_pose: Any, scales: int, focal: bool, hidden: bool
) -> None:
    view = view_of(scene, true_pose, hidden=hidden)
    compare(refiner, disturbed(true_pose), view, RefineOptions(), reference.add_silhouette, scales, focal)


@pytest.mark.parametrize(("scales", "focal"), UNKNOWNS)
def test_depth(scene: Any, refiner: PoseRefiner, true_pose: Any, scales: int, focal: bool) -> None:
    view = view_of(scene, true_pose, depth=True)
    options = RefineOptions(use_silhouette=False, depth_scale=1.02, depth_shift=-0.003)
    compare(refiner, disturbed(true_pose), view, options, reference.add_depth, scales, focal)


@pytest.mark.parametrize(("scales", "focal"), UNKNOWNS)
def test_points_and_edges(scene: Any, refiner: PoseRefiner, true_pose: Any, scales: int, focal: bool) -> None:
    view = view_of(scene, true_pose)
    points = scene.mesh.vertices[::29]
    pixels = scene.camera.project(points @ true_pose[:3, :3].T + true_pose[:3, 3])
    angle = np.arange(len(points), dtype=np.float64)
    matches = PointMatches(points, pixels, 0.5 + 0.5 * np.cos(angle) ** 2)
    edges = EdgeMatches(points[::2], pixels[::2] + 0.7, np.stack([np.cos(angle), np.sin(angle)], 1)[::2])

    def add(twin: Any, frame: Any, depth: Any, view: Any, options: Any) -> None:
        reference.add_points(twin, frame, matches, view, options)
        reference.add_edges(twin, frame, edges, view, options)

    options = RefineOptions(use_silhouette=False)
    compare(refiner, disturbed(true_pose), view, options, add, scales, focal, matches=matches, edges=edges)


@pytest.mark.parametrize(("scales", "focal"), UNKNOWNS)
def test_grey_values(scene: Any, refiner: PoseRefiner, true_pose: Any, scales: int, focal: bool) -> None:
    view = view_of(scene, true_pose, hidden=True)
    y, x = np.mgrid[: view.size[0], : view.size[1]]
    gray = (128 + 40 * np.sin(0.3 * x) + 30 * np.cos(0.2 * y + 0.1 * x)).astype(np.float32)
    view = replace(view, gray=gray)
    points = scene.mesh.vertices[::17]
    shaded = ShadedPoints(points, np.linspace(90.0, 170.0, len(points)), np.ones(len(points)))

    def add(twin: Any, frame: Any, depth: Any, view: Any, options: Any) -> None:
        reference.add_shaded(twin, frame, shaded, view, options)

    options = RefineOptions(use_silhouette=False)
    compare(refiner, disturbed(true_pose), view, options, add, scales, focal, shaded=shaded)


@pytest.mark.parametrize("kind", ["matches", "shaded"])
def test_gradient_is_that_of_the_cost(scene: Any, refiner: PoseRefiner, true_pose: Any, kind: str) -> None:
    """Central differences of half the cost, for residuals that do not jump from pixel to pixel."""
    view = view_of(scene, true_pose)
    y, x = np.mgrid[: view.size[0], : view.size[1]].astype(np.float32)
    view = replace(view, gray=2.0 * x + 1.5 * y)  # bilinear interpolation of a plane is that plane
    points = scene.mesh.vertices[::37]
    pixels = scene.camera.project(points @ true_pose[:3, :3].T + true_pose[:3, 3])
    crop = view.to_crop(pixels)
    terms: dict[str, Any] = {
        "matches": PointMatches(points, pixels, np.ones(len(points))),
        "shaded": ShadedPoints(points, crop @ [2.0, 1.5], np.ones(len(points))),
    }
    options = RefineOptions(use_silhouette=False, iterations=0, reach=50.0, color_reach=50.0)
    pose, step = disturbed(true_pose), 1e-6

    def at(twist: Any, log_scale: float) -> Any:
        center = pose[:3, :3] @ refiner.center + pose[:3, 3]
        moved = apply_increment(twist, pose, center)
        problem = Problem(moved, stretch=np.full(3, np.exp(log_scale)), **{kind: terms[kind]})
        return refiner.solver.solve([problem], [view], options, scales=1)

    gradient = at(np.zeros(6), 0.0).gradient[0]
    for i in range(7):
        twist = np.zeros(7)
        twist[i] = step
        difference = (at(twist[:6], twist[6]).cost[0] - at(-twist[:6], -twist[6]).cost[0]) / (2 * step)
        np.testing.assert_allclose(-2.0 * gradient[i], difference, rtol=2e-4, atol=1e-3)


def test_unknown_scale_is_found_with_depth(scene: Any, true_pose: Any) -> None:
    view = view_of(scene, true_pose, depth=True)
    small = scene.mesh.scaled(0.8)
    refiner = PoseRefiner(Rasterizer(small), small.center)
    start = true_pose.copy()
    start[:3, 3] = start[:3, 3] + 0.004
    found = refiner.refine(start, view, RefineOptions(iterations=40), scales=1)
    np.testing.assert_allclose(found.stretch, 1.25, rtol=0.02)
    center = found.camera_from_object[:3, :3] @ small.center + found.camera_from_object[:3, 3]
    assert np.linalg.norm(center - (true_pose[:3, :3] @ scene.mesh.center + true_pose[:3, 3])) < 0.003


def test_a_stretched_mesh_is_found_axis_by_axis(scene: Any, true_pose: Any) -> None:
    view = view_of(scene, true_pose, depth=True)
    bent = replace(scene.mesh, vertices=scene.mesh.vertices / np.array([1.15, 0.9, 1.0]))
    refiner = PoseRefiner(Rasterizer(bent), bent.center)
    found = refiner.refine(true_pose, view, RefineOptions(iterations=60), scales=3)
    np.testing.assert_allclose(found.stretch, [1.15, 0.9, 1.0], rtol=0.04)


def test_unknown_focal_length_is_found_from_points(scene: Any, true_pose: Any) -> None:
    near = true_pose.copy()
    near[2, 3] = 0.15
    points = scene.mesh.vertices[::13]
    pixels = scene.camera.project(points @ near[:3, :3].T + near[:3, 3])
    wrong = type(scene.camera).from_focal(1.2 * scene.camera.fx, scene.camera.width, scene.camera.height)
    view = gather(np.zeros((240, 320), np.uint8), 1, wrong, (0, 0, 320, 240))
    matches = PointMatches(points, pixels, np.ones(len(points)))
    refiner = PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center)
    options = RefineOptions(iterations=80, use_silhouette=False, prior_focal=10.0)
    start = near.copy()
    start[2, 3] *= 1.15
    found = refiner.refine(start, view, options, matches=matches, focal=True)
    assert abs(found.focal * 1.2 - 1.0) < 0.01


def test_a_batch_is_each_of_its_members(scene: Any, refiner: PoseRefiner, true_pose: Any) -> None:
    """Two views and five starts in one call give what single calls give, to the last bit."""
    other = se3(so3_exp([0.2, -0.4, 0.1]), [0.0, 0.01, 0.42])
    views = [view_of(scene, true_pose), view_of(scene, true_pose, hidden=True)]
    starts = [
        disturbed(true_pose),
        true_pose,
        other,
        apply_increment(np.full(6, 0.004), true_pose, true_pose[:3, 3]),
    ]
    problems = [Problem(p, i % 2) for i, p in enumerate(starts)]
    together = refiner.solver.solve(problems, views, RefineOptions())
    for i, problem in enumerate(problems):
        alone = refiner.solver.solve([replace(problem, view=0)], [views[problem.view]], RefineOptions())
        np.testing.assert_array_equal(alone.camera_from_object[0], together.camera_from_object[i])
        assert alone.cost[0] == together.cost[i]
        assert alone.iou[0] == together.iou[i]


def test_same_result_twice(scene: Any, refiner: PoseRefiner, true_pose: Any) -> None:
    view = view_of(scene, true_pose, depth=True)
    first = refiner.refine(disturbed(true_pose), view, RefineOptions())
    refiner.refine(true_pose, view_of(scene, true_pose, hidden=True), RefineOptions())
    second = refiner.refine(disturbed(true_pose), view, RefineOptions())
    np.testing.assert_array_equal(first.camera_from_object, second.camera_from_object)


def test_a_view_that_comes_again_is_as_good_as_new(scene: Any, refiner: PoseRefiner, true_pose: Any) -> None:
    """Images of a view stay where they are while it is the same; the first call needs fewer of them."""
    first, second = view_of(scene, true_pose), view_of(scene, true_pose, depth=True, hidden=True)
    start, pointless = disturbed(true_pose), RefineOptions(iterations=6, use_silhouette=False)
    kept = refiner.solver
    for view in (first, first, second, first, second, second):
        kept.solve([Problem(start, predicted=start)], [view], pointless)
        fresh = PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center).solver
        a, b = (s.solve([Problem(start)], [view], RefineOptions(iterations=6)) for s in (kept, fresh))
        np.testing.assert_array_equal(a.camera_from_object, b.camera_from_object)
        np.testing.assert_array_equal(a.iou, b.iou)
