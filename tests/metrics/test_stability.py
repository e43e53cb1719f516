"""Alignment of the first frame, stability and jitter, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.errors import InputError
from dexman_pose.geometry import inverse, se3, so3_exp
from dexman_pose.metrics.stability import first_frame_aligned, jitter, stability

Array = NDArray[np.float64]


def moves(*positions: float) -> Array:
    return np.stack([se3(np.eye(3), [x, 0, 1]) for x in positions])


def wander(seed: int, count: int = 8) -> Array:
    rng = np.random.default_rng(seed)
    return se3(so3_exp(rng.normal(size=(count, 3))), rng.normal(size=(count, 3)))


OFFSET = se3(so3_exp([0.4, -1.0, 2.0]), [1.0, -2.0, 0.5])


def test_a_track_that_is_moved_as_a_whole_comes_back() -> None:
    true = wander(0)
    np.testing.assert_allclose(first_frame_aligned(OFFSET @ true, true), true, atol=1e-12)


def test_one_transform_from_the_left_serves_all_frames() -> None:
    estimated, true = wander(1), wander(2)
    moved = first_frame_aligned(estimated, true)
    np.testing.assert_array_equal(moved[0], true[0])
    steps = moved @ inverse(estimated)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[1], steps.shape), atol=1e-12)


def test_the_first_valid_frame_is_made_true() -> None:
    estimated, true = wander(3), wander(4)
    estimated[:2] = np.nan
    valid = np.array([False, False] + [True] * 6)
    moved = first_frame_aligned(estimated, true, valid)
    np.testing.assert_array_equal(moved[2], true[2])
    np.testing.assert_allclose(moved[5], true[2] @ inverse(estimated[2]) @ estimated[5], atol=1e-12)
    assert np.isfinite(moved).all()
    kept = wander(3)
    np.testing.assert_array_equal(first_frame_aligned(kept, true, np.zeros(8, np.bool_)), kept)


def test_a_still_camera_moves_the_track_as_the_world_does() -> None:
    estimated, true, camera_from_world = wander(5), wander(6), wander(7)[0]
    in_world = first_frame_aligned(estimated, true)
    in_camera = first_frame_aligned(camera_from_world @ estimated, camera_from_world @ true)
    np.testing.assert_allclose(in_camera, camera_from_world @ in_world, atol=1e-12)


def test_the_truth_is_stable_wherever_it_is_moved() -> None:
    true = wander(8)
    result = stability(OFFSET @ true, true)
    assert result.mean == pytest.approx(1.0, abs=1e-12) and result.std == pytest.approx(0.0, abs=1e-12)
    assert result.frames.tolist() == list(range(1, 8))


def test_translation_by_hand() -> None:
    # Steps of 0, 4 and -20 mm where the truth stands still: 1, 0.6 and 0, and the rotation is right.
    result = stability(moves(0, 0, 0.004, -0.016), moves(0, 0, 0, 0))
    np.testing.assert_allclose(result.scores, [1.0, 0.8, 0.5], atol=1e-12)
    assert result.mean == pytest.approx(2.3 / 3) and result.std == pytest.approx(np.std([1.0, 0.8, 0.5]))
    np.testing.assert_allclose(result.shifts, [0, 0.004, 0.02], atol=1e-12)
    wide = stability(moves(0, 0, 0.004, -0.016), moves(0, 0, 0, 0), translation_scale=0.04)
    np.testing.assert_allclose(wide.scores, [1.0, 0.95, 0.75], atol=1e-12)


def test_rotation_by_hand() -> None:
    turned = np.stack([se3(so3_exp([0, 0, angle]), [0, 0, 1]) for angle in (0.0, 0.03, 0.33)])
    result = stability(turned, moves(0, 0, 0))
    np.testing.assert_allclose(result.scores, [0.85, 0.5], atol=1e-9)
    np.testing.assert_allclose(result.turns, [0.03, 0.3], atol=1e-9)
    coarse = stability(turned, moves(0, 0, 0), rotation_scale=0.6)
    np.testing.assert_allclose(coarse.scores, [0.975, 0.75], atol=1e-9)


def test_pairs_need_an_estimate_in_both_frames() -> None:
    estimated = moves(0, 0.001, 0, 0, 0)
    estimated[2] = np.nan
    result = stability(estimated, moves(0, 0, 0, 0, 0), np.array([True, True, False, True, True]))
    assert result.frames.tolist() == [1, 4]
    np.testing.assert_allclose(result.scores, [0.95, 1.0], atol=1e-12)


def test_without_pairs_there_is_no_stability() -> None:
    result = stability(moves(0, 1, 2), moves(0, 1, 2), np.array([True, False, True]))
    assert result.mean is None and result.std is None and len(result.scores) == 0


def test_acceleration_by_hand() -> None:
    # Second differences 0.01 and -0.03 m at 10 frames per second: 1 and -3 m/s^2.
    track = moves(0, 0, 0.01, -0.01)
    result = jitter(track, None, 10.0)
    assert result.acceleration == pytest.approx(np.sqrt((1 + 9) / 2))
    assert result.samples == 2 and result.relative is None
    assert jitter(track[:, :3, 3], None, 10.0) == result
    pair = np.stack([track[:, :3, 3], np.zeros((4, 3))], 1)
    assert jitter(pair, None, 10.0).acceleration == pytest.approx(np.sqrt((1 + 9) / 4))


def test_uniform_motion_does_not_jitter() -> None:
    assert jitter(moves(0.0, 0.5, 1.0, 1.5), None, 30.0).acceleration == 0.0


def test_the_acceleration_of_the_truth_is_taken_off() -> None:
    time = np.arange(6) / 10.0
    true = moves(*(2.0 * time**2))  # 4 m/s^2
    result = jitter(true, None, 10.0, true=true)
    assert result.acceleration == pytest.approx(4.0) and result.relative == 0.0
    trembling = true.copy()
    trembling[3, 1, 3] += 0.01  # accelerations of 1, -2 and 1 m/s^2 across
    assert jitter(trembling, None, 10.0, true=true).relative == pytest.approx(np.sqrt(6 / 4))


def test_only_runs_of_valid_frames_count() -> None:
    track = moves(0, 0, 0.01, 9.0, 0, 0, 0)
    track[3] = np.nan
    valid = np.array([True, True, True, False, True, True, True])
    result = jitter(track, valid, 10.0, true=moves(*[0] * 7))
    assert result.samples == 2
    assert result.acceleration == pytest.approx(np.sqrt(0.5)) and result.relative == result.acceleration


@pytest.mark.parametrize("count", [0, 1, 2])
def test_runs_that_are_too_short_have_no_jitter(count: int) -> None:
    track = moves(*range(2))[:count]
    result = jitter(track, None, 30.0, true=track)
    assert result.acceleration is None and result.relative is None and result.samples == 0


def test_bad_input_is_named() -> None:
    bad = moves(0, 1)
    bad[1, 0, 3] = np.nan
    with pytest.raises(InputError, match=r"estimated holds .* NaN"):
        stability(bad, moves(0, 1))
    with pytest.raises(InputError, match="true must have shape"):
        stability(moves(0, 1), moves(0, 1, 2))
    with pytest.raises(InputError, match="rotation_scale must be positive"):
        stability(moves(0, 1), moves(0, 1), rotation_scale=0.0)
    with pytest.raises(InputError, match="NaN or infinity in a valid frame"):
        jitter(bad, None, 30.0)
    with pytest.raises(InputError, match="fps must be"):
        jitter(moves(0, 1), None, 0.0)
    with pytest.raises(InputError, match="poses"):
        jitter(np.zeros((3, 2)), None, 30.0)
    with pytest.raises(InputError, match="shape of the track"):
        jitter(moves(0, 1, 2), None, 30.0, true=moves(0, 1))
