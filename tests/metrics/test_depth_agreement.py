"""The paper's depth agreement by hand: which vertices count, and the sweep over scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from dexman_pose.data import Camera, Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.metrics.depth_agreement import (
    depth_agreement,
    depth_agreement_auc,
    depth_agreement_success,
)
from dexman_pose.render import Rasterizer

CAMERA = Camera(np.array([[4.0, 0, 1.5], [0, 4, 1.5], [0, 0, 1]]), 4, 4)
# Four vertices on the pixels (1, 1), (2, 1), (1, 2), (2, 2) at one metre.
SQUARE = np.array([[-0.125, -0.125, 0], [0.125, -0.125, 0], [-0.125, 0.125, 0], [0.125, 0.125, 0]])
ALL = np.ones((4, 4), np.bool_)


def at(x: float = 0.0, z: float = 1.0) -> NDArray[np.float64]:
    return se3(np.eye(3), [x, 0.0, z])


def flat(depth: float) -> NDArray[np.float32]:
    return np.full((4, 4), depth, np.float32)


def score(
    depth: NDArray[np.float32], mask: NDArray[np.bool_] = ALL, delta: float = 0.01, vertices: object = SQUARE
) -> float:
    return float(depth_agreement(at(), vertices, CAMERA, depth, mask, delta=delta))  # type: ignore[arg-type]


def test_agreement_is_within_delta_both_ways() -> None:
    assert score(flat(1.0)) == 1.0
    assert score(flat(1.009)) == 1.0
    assert score(flat(0.991)) == 1.0
    assert score(flat(1.011)) == 0.0
    assert score(flat(0.989)) == 0.0
    assert score(flat(1.25), delta=0.25) == 1.0


def test_only_pixels_in_the_mask_with_depth_count() -> None:
    depth = flat(1.0)
    depth[1, 1] = 1.5
    assert score(depth) == 3 / 4
    depth[1, 2] = 0.0
    assert score(depth) == 2 / 3
    depth[1, 2] = np.nan
    assert score(depth) == 2 / 3
    mask = np.zeros((4, 4), np.bool_)
    mask[1] = True
    assert score(depth, mask) == 0.0
    mask[2, 1] = True
    assert score(depth, mask) == 1 / 2


def test_of_vertices_on_one_pixel_the_nearest_counts() -> None:
    back = SQUARE * 1.3 + [0, 0, 0.3]  # on the same pixels, farther
    assert score(flat(1.0), vertices=np.concatenate([back, SQUARE])) == 1.0
    assert score(flat(1.3), vertices=np.concatenate([back, SQUARE])) == 0.0
    assert score(flat(1.3), vertices=back) == 1.0


def test_frames_that_keep_no_pixel_score_nothing() -> None:
    assert score(flat(0.0)) == 0.0
    assert score(flat(1.0), np.zeros((4, 4), np.bool_)) == 0.0
    for pose in (at(z=-1.0), at(x=9.0)):
        assert depth_agreement(pose, SQUARE, CAMERA, flat(1.0), ALL, delta=0.01) == 0.0


def test_frames_come_in_stacks_or_one_by_one() -> None:
    poses = np.stack([at(), at(x=0.25), at(x=9.0)])
    depth = np.stack([flat(1.0), flat(1.0), flat(1.0)])
    depth[1, 1, 3] = 2.0
    mask = np.stack([ALL] * 3)
    found = depth_agreement(poses, SQUARE, CAMERA, depth, mask, delta=0.01)
    assert found.tolist() == [1.0, 3 / 4, 0.0]
    one_by_one = depth_agreement(
        poses[None], SQUARE, CAMERA, lambda i: depth[i], lambda i: mask[i], delta=0.01
    )
    assert one_by_one.tolist() == [found.tolist()]


def test_area_over_the_sweep_is_exact() -> None:
    assert depth_agreement_auc([1.0, 0.5]) == 1.0
    assert depth_agreement_auc([0.0, 0.1]) == 0.0
    assert depth_agreement_auc([0.3]) == pytest.approx(0.5)
    assert depth_agreement_auc([0.2, 0.9]) == pytest.approx((0.25 + 1.0) / 2)
    assert depth_agreement_auc([0.2, 0.9], np.array([True, False])) == pytest.approx(0.125)
    assert depth_agreement_auc([]) == 0.0
    scores = np.random.default_rng(0).random(50)
    fine = depth_agreement_auc(scores, thresholds=np.linspace(0.1, 0.5, 40001))
    assert depth_agreement_auc(scores) == pytest.approx(fine, abs=1e-4)


def test_area_over_given_thresholds() -> None:
    # Shares above 0.1, 0.3, 0.5: 1, 1/2, 0.
    assert depth_agreement_auc([0.2, 0.4], thresholds=[0.1, 0.3, 0.5]) == pytest.approx(0.5)
    with pytest.raises(InputError, match="ascending"):
        depth_agreement_auc([0.2], thresholds=[0.5, 0.1])


def test_success_is_above_the_threshold() -> None:
    assert depth_agreement_success([0.3, 0.31, 0.9, 0.0]) == 0.5
    assert depth_agreement_success([0.3, 0.9], np.array([True, False])) == 0.0
    assert depth_agreement_success([0.2], threshold=0.1) == 1.0
    assert depth_agreement_success([]) == 0.0


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="delta must be"):
        score(flat(1.0), delta=0.0)
    with pytest.raises(InputError, match="vertices must have"):
        score(flat(1.0), vertices=np.zeros((0, 3)))
    with pytest.raises(InputError, match="mask must have shape"):
        score(flat(1.0), np.ones((3, 4), np.bool_))
    with pytest.raises(InputError, match="scores must lie"):
        depth_agreement_auc([np.nan])
    with pytest.raises(InputError, match="valid must be"):
        depth_agreement_auc([0.5], [1])
    lens = replace(CAMERA, distortion=np.array([0.1, 0, 0, 0]))
    with pytest.raises(InputError, match="undistort"):
        depth_agreement(at(), SQUARE, lens, flat(1.0), ALL, delta=0.01)


def test_with_the_surface_rendered_the_truth_agrees_everywhere_and_the_far_side_does_not_show() -> None:
    made = trimesh.creation.box((0.1, 0.1, 0.1))
    mesh = Mesh(np.asarray(made.vertices), np.asarray(made.faces, np.int32))
    camera = Camera.from_focal(100.0, 64, 48)
    pose = se3(so3_exp([0.4, 0.7, 0.1]), [0.0, 0.0, 0.5])
    surface = Rasterizer(mesh)
    drawn = surface.render(pose[None], camera.K, 64, 48)
    assert drawn.depth is not None
    given = (mesh.vertices, camera, drawn.depth[0], drawn.mask[0])
    assert depth_agreement(pose, *given, delta=1e-4, surface=surface) == 1.0
    assert depth_agreement(pose, *given, delta=1e-4) < 1.0  # the hidden corner lies behind the surface
