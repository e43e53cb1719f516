"""Evidence of whole clips out of the fused solver, on rendered clips with exact truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Clip, DepthSequence, MaskSequence
from dexman_pose.errors import InputError
from dexman_pose.geometry import rotation_angle, se3, so3_exp
from dexman_pose.optimize.problem import move_poses
from dexman_pose.optimize.solver import solve_clip
from dexman_pose.optimize.types import ClipOptions, SharedUnknowns
from dexman_pose.pose.clip.frame_costs import FusedCosts, clip_costs
from dexman_pose.pose.observation.view import ObjectClip
from dexman_pose.pose.refinement.refiner import refiner_for

FRAMES = 7
CENTER = np.array([0.01, -0.02, 0.03])


def true_poses() -> np.ndarray:
    t = np.arange(FRAMES)
    turn = so3_exp(np.stack([0.5 + 0.04 * t, 0.5 - 0.03 * t, 0.02 * t], -1))
    return se3(turn, np.stack([-0.02 + 0.005 * t, 0.01 + 0 * t, 0.34 + 0.004 * t], -1))


@pytest.fixture(scope="module")
def made(scene: Any) -> tuple[Any, Clip, MaskSequence, DepthSequence]:
    """Clip, masks and depth of the moving wedge; in frame 3 there is no mask."""
    masks = MaskSequence(("wedge",), scene.camera.height, scene.camera.width, FRAMES)
    images, depths = [], []
    for t, pose in enumerate(true_poses()):
        image, labels, depth = scene.picture(scene.mesh, pose)
        images.append(image)
        depths.append(depth)
        masks.set(t, np.zeros_like(labels) if t == 3 else labels)
    refiner = refiner_for(scene.mesh)
    return refiner, Clip.from_frames(np.stack(images)), masks, DepthSequence.from_arrays(depths)


def costs_of(made: Any, scene: Any, poses: np.ndarray, valid: np.ndarray, **options: Any) -> FusedCosts:
    refiner, clip, masks, depth = made
    sensor = depth if options.pop("depth", False) else None
    return clip_costs(
        refiner, ObjectClip(clip, masks, "wedge", scene.camera, sensor), poses, valid, **options
    )


def nudged(refiner: Any, seed: int = 0, turn: float = 0.05, shift: float = 0.003) -> np.ndarray:
    rng = np.random.default_rng(seed)
    twists = rng.standard_normal((FRAMES, 6)) * np.repeat([shift, turn], 3)
    return move_poses(true_poses(), twists, refiner.center)


def test_frames_without_mask_or_not_valid_give_nothing_and_crops_are_alike(made: Any, scene: Any) -> None:
    valid = np.ones(FRAMES, bool)
    valid[5] = False
    costs = costs_of(made, scene, true_poses(), valid, texture=False, side=64)
    assert [v is None for v in costs.views] == [False, False, False, True, False, True, False]
    assert {v.size for v in costs.views if v is not None} == {(64, 64)}
    terms = costs.linearise(nudged(made[0]), np.zeros(0))
    assert (terms.cost[[3, 5]] == 0).all() and not terms.hessian[[3, 5]].any()
    assert (terms.cost[[0, 1, 2, 4, 6]] > 0).all()


def test_chunks_do_not_matter(made: Any, scene: Any) -> None:
    costs = costs_of(made, scene, true_poses(), np.ones(FRAMES, bool))
    one, many = (replace(costs, chunk=n).linearise(nudged(made[0]), np.zeros(0)) for n in (1, 50))
    np.testing.assert_allclose(one.hessian, many.hessian, rtol=1e-9)
    np.testing.assert_allclose(one.gradient, many.gradient, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(one.cost, many.cost, rtol=1e-9)


def test_the_gradient_points_uphill(made: Any, scene: Any) -> None:
    """A Gauss-Newton step from a small error on the truth's side undoes most of it."""
    costs = costs_of(made, scene, true_poses(), np.ones(FRAMES, bool), depth=True)
    start = nudged(made[0], turn=0.03, shift=0.002)
    terms = costs.linearise(start, np.zeros(0))
    step = -np.linalg.solve(terms.hessian[0] + 1e-9 * np.eye(6), terms.gradient[0])
    moved = move_poses(start[:1], step[None], made[0].center)[0]
    before, after = (scene.error(p, true_poses()[0]) for p in (start[0], moved))
    assert after[0] < 0.5 * before[0] and after[1] < 0.5 * before[1]


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_depth_gives_one_scale_for_the_clip(made: Any, scene: Any, factor: float) -> None:
    _, clip, masks, depth = made
    small = refiner_for(scene.mesh.scaled(factor))
    poses = true_poses()
    poses[:, :3, 3] *= factor
    costs = clip_costs(
        small, ObjectClip(clip, masks, "wedge", scene.camera, depth), poses, np.ones(FRAMES, bool), scales=1
    )
    shared = SharedUnknowns(np.zeros(1), np.full(1, 2.0), 1)
    options = ClipOptions(acceleration_sigma=1e6, angular_acceleration_sigma=1e6)
    valid = np.arange(FRAMES) != 3
    found = solve_clip(costs, poses, valid, small.center, shared=shared, options=options)
    assert float(np.exp(found.shared[0])) * factor == pytest.approx(1.0, abs=0.01)


def test_a_longer_lens_is_found_with_depth(made: Any, scene: Any) -> None:
    refiner, clip, masks, depth = made
    k = scene.camera.K.copy()
    k[0, 0] *= 1.1
    k[1, 1] *= 1.1
    wrong = replace(scene.camera, K=k)
    costs = clip_costs(
        refiner,
        ObjectClip(clip, masks, "wedge", wrong, depth),
        true_poses(),
        np.ones(FRAMES, bool),
        focal=True,
    )
    shared = SharedUnknowns(np.zeros(1), np.full(1, 0.3), 0)
    options = ClipOptions(acceleration_sigma=1e6, angular_acceleration_sigma=1e6)
    valid = np.arange(FRAMES) != 3
    found = solve_clip(costs, true_poses(), valid, refiner.center, shared=shared, options=options)
    assert 1.1 * float(np.exp(found.shared[0])) == pytest.approx(1.0, abs=0.02)


def test_crops_of_two_sizes_are_refused(made: Any, scene: Any) -> None:
    costs = costs_of(made, scene, true_poses(), np.ones(FRAMES, bool), texture=False, side=64)
    other = costs_of(made, scene, true_poses(), np.ones(FRAMES, bool), texture=False, side=48)
    with pytest.raises(InputError, match="crops of one size"):
        FusedCosts(costs.refiner, [costs.views[0], other.views[1]])
    with pytest.raises(InputError, match="shared unknowns"):
        costs.linearise(true_poses(), np.zeros(1))


def test_angles_of_noisy_poses_shrink(made: Any, scene: Any) -> None:
    refiner = made[0]
    start, valid = nudged(refiner, 4), np.arange(FRAMES) != 3
    costs = costs_of(made, scene, start, valid)
    found = solve_clip(costs, start, valid, refiner.center)
    truth = true_poses()
    before, after = (
        rotation_angle(p[:, :3, :3] @ np.swapaxes(truth[:, :3, :3], 1, 2)) for p in (start, found.poses)
    )
    assert after[valid].max() < 0.3 * before[valid].max()
