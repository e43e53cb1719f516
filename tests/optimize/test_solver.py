"""Whole-clip optimisation on synthetic tracks with exact truth: points of an object seen at pixels."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from point_costs import PointCosts

from dexman_pose.data import Camera
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.geometry import rotation_angle, se3, so3_exp
from dexman_pose.optimize.problem import bridge_gaps, move_poses, stretches
from dexman_pose.optimize.solver import solve_clip
from dexman_pose.optimize.types import ClipOptions, FrameTerms, SharedUnknowns

Array = NDArray[np.float64]

CENTER = np.array([0.02, -0.01, 0.03])
CAMERA = Camera.from_focal(600.0, 640, 480)
FREE = ClipOptions(acceleration_sigma=1e6, angular_acceleration_sigma=1e6)


def steady(frames: int) -> Array:
    """(T, 4, 4) straight motion and a steady turn about a fixed axis: no acceleration of either kind."""
    t = np.arange(frames)[:, None] / 30.0
    rotation = so3_exp(t * np.array([0.3, -0.5, 0.2])) @ so3_exp([0.4, 0.1, -0.2])
    center = np.array([-0.1, 0.02, 0.6]) + t * np.array([0.08, -0.03, 0.05])
    return se3(rotation, center - rotation @ CENTER)


def swinging(frames: int) -> Array:
    """(T, 4, 4) a calm, ever-changing motion."""
    t = np.arange(frames) / 30.0
    rotation = so3_exp(np.stack([0.8 * np.sin(1.1 * t), 0.6 * np.cos(0.9 * t), np.sin(0.7 * t)], -1))
    center = np.stack([0.1 * np.sin(2 * t), 0.08 * np.cos(1.5 * t), 0.6 + 0.1 * np.sin(t)], -1)
    return se3(rotation, center - rotation @ CENTER)


def observe(
    poses: Array,
    seed: int,
    *,
    noise: float = 1.0,
    depth: bool = True,
    scale: float | Array = 1.0,
    count: int = 8,
) -> PointCosts:
    """Points of the object seen from ``poses``: noise of 1 px and 1 cm, times ``noise``."""
    rng = np.random.default_rng(seed)
    points = CENTER + rng.uniform(-0.05, 0.05, (count, 3))
    camera_points = (CENTER + scale * (points - CENTER)) @ np.swapaxes(poses[:, :3, :3], 1, 2)
    camera_points += poses[:, None, :3, 3]
    pixels = CAMERA.project(camera_points) + noise * rng.standard_normal((len(poses), count, 2))
    measured = camera_points[..., 2] + 0.01 * noise * rng.standard_normal((len(poses), count))
    seen = np.ones((len(poses), count), bool)
    return PointCosts(
        points, CENTER, CAMERA, pixels, seen, measured if depth else None, depth_sigma=0.01, reach=50.0
    )


def disturbed(poses: Array, seed: int = 1, size: float = 1.0) -> Array:
    sigma = size * np.array([0.02, 0.02, 0.02, 0.1, 0.1, 0.1])
    return move_poses(poses, np.random.default_rng(seed).normal(0.0, sigma, (len(poses), 6)), CENTER)


def errors(found: Array, true: Array) -> tuple[Array, Array]:
    """(T,) metres between the centres and radians between the rotations."""
    off = (found - true)[:, :3, :3] @ CENTER + (found - true)[:, :3, 3]
    turn = rotation_angle(found[:, :3, :3] @ np.swapaxes(true[:, :3, :3], -1, -2))
    return np.linalg.norm(off, axis=-1), turn


def rms(x: Array) -> float:
    return float(np.sqrt(np.mean(x * x)))


def everywhere(poses: Array) -> NDArray[np.bool_]:
    return np.ones(len(poses), bool)


def scale_prior(sigma: float = np.inf, start: float = 0.0, mean: float | None = None) -> SharedUnknowns:
    return SharedUnknowns(np.array([start]), np.array([sigma]), 1, None if mean is None else np.array([mean]))


def test_increment_moves_the_centre_and_turns_about_it() -> None:
    """Twists act on the left, in camera axes: the centre by v, the rotation to exp(w) R."""
    pose, twist = swinging(3), np.array([[0.1, -0.2, 0.3, 0.4, 0.5, -0.6]])
    moved = move_poses(pose, np.repeat(twist, 3, 0), CENTER)
    shift = (moved - pose)[:, :3, :3] @ CENTER + (moved - pose)[:, :3, 3]
    np.testing.assert_allclose(shift, np.repeat(twist[:, :3], 3, 0), atol=1e-12)
    np.testing.assert_allclose(moved[:, :3, :3], so3_exp(twist[0, 3:]) @ pose[:, :3, :3], atol=1e-12)


@pytest.mark.parametrize("depth", [True, False])
def test_noiseless_track_is_recovered_exactly(depth: bool) -> None:
    true = steady(40)
    start = disturbed(true)
    options = ClipOptions(relative_tolerance=0.0, tolerance=1e-12)
    found = solve_clip(
        observe(true, 0, noise=0.0, depth=depth), start, everywhere(true), CENTER, options=options
    )
    assert found.converged and found.cost_after < 1e-9 < found.cost_before
    shift, turn = errors(found.poses, true)
    assert shift.max() < 1e-6 and turn.max() < 1e-6


def test_smoothing_gains_as_much_as_a_straight_line_fit() -> None:
    """Rigid smoothness leaves each coordinate two numbers, so noise falls by sqrt(2 / T)."""
    true = steady(50)
    stiff = ClipOptions(acceleration_sigma=1e-3, angular_acceleration_sigma=1e-2, kernel="quadratic")
    ratios = []
    for seed in range(6):
        costs = observe(true, seed)
        single = solve_clip(costs, disturbed(true), everywhere(true), CENTER, options=FREE)
        smooth = solve_clip(costs, single.poses, everywhere(true), CENTER, options=stiff)
        ratios.append(
            [rms(b) / rms(a) for a, b in zip(errors(single.poses, true), errors(smooth.poses, true))]
        )
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(ratios), 0)), np.sqrt(2 / 50), rtol=0.3)


def test_default_smoothness_helps_a_hand_held_motion() -> None:
    true = swinging(200)
    costs = observe(true, 2)
    single = solve_clip(costs, disturbed(true), everywhere(true), CENTER, options=FREE)
    smooth = solve_clip(costs, disturbed(true), everywhere(true), CENTER)
    for before, after in zip(errors(single.poses, true), errors(smooth.poses, true)):
        assert rms(after) < 0.75 * rms(before)


def test_scale_comes_from_all_frames_and_its_covariance_is_honest() -> None:
    """One frame with depth knows the scale to some percent; forty know it sqrt(40) times better, and know how well."""
    true, actual = swinging(40), np.log(1.2)
    scores, sigmas, alone = [], [], []
    for seed in range(25):
        costs = replace(observe(true, seed, scale=1.2), scale="uniform")
        found = solve_clip(costs, disturbed(true, seed), everywhere(true), CENTER, shared=scale_prior())
        assert found.shared_covariance is not None and found.converged
        sigmas.append(float(np.sqrt(found.shared_covariance[0, 0])))
        scores.append((found.shared[0] - actual) / sigmas[-1])
        one = replace(
            costs,
            pixels=costs.pixels[:1],
            seen=costs.seen[:1],
            depth=None if costs.depth is None else costs.depth[:1],
        )
        single = solve_clip(one, true[:1], np.ones(1, bool), CENTER, shared=scale_prior())
        assert single.shared_covariance is not None
        alone.append(float(np.sqrt(single.shared_covariance[0, 0])))
    assert np.abs(scores).max() < 3.0
    assert 0.6 < rms(np.array(scores)) < 1.4
    assert np.mean(alone) / np.mean(sigmas) == pytest.approx(np.sqrt(40), rel=0.25)


def test_pose_covariance_is_honest() -> None:
    true = steady(300)
    found = solve_clip(observe(true, 5), disturbed(true), everywhere(true), CENTER, options=FREE)
    assert found.covariance is not None
    shift = (found.poses - true)[:, :3, :3] @ CENTER + (found.poses - true)[:, :3, 3]
    turn = found.poses[:, :3, :3] @ np.swapaxes(true[:, :3, :3], -1, -2)
    spin = 0.5 * np.stack([(turn - np.swapaxes(turn, 1, 2))[:, *ij] for ij in ((2, 1), (0, 2), (1, 0))], -1)
    off = np.concatenate([shift, spin], -1)
    squares = np.einsum("ti,tij,tj->t", off, np.linalg.inv(found.covariance), off)
    assert np.mean(squares) == pytest.approx(6.0, rel=0.1)


def test_each_axis_has_its_own_scale() -> None:
    true, factors = swinging(150), np.array([1.1, 0.9, 1.2])
    costs = replace(observe(true, 3, scale=factors), scale="axes")
    shared = SharedUnknowns(np.zeros(3), np.full(3, np.inf), 3)
    found = solve_clip(costs, disturbed(true), everywhere(true), CENTER, shared=shared)
    assert found.shared_covariance is not None
    score = (found.shared - np.log(factors)) / np.sqrt(np.diag(found.shared_covariance))
    assert np.abs(score).max() < 3.0 and np.abs(found.shared - np.log(factors)).max() < 0.01


def test_focal_length_of_a_known_object() -> None:
    true = swinging(150)
    costs = replace(observe(true, 4), camera=Camera.from_focal(500.0, 640, 480), focal=True)
    shared = SharedUnknowns(np.zeros(1), np.array([0.5]), 0)
    found = solve_clip(costs, disturbed(true), everywhere(true), CENTER, shared=shared)
    assert found.shared_covariance is not None
    assert abs(found.shared[0] - np.log(1.2)) < 3.0 * np.sqrt(found.shared_covariance[0, 0]) < 0.01


def test_without_depth_the_prior_alone_says_the_size() -> None:
    """The picture is the same at any size and smoothness must not favour the small and near."""
    true = swinging(200)
    costs = replace(observe(true, 6, depth=False), scale="uniform")
    found = solve_clip(
        costs, disturbed(true), everywhere(true), CENTER, shared=scale_prior(0.05, start=0.0, mean=0.1)
    )
    assert found.converged and found.shared_covariance is not None
    assert found.shared[0] == pytest.approx(0.1, abs=0.005)
    assert np.sqrt(found.shared_covariance[0, 0]) == pytest.approx(0.05, rel=0.02)


class Banded:
    """Notes the sizes of the matrices that are factored."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        from scipy.linalg import cholesky_banded

        def noting(band: Array, **options: bool) -> Array:
            self.sizes.append(band.size)
            return np.asarray(cholesky_banded(band, **options), np.float64)

        monkeypatch.setattr("scipy.linalg.cholesky_banded", noting)


def test_work_and_memory_are_linear_in_the_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """The factored band has 18 rows whatever the length; the peak memory grows tenfold with ten times the frames."""
    peaks, bands, steps = [], [], []
    for frames in (200, 2000):
        noted, true = Banded(monkeypatch), swinging(frames)
        costs = replace(observe(true, 0, count=4), scale="uniform")
        start = disturbed(true)
        tracemalloc.start()
        found = solve_clip(costs, start, everywhere(true), CENTER, shared=scale_prior(0.5))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert set(noted.sizes) == {18 * 6 * frames} and found.converged
        bands.append(len(noted.sizes))
        steps.append(found.iterations)
    assert peaks[1] < 12 * peaks[0]
    assert max(bands) <= 20 and abs(steps[1] - steps[0]) <= 3


def test_solution_is_that_of_a_dense_solver() -> None:
    """At the minimum found, the dense Newton step of the same problem is nothing."""
    true = swinging(8)
    costs = replace(observe(true, 7), scale="uniform")
    options = ClipOptions(relative_tolerance=0.0, tolerance=1e-13, iterations=100)
    shared = scale_prior(0.3, mean=0.05)
    found = solve_clip(costs, disturbed(true), everywhere(true), CENTER, shared=shared, options=options)

    def total(x: Array) -> float:
        poses = move_poses(found.poses, x[:-1].reshape(8, 6), CENTER)
        value = SharedUnknowns(found.shared + x[-1:], np.array([0.3]), 1, np.array([0.05]))
        none = replace(options, iterations=0, covariance=False)
        return solve_clip(costs, poses, everywhere(poses), CENTER, shared=value, options=none).cost_before

    steps = 1e-5 * np.eye(49)
    slope = np.array([(total(s) - total(-s)) / 2e-5 for s in steps])
    curvature = np.array([(total(s) - 2 * total(0 * s) + total(-s)) / 1e-10 for s in steps])
    assert found.cost_after == pytest.approx(total(np.zeros(49)), abs=1e-9)
    assert np.abs(slope / curvature).max() < 1e-6


@pytest.mark.parametrize("kernel", ["huber", "geman-mcclure"])
def test_sudden_start_is_kept_by_robust_smoothness(kernel: str) -> None:
    """At rest, then off at 1.5 m/s within one frame: quadratic smoothness smears it, a robust one keeps it."""
    speed = np.where(np.arange(60) < 30, 0.0, 1.5 / 30.0)
    true = np.tile(steady(1), (60, 1, 1))
    true[:, 0, 3] += np.cumsum(speed) - 0.4
    near = slice(27, 33)
    worst = {}
    for name in (kernel, "quadratic"):
        options = ClipOptions(acceleration_sigma=0.5, angular_acceleration_sigma=5.0, kernel=name)  # type: ignore[arg-type]
        found = solve_clip(observe(true, 8), true, everywhere(true), CENTER, options=options)
        worst[name] = errors(found.poses, true)[0][near].max()
        far = errors(found.poses, true)[0][:20]
        assert rms(far) < 2e-3
    assert worst[kernel] < 0.5 * worst["quadratic"]


def test_stretches_are_parted_by_long_gaps_only() -> None:
    valid = np.array([0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0], bool)
    assert stretches(valid, 2).tolist() == [-1, 0, 0, 0, 0, 0, -1, -1, -1, 1, -1]
    assert stretches(valid, 0).tolist() == [-1, 0, -1, -1, 1, 1, -1, -1, -1, 2, -1]
    assert stretches(np.zeros(3, bool), 5).tolist() == [-1, -1, -1]


def test_gap_is_bridged_by_the_motion_around_it() -> None:
    """The bridge carries on at the speeds on both sides; the straight line it starts from does not."""
    true = swinging(60)
    valid = everywhere(true)
    valid[25:37] = False
    start = true.copy()
    start[~valid] = np.nan
    straight = bridge_gaps(start, valid, stretches(valid, 15), CENTER, np.arange(60) / 30.0)
    found = solve_clip(observe(true, 9, noise=0.1), start, valid, CENTER)
    assert found.solved.all() and found.covariance is not None
    for before, after in zip(errors(straight, true), errors(found.poses, true)):
        assert after[25:37].max() < 0.3 * before[25:37].max()
    spread = np.einsum("tii->ti", found.covariance)
    assert (spread[31] > 4.0 * spread[15]).all()
    np.testing.assert_array_equal(found.frame_cost[25:37], 0.0)


def test_stretches_apart_are_solved_as_if_alone() -> None:
    true = swinging(60)
    costs, valid = observe(true, 10), everywhere(true)
    valid[[0, 59]] = False
    valid[20:40] = False
    start = disturbed(true)
    start[~valid] = np.nan
    options = ClipOptions(relative_tolerance=0.0, tolerance=1e-10, iterations=80)
    both = solve_clip(costs, start, valid, CENTER, options=options)
    np.testing.assert_array_equal(both.solved, valid)
    np.testing.assert_array_equal(np.isnan(both.poses[~valid]), True)
    for part in (slice(1, 20), slice(40, 59)):
        only = np.zeros(60, bool)
        only[part] = True
        alone = solve_clip(costs, start, only, CENTER, options=options)
        np.testing.assert_allclose(both.poses[part], alone.poses[part], atol=1e-6)


def test_uneven_frame_times_are_accounted_for() -> None:
    """A steady motion filmed unevenly is still steady: the strongest smoothness leaves it alone."""
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.08, 30))
    rotation = so3_exp(times[:, None] * np.array([0.5, 0.2, -0.4]))
    center = np.array([0.0, 0.0, 0.5]) + times[:, None] * np.array([0.1, 0.05, 0.1])
    true = se3(rotation, center - rotation @ CENTER)
    stiff = ClipOptions(acceleration_sigma=1e-2, angular_acceleration_sigma=1e-1, kernel="quadratic")
    costs = observe(true, 0, noise=0.0)
    with_times = solve_clip(costs, true, everywhere(true), CENTER, frame_times=times, options=stiff)
    assert with_times.cost_after < 1e-8
    assert solve_clip(costs, true, everywhere(true), CENTER, options=stiff).cost_after > 1.0


class Twins:
    """Evidence with two minima per frame: the true pose, and one turned that costs ``penalty`` more."""

    def __init__(self, costs: PointCosts, angle: float, penalty: float | Array) -> None:
        turn = so3_exp([0.0, 0.0, angle])
        self.costs, self.penalty, self.flip = costs, penalty, se3(turn, CENTER - turn @ CENTER)

    def linearise(self, poses: Array, shared: Array) -> FrameTerms:
        true = self.costs.linearise(poses, shared)
        twin = self.costs.linearise(poses @ self.flip, shared)
        other = twin.cost + self.penalty < true.cost
        return FrameTerms(
            np.where(other[:, None, None], twin.hessian, true.hessian),
            np.where(other[:, None], twin.gradient, true.gradient),
            np.where(other, twin.cost + self.penalty, true.cost),
        )


@pytest.mark.parametrize("length", [1, 3, 10])
def test_short_flips_are_put_right(length: int) -> None:
    true = swinging(90)
    costs = Twins(observe(true, 11), np.pi, 5.0)
    flipped = np.zeros(90, bool)
    flipped[[*range(20, 20 + length), *range(60, 60 + length)]] = True
    start = np.where(flipped[:, None, None], true @ np.linalg.inv(costs.flip), true)
    stuck = solve_clip(costs, start, everywhere(true), CENTER, options=ClipOptions(mend=False))
    found = solve_clip(costs, start, everywhere(true), CENTER)
    assert errors(stuck.poses, true)[1].max() > 1.0
    assert errors(found.poses, true)[1].max() < 0.1 and found.cost_after < stuck.cost_after


def test_each_jump_is_judged_by_itself() -> None:
    """One flip is an error, the other is what the evidence plainly shows: only the first goes."""
    true = swinging(90)
    penalty = np.full(90, 5.0)
    penalty[60:63] = -5000.0
    costs = Twins(observe(true, 11), np.pi, penalty)
    flipped = np.zeros(90, bool)
    flipped[[20, 21, 22, 60, 61, 62]] = True
    start = np.where(flipped[:, None, None], true @ np.linalg.inv(costs.flip), true)
    turn = errors(solve_clip(costs, start, everywhere(true), CENTER).poses, true)[1]
    assert turn[:58].max() < 0.1 and turn[65:].max() < 0.1
    assert turn[60:63].min() > 3.0


def test_true_jump_is_not_mended_away() -> None:
    """Evidence that plainly shows a quarter turn within one frame, and back three frames later, wins."""
    true = steady(60)
    turned = slice(30, 33)
    true[turned, :3, :3] = so3_exp([0.0, 0.0, np.pi / 2]) @ true[turned, :3, :3]
    true[turned, :3, 3] = steady(60)[turned, :3, :3] @ CENTER + steady(60)[turned, :3, 3]
    true[turned, :3, 3] -= true[turned, :3, :3] @ CENTER
    found = solve_clip(observe(true, 12), disturbed(true, size=0.3), everywhere(true), CENTER)
    assert errors(found.poses, true)[1].max() < 0.15
    assert errors(found.poses, true)[0].max() < 0.01


class Kinked:
    """Evidence that has a cusp at the start in a few frames, so that every step makes these worse."""

    def __init__(self, costs: PointCosts, start: Array, frames: list[int]) -> None:
        self.costs, self.start, self.frames = costs, start, frames

    def linearise(self, poses: Array, shared: Array) -> FrameTerms:
        terms = self.costs.linearise(poses, shared)
        cost = terms.cost.copy()
        cost[self.frames] += 3e7 * np.abs((poses - self.start)[self.frames, :3, 3]).sum(1)
        return replace(terms, cost=cost)


def test_a_few_stubborn_frames_do_not_hold_up_the_others() -> None:
    true = swinging(200)
    start = disturbed(true)
    frames = [30, 70, 71, 120, 160]
    found = solve_clip(Kinked(observe(true, 13), start, frames), start, everywhere(true), CENTER)
    rest = np.ones(200, bool)
    rest[[f + k for f in frames for k in (-2, -1, 0, 1, 2)]] = False
    assert rms(errors(start, true)[0][rest]) > 0.02
    assert rms(errors(found.poses, true)[0][rest]) < 0.004


def test_scene_grows_with_scale_all_ways_and_with_the_focal_length_in_depth() -> None:
    uniform = SharedUnknowns(np.zeros(2), np.ones(2), 1)
    np.testing.assert_array_equal(uniform.growth, [[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    axes = SharedUnknowns(np.zeros(3), np.ones(3), 3)
    np.testing.assert_allclose(axes.growth, np.full((3, 3), 1 / 3))
    assert SharedUnknowns.none().growth.shape == (0, 3)


class Brittle:
    """Evidence that cannot be had (not finite) once any centre is nearer than a wall."""

    def __init__(self, costs: PointCosts, wall: float) -> None:
        self.costs, self.wall, self.refused = costs, wall, 0

    def linearise(self, poses: Array, shared: Array) -> FrameTerms:
        terms = self.costs.linearise(poses, shared)
        near = (poses[:, :3, :3] @ CENTER + poses[:, :3, 3])[:, 2] < self.wall
        self.refused += int(near.any())
        return replace(terms, cost=np.where(near, np.nan, terms.cost))


def test_steps_to_where_nothing_can_be_measured_are_refused() -> None:
    true = steady(20)
    brittle = Brittle(observe(true, 0), float((true[:, :3, :3] @ CENTER + true[:, :3, 3])[:, 2].min()) + 0.01)
    start = move_poses(true, np.tile([0.0, 0.0, 0.05, 0.0, 0.0, 0.0], (20, 1)), CENTER)
    found = solve_clip(brittle, start, everywhere(true), CENTER)
    assert brittle.refused > 0 and np.isfinite(found.cost_after)
    assert found.cost_after < found.cost_before
    with pytest.raises(EstimationError, match="not finite"):
        solve_clip(brittle, true, everywhere(true), CENTER)


def test_spin_that_nothing_shows_stays_and_is_known_to_be_unknown() -> None:
    """All points on one line through the centre, along the camera's x: the turn about it cannot be seen."""
    true = np.tile(se3(np.eye(3), np.array([0.0, 0.0, 0.6]) - CENTER), (20, 1, 1))
    costs = observe(true, 0)
    line = CENTER + np.linspace(-0.05, 0.05, 8)[:, None] * np.array([1.0, 0.0, 0.0])
    camera_points = line + true[0, :3, 3]
    costs = replace(
        costs,
        points=line,
        pixels=np.tile(CAMERA.project(camera_points), (20, 1, 1)),
        depth=np.tile(camera_points[:, 2], (20, 1)),
    )
    found = solve_clip(costs, true, everywhere(true), CENTER)
    assert found.covariance is not None
    assert errors(found.poses, true)[1].max() < 1e-6
    assert found.covariance[:, 3, 3].min() > 100.0 and found.covariance[:, 4:, 4:].max() < 1.0


def test_one_frame_alone() -> None:
    true = steady(1)
    found = solve_clip(observe(true, 0, noise=0.0), disturbed(true), np.ones(1, bool), CENTER)
    assert errors(found.poses, true)[0].max() < 1e-4 and found.converged


def test_wrong_input_is_named() -> None:
    true = steady(5)
    costs, valid = observe(true, 0), everywhere(true)
    with pytest.raises(InputError, match="at least one valid"):
        solve_clip(costs, true, ~valid, CENTER)
    with pytest.raises(InputError, match="frame_times"):
        solve_clip(costs, true, valid, CENTER, frame_times=np.array([0.0, 0.1, 0.1, 0.2, 0.3]))
    with pytest.raises(InputError, match=r"\(T, 4, 4\)"):
        solve_clip(costs, true[:, :3], valid, CENTER)
    with pytest.raises(InputError, match="finite poses"):
        solve_clip(costs, true * np.nan, valid, CENTER)
    with pytest.raises(InputError, match="1 shared"):
        solve_clip(replace(costs, focal=True), true, valid, CENTER)
    with pytest.raises(InputError, match="log-scales"):
        SharedUnknowns(np.zeros(2), np.ones(2), 0)
    with pytest.raises(InputError, match="positive sigma"):
        SharedUnknowns(np.zeros(1), np.zeros(1), 1)
    with pytest.raises(InputError, match="kernel"):
        ClipOptions(kernel="soft")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="max_gap"):
        ClipOptions(max_gap=-1)
    with pytest.raises(InputError, match="reach"):
        ClipOptions(reach=0.0)
