"""Settings of poses by region reach what they are for, and fit the room there is."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np

from dexman_pose.pose.region._layout import LINE_ROOM, STEPS, LineReport
from dexman_pose.pose.region.options import (
    TEXTURE_FLOW,
    WINDOW_FLOW,
    LineOptions,
    LineRound,
    PointOptions,
    RegionOptions,
)
from dexman_pose.pose.region.solver import POINT_ROOM


def test_rounds_go_from_coarse_to_fine_and_all_their_lines_have_room() -> None:
    o = RegionOptions()
    steps = [r.step for r in o.rounds]
    assert steps == sorted(steps, reverse=True) and steps[-1] == 1
    assert [r.reach for r in o.rounds] == sorted((r.reach for r in o.rounds), reverse=True)
    assert o.rounds[0].draw and 0 < o.late < len(o.rounds) - o.texture_rounds
    for r in o.rounds:
        assert r.outline + (o.lines.inner if r.step <= o.lines.inner_from else 0) <= LINE_ROOM
        assert r.reach <= r.step * STEPS  # what lies beyond its line cannot be told
    assert o.points.count <= POINT_ROOM and o.points.least < o.points.count


def test_corners_of_a_frame_must_be_surer_than_those_of_the_texture() -> None:
    assert replace(WINDOW_FLOW, least_eigenvalue=TEXTURE_FLOW.least_eigenvalue) == TEXTURE_FLOW
    assert WINDOW_FLOW.least_eigenvalue > 10 * TEXTURE_FLOW.least_eigenvalue
    assert PointOptions().flow is WINDOW_FLOW and PointOptions().texture_flow is TEXTURE_FLOW


def test_settings_of_a_round_are_those_of_the_options(shapes: Any) -> None:
    lines = LineOptions(**{f.name: 3 + i for i, f in enumerate(fields(LineOptions))})
    round_ = LineRound(step=4, least_sigma=0.75, stride=3, outline=50)
    solver = shapes.solver_of(shapes.cube(), replace(RegionOptions(), lines=replace(lines, inner_from=4)))
    settings = solver._settings_of(round_)
    for name in ("step", "stride", "outline"):
        assert getattr(settings, name) == getattr(round_, name)
    assert float(settings.least_sigma) == 0.75
    assert float(settings.share) == 0.5  # four pixels by threes: two samples
    for name in (
        "inner",
        "limit",
        "temper",
        "mask",
        "edge",
        "edge_half",
        "contrast",
        "weight",
        "inner_weight",
    ):
        assert float(getattr(settings, name)) == getattr(lines, name), name
    assert float(settings.crease) == lines.crease
    assert solver._settings_of(replace(round_, step=5)).inner == 0  # so coarse, inner edges are not looked at


def test_evidence_that_is_switched_off_says_nothing(scene: Any, shapes: Any) -> None:
    true = scene.pose_at((0.4, 0.5, 0.1), (0.0, 0.0, 0.3))
    image = scene.picture(scene.mesh, true)[0]

    def found(options: RegionOptions) -> Any:
        refiner = shapes.refiner_of(scene.mesh, scene.camera, options)
        refiner.learn_at(true, image)
        refiner.keep(refiner.refine(true, image), image)
        return refiner.refine(true, image), refiner.solver.said[LineReport.INNER]

    points = PointOptions(flow=TEXTURE_FLOW)
    everything, inner = found(RegionOptions(points=points))
    assert everything.flow > 0 and everything.colors > 0.5 and everything.texture > 0 and inner > 0
    assert found(RegionOptions(points=points, flow=False))[0].flow == 0
    for off in (RegionOptions(texture=False), RegionOptions(texture_rounds=0)):
        pose = found(off)[0]
        assert np.isnan(pose.colors) and pose.texture == 0
    assert found(RegionOptions(lines=LineOptions(inner=0)))[1] == 0
    assert found(RegionOptions(points=PointOptions(least=10**6)))[0].texture == 0
