"""The timing scene holds what it says, and its numbers are times."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.benchmarks.speed.pose import CROP, bench_pose, bench_scene
from dexman_pose.pose import refine_pose


def test_the_scene_shows_its_object_at_the_truth() -> None:
    scene = bench_scene(2)
    assert scene.clip.num_frames == 2 and scene.camera_from_object.shape == (2, 4, 4)
    found = refine_pose(
        scene.mesh,
        scene.camera_from_object[0],
        scene.masks.mask(1, "box"),
        scene.camera,
        image=scene.clip.frame(1),
    )
    np.testing.assert_allclose(found.camera_from_object, scene.camera_from_object[1], atol=3e-3)


def test_refinement_is_timed_beside_first_order_at_no_worse_error() -> None:
    lines = bench_pose(1, 1)
    first, adam = next(lines), next(lines)
    assert f"{CROP}" in first.size and first.iterations is not None
    assert 1 < first.iterations <= 30
    assert 0.0 < first.seconds < 5.0
    assert first.error is not None and adam.error is not None and adam.ratio is not None
    assert adam.ratio > 1.0
    assert first.error[0] < adam.error[0] + 0.3 and first.error[1] < adam.error[1] + 0.3


@pytest.mark.slow
def test_every_line_is_a_time() -> None:
    lines = list(bench_pose(3, 1))
    assert len(lines) >= 6
    assert all(0.0 < line.seconds < 60.0 for line in lines)
