"""Numbers that the host packs and kernels read: each weight acts on the term of its name, and on nothing else."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.imaging.masks import crop_box, mask_box
from dexman_pose.pose.observation.crop import gather
from dexman_pose.pose.refinement.refiner import PoseRefiner, apply_increment
from dexman_pose.pose.solver import _layout as layout
from dexman_pose.pose.solver import reference
from dexman_pose.pose.solver.options import RefineOptions, SolverOptions
from dexman_pose.pose.solver.problem import Problem, step_limits, term_weights
from dexman_pose.pose.solver.residuals import EdgeMatches, PointMatches, ShadedPoints
from dexman_pose.render import Rasterizer

# Few residuals weigh as many as there may be, and depth is looked at on a tilted plane, so that every number counts.
BASE = RefineOptions(
    iterations=0,
    prior_translation=0.01,
    depth_shift=0.001,
    depth_facing=0.6,
    silhouette_most=60.0,
    depth_most=100.0,
    point_most=20.0,
    edge_most=20.0,
    color_most=20.0,
)
BLOCKS = {
    "silhouette": ("silhouette_sigma", "silhouette_weight", "silhouette_reach", "silhouette_most"),
    "depth": (
        "depth_sigma",
        "depth_weight",
        "reach",
        "depth_most",
        "depth_facing",
        "depth_scale",
        "depth_shift",
    ),
    "points": ("point_sigma", "reach", "point_most"),
    "edges": ("edge_sigma", "edge_weight", "edge_reach", "edge_most"),
    "color": ("color_sigma", "color_weight", "color_reach", "color_most"),
    "prior": ("prior_translation", "prior_rotation", "prior_scale", "prior_focal"),
}
ALL = sorted(
    {name for names in BLOCKS.values() for name in names} | {"point_inlier", "color_inlier", "small_gain"}
)
FOCAL, SCALES = True, 3


class Block:
    """One term alone, by the kernels and by the twin."""

    def __init__(self, scene: Any, kind: str) -> None:
        true = scene.pose_at((0.5, 0.6, 0.3), (0.01, 0.02, 0.4))
        self.pose = apply_increment(np.array([0.002, -0.003, 0.006, 0.05, -0.03, 0.04]), true, true[:3, 3])
        self.kind, self.true, self.refiner = (
            kind,
            true,
            PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center),
        )
        _, labels, measured = scene.picture(scene.mesh, true)
        box = crop_box([mask_box(labels == 1)], 0.25)
        depth = measured if kind == "depth" else None
        self.view = gather(labels, 1, scene.camera, box, depth=depth, max_side=96)
        y, x = np.mgrid[: self.view.size[0], : self.view.size[1]]
        gray = (128 + 40 * np.sin(0.3 * x) + 30 * np.cos(0.2 * y + 0.1 * x)).astype(np.float32)
        self.view = replace(self.view, gray=gray)
        points = scene.mesh.vertices[::29]
        pixels = scene.camera.project(points @ true[:3, :3].T + true[:3, 3])
        angle = np.arange(len(points), dtype=np.float64)
        normal = np.stack([np.cos(angle), np.sin(angle)], 1)
        self.items: Any = {
            "points": PointMatches(points, pixels, 0.5 + 0.5 * np.cos(angle) ** 2),
            "edges": EdgeMatches(points, pixels + 0.7, normal),
            "color": ShadedPoints(points, 128 + 40 * np.sin(angle), 0.5 + 0.5 * np.cos(angle) ** 2),
        }.get(kind)

    def solved(self, options: RefineOptions) -> tuple[np.ndarray, np.ndarray, float]:
        """Normal matrix, its share that was seen or the prior's, and cost."""
        argument = {"points": "matches", "edges": "edges", "color": "shaded"}.get(self.kind)
        terms: Any = {} if argument is None else {argument: self.items}
        if self.kind == "prior":
            terms = {"predicted": self.true, "stretch": np.array([1.1, 0.9, 1.2])}
        options = replace(options, use_silhouette=self.kind == "silhouette")
        found = self.refiner.solver.solve(
            [Problem(self.pose, **terms)], [self.view], options, scales=SCALES, focal=FOCAL
        )
        matrix = found.hessian if self.kind == "prior" else found.evidence
        return matrix[0], found.gradient[0], float(found.cost[0])

    def twin(self, options: RefineOptions) -> tuple[np.ndarray, np.ndarray, float]:
        frame = reference.Frame(self.pose, self.refiner.center, self.view.camera, SCALES, FOCAL)
        normal = reference.start(frame)
        h, w = self.view.size
        drawn = self.refiner.rasterizer.render(self.pose[None], self.view.camera.K, w, h).depth[0]
        if self.kind == "prior":
            reference.add_prior(normal, frame, self.true, np.log([1.1, 0.9, 1.2]), options)
            normal.rhs[:] = 0.0  # the solver reports the right-hand side of the evidence alone
        elif self.kind in ("silhouette", "depth"):
            add = reference.add_silhouette if self.kind == "silhouette" else reference.add_depth
            add(normal, frame, drawn, self.view, options)
        else:
            names = {"points": "add_points", "edges": "add_edges", "color": "add_shaded"}
            getattr(reference, names[self.kind])(normal, frame, self.items, self.view, options)
        return normal.hessian, normal.rhs, normal.cost


@pytest.mark.parametrize("kind", list(BLOCKS))
def test_a_weight_acts_on_the_term_of_its_name_and_on_no_other(scene: Any, kind: str) -> None:
    block = Block(scene, kind)
    before = block.solved(BASE)
    for name in ALL:
        options = replace(BASE, **{name: 1.3 * getattr(BASE, name)})
        found = block.solved(options)
        if name not in BLOCKS[kind]:
            for a, b in zip(found, before, strict=True):
                np.testing.assert_array_equal(a, b, err_msg=f"{name} acts on {kind}")
            continue
        assert not np.array_equal(found[0], before[0]) or found[2] != before[2], f"{name} does nothing"
        matrix, right, cost = block.twin(options)
        scale = np.sqrt(np.diag(matrix))
        np.testing.assert_allclose(found[2], cost, rtol=3e-5, err_msg=name)
        both = np.outer(scale, scale)
        np.testing.assert_allclose(found[0] / both, matrix / both, atol=3e-5, err_msg=name)
        np.testing.assert_allclose(
            found[1] / scale, right / scale, atol=3e-5 * np.sqrt(cost) + 1e-4, err_msg=name
        )


def test_inliers_are_counted_within_the_sigmas_of_their_own_kind(scene: Any) -> None:
    for kind, mine, other in (
        ("points", "point_inlier", "color_inlier"),
        ("color", "color_inlier", "point_inlier"),
    ):
        block = Block(scene, kind)
        argument = "matches" if kind == "points" else "shaded"

        def share(block: Block = block, argument: str = argument, **changed: float) -> float:
            options = replace(BASE, use_silhouette=False, **changed)  # type: ignore[arg-type]
            problem = Problem(block.pose, **{argument: block.items})
            return float(block.refiner.solver.solve([problem], [block.view], options).inliers[0])

        assert share(**{mine: 0.5}) < share(**{mine: 3.0})
        assert share(**{mine: 3.0, other: 0.5}) == share(**{mine: 3.0})


def test_every_number_of_a_row_has_a_place_of_its_own() -> None:
    shared = {("Target", "GRAY"), ("Report", "SEEN")}  # another name of the number that stands there
    for row in ("View", "EdgePoint", "PointSet", "Target", "Prior", "Term", "Report"):
        places = {k: v for k, v in vars(getattr(layout, row)).items() if k.isupper()}
        size = places.pop("SIZE")
        alone = [v for k, v in places.items() if (row, k) not in shared]
        assert len(set(alone)) == len(alone) and max(alone) < size, row
    state, prior = layout.State, layout.Prior
    assert (state.CENTER - state.ROTATION, state.LOG_SCALE - state.CENTER) == (9, 3)
    assert (state.ROTATION, state.CENTER) == (prior.ROTATION, prior.CENTER)
    assert layout.Slot.RIGHT == layout.System.RIGHT


def test_structs_hold_what_the_options_say() -> None:
    told = {f.name: 1.0 + i for i, f in enumerate(fields(SolverOptions))}
    limits = step_limits(SolverOptions(**told))
    assert {name: getattr(limits, name) for name in told} == told
    row = term_weights(replace(RefineOptions(), depth_sigma=0.5, point_sigma=0.25), True)[0]
    assert (row["use_silhouette"], row["depth_information"], row["point_information"]) == (1, 4.0, 16.0)
    assert row["silhouette_reach"] == RefineOptions().silhouette_reach
