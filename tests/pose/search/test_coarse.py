from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.geometry import se3, so3_exp
from dexman_pose.imaging.masks import crop_box, mask_box
from dexman_pose.pose.observation.crop import CropObservation, gather
from dexman_pose.pose.search.coarse import CoarseScorer
from dexman_pose.render import Rasterizer

TOLERANCE = 0.003


@pytest.fixture(scope="module")
def look(scene: Any) -> tuple[CropObservation, np.ndarray, np.ndarray]:
    """A small crop with depth and an unknown patch, a random picture of its size, and poses around the true one."""
    true = scene.pose_at((0.4, 0.5, 0.2), (0.01, -0.01, 0.35))
    _, labels, depth = scene.picture(scene.mesh, true)
    box = mask_box(labels == 1)
    assert box is not None
    labels[int(box[1]) : int(box[1]) + 25, :] = 255
    view = gather(labels, 1, scene.camera, crop_box([box], 0.3), depth=depth, max_side=48)
    rng = np.random.default_rng(3)
    turns = so3_exp(rng.normal(scale=0.3, size=(7, 3))) @ true[:3, :3]
    poses = se3(turns, true[:3, 3] + rng.normal(scale=0.01, size=(7, 3)))
    picture = rng.random((*view.size, 3)).astype(np.float32)
    return view, np.concatenate([true[None], poses]), picture


def test_scores_equal_a_plain_count(scene: Any, look: Any) -> None:
    view, poses, picture = look
    found = CoarseScorer(scene.mesh).score(poses, view, picture=picture, tolerance=TOLERANCE)
    h, w = view.size
    drawn = Rasterizer(scene.mesh).render(poses, view.camera.K, w, h, attributes=("depth", "color"))
    assert view.unknown.any()
    assert drawn.depth is not None and drawn.color is not None
    for i in range(len(poses)):
        known = drawn.mask[i] & ~view.unknown
        both = known & view.mask
        union = int((known | (view.mask & ~view.unknown)).sum())
        assert found.iou[i] == pytest.approx(both.sum() / union, abs=1e-6)
        met = both & (view.depth > 0)
        ratio = (view.depth[met] / drawn.depth[i][met]).mean()
        assert found.depth_ratio[i] == pytest.approx(ratio, rel=1e-4)
        off = (view.depth[met] - ratio * drawn.depth[i][met]) / TOLERANCE
        wanted = np.count_nonzero(view.depth[view.mask])
        assert found.depth_agreement[i] == pytest.approx((1 / (1 + off**2)).sum() / wanted, abs=1e-3)
        a, b = drawn.color[i][both].astype(np.float64), picture[both].astype(np.float64)
        a, b = a - a.mean(0), b - b.mean(0)
        correlation = (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())
        assert found.correlation[i] == pytest.approx(correlation, abs=1e-3)
    np.testing.assert_allclose(found.total, found.iou + found.depth_agreement + found.correlation)


def test_the_true_pose_scores_best(scene: Any, look: Any) -> None:
    view, poses, _ = look
    found = CoarseScorer(scene.mesh).score(poses, view, tolerance=TOLERANCE)
    assert found.total.argmax() == 0
    assert found.iou[0] > 0.95
    assert found.depth_ratio[0] == pytest.approx(1.0, abs=5e-3)
    np.testing.assert_array_equal(found.correlation, 0.0)


def test_many_poses_on_several_workers_score_like_few(scene: Any, look: Any) -> None:
    view, poses, _ = look
    scorer = CoarseScorer(scene.mesh)
    few = scorer.score(poses, view, tolerance=TOLERANCE)
    many = scorer.score(np.tile(poses, (50, 1, 1)), view, tolerance=TOLERANCE)
    np.testing.assert_array_equal(many.iou, np.tile(few.iou, 50))
    np.testing.assert_array_equal(many.depth_agreement, np.tile(few.depth_agreement, 50))


def test_without_depth_only_the_outline_counts(scene: Any, look: Any) -> None:
    view, poses, _ = look
    from dataclasses import replace

    found = CoarseScorer(scene.mesh).score(poses, replace(view, depth=None))
    np.testing.assert_array_equal(found.total, found.iou)
    np.testing.assert_array_equal(found.depth_ratio, 1.0)


def test_a_pose_out_of_sight_scores_nothing(scene: Any, look: Any) -> None:
    view, poses, picture = look
    away = poses[:1].copy()
    away[0, 0, 3] += 5.0
    found = CoarseScorer(scene.mesh).score(away, view, picture=picture, tolerance=TOLERANCE)
    assert found.total[0] == 0.0
    assert found.depth_ratio[0] == 1.0
