"""Objects go with the hands that carry them, stand where they rest, and errors that stay are told from both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh, PoseTrack, RigidObject
from dexman_pose.geometry.se3 import se3, so3_exp, so3_log, transform_points
from dexman_pose.interaction.options import SteadyOptions
from dexman_pose.interaction.steady.at_once import Known, solve_at_once
from dexman_pose.interaction.steady.resting import Resting
from dexman_pose.interaction.steady.riding import Measured, Ride, ride
from dexman_pose.optimize.problem import move_poses

FRAMES, HELD, STEP = 60, 20, 1 / 30
TIMES = np.arange(FRAMES) * STEP
CENTER = np.array([0.01, 0.02, -0.01])
JITTER = np.repeat([0.004, 0.05], 3)
EXACT = 1e-4


def _true() -> Array:
    """An object that rests for 20 frames, then is carried and turned."""
    t = np.maximum(np.arange(FRAMES) - HELD, 0) * STEP
    way = np.stack([0.1 * t**2, -0.15 * t**2, 0.7 + 0 * t], 1)
    return se3(so3_exp(np.stack([0.3 * t**2, 0 * t, 0.5 * t**2], 1)), way)


def _mesh() -> Mesh:
    box = trimesh.creation.box((0.06, 0.08, 0.1))
    return Mesh(np.asarray(box.vertices) + CENTER, np.asarray(box.faces))


def _thing(poses: Array) -> RigidObject:
    ones = np.ones(len(poses))
    return RigidObject("box", _mesh(), PoseTrack(poses, ones > 0, ones), scale_source="given")


def _hand(poses: Array, off: float, moved: float = 0.0) -> Measured:
    """A hand on an object that it holds from frame 15 on, off by a little."""
    rng = np.random.default_rng(1)
    on = np.tile(rng.normal(0.0, 0.04, (21, 3)), (FRAMES, 1, 1))
    on[30:] += np.array([0.0, moved, 0.0])
    frames = np.arange(15, FRAMES)
    joints = transform_points(poses, on)[frames] + rng.normal(0.0, off, (len(frames), 21, 3))
    whole = np.tile(np.eye(3) * 0.002**2, (len(frames), 1, 1))
    return Measured(frames, joints, whole, np.full(len(frames), 0.004), np.zeros(len(frames)))


def _errors(found: Array, true: Array) -> tuple[Array, Array]:
    centers = (p[:, :3, :3] @ CENTER + p[:, :3, 3] for p in (found, true))
    turn = so3_log(found[:, :3, :3] @ np.swapaxes(true[:, :3, :3], 1, 2))
    return np.linalg.norm(np.subtract(*centers), axis=1), np.linalg.norm(turn, axis=1)


def _noisy(true: Array, seed: int, drifting: float = 1.0) -> Array:
    """Jitter, and a drift as large that comes when the object is carried."""
    rng = np.random.default_rng(seed)
    wave = np.sin(np.linspace(0.0, 2.0 * np.pi, FRAMES - HELD))[:, None] * JITTER * drifting
    twists = JITTER * rng.standard_normal((FRAMES, 6))
    twists[HELD:] += wave
    return move_poses(true, twists, CENTER)


def _known(measured: Array, **more: object) -> Known:
    return replace(Known(measured, np.ones(FRAMES, bool), JITTER, CENTER, TIMES), **more)  # type: ignore[arg-type]


def test_exact_poses_stay() -> None:
    true = _true()
    found = solve_at_once(true, _known(true), SteadyOptions())
    shift, turn = _errors(found, true)
    assert shift.max() < 1e-3 and turn.max() < 1e-2


def test_a_hand_that_laid_hold_of_a_resting_object_tells_how_it_is_carried() -> None:
    true = _true()
    measured = _noisy(true, 0)
    hand = _hand(true, 0.002)
    carried = ride(_thing(measured), hand, STEP, SteadyOptions())
    known = np.diag(np.repeat([1 / 0.001, 1 / 0.01], 3))
    rest = Resting(0, 15, true[0], known)
    o = SteadyOptions()
    alone = _errors(solve_at_once(measured, _known(measured, rests=(rest,)), o), true)
    with_hand = _errors(solve_at_once(measured, _known(measured, rests=(rest,), rides=(carried,)), o), true)
    assert with_hand[0][HELD:].mean() < 0.7 * alone[0][HELD:].mean()
    assert with_hand[1][HELD:].mean() < 0.7 * alone[1][HELD:].mean()


def test_an_error_that_stays_is_told_by_a_rest_and_taken_off_while_it_is_carried() -> None:
    true = _true()
    off = np.array([0.0, 0.008, 0.0, 0.1, 0.0, 0.0])
    measured = move_poses(true, np.tile(off, (FRAMES, 1)), CENTER)
    rest = Resting(0, HELD, true[0], np.diag(np.repeat([1 / 0.001, 1 / 0.01], 3)))
    o = replace(SteadyOptions(), persists=0.9)
    found = _errors(solve_at_once(measured, _known(measured, rests=(rest,)), o), true)
    assert found[0][HELD:].mean() < 0.5 * off[1] and found[1][HELD:].mean() < 0.5 * off[3]


def test_frames_without_a_pose_lie_between_their_neighbours() -> None:
    true = _true()
    measured, valid = true.copy(), np.ones(FRAMES, bool)
    valid[25:30] = False
    measured[25:30] = np.eye(4)
    found = solve_at_once(true, replace(_known(measured), valid=valid), SteadyOptions())
    shift, turn = _errors(found, true)
    assert shift.max() < 2e-3 and turn.max() < 2e-2


def test_one_wrong_pose_is_let_go_of() -> None:
    true = _true()
    measured = true.copy()
    measured[40, :3, 3] += 0.2
    shift, _ = _errors(solve_at_once(true, _known(measured), SteadyOptions()), true)
    assert shift.max() < 3e-3


def test_a_hand_that_regrips_does_not_take_the_object_along() -> None:
    true = _true()
    hand = _hand(true, 0.0, moved=0.03)
    o = SteadyOptions()
    carried = ride(_thing(true), hand, STEP, o)
    found = solve_at_once(true, _known(true, rides=(carried,)), o)
    firm = solve_at_once(true, _known(true, rides=(carried,)), replace(o, regrip=1e6))
    assert _errors(found, true)[0].max() < 0.004
    assert _errors(found, true)[0].max() < 0.7 * _errors(firm, true)[0].max()


def test_a_ride_is_off_by_what_the_object_is_moved_by() -> None:
    true = _true()
    hand = _hand(true, 0.0)
    carried: Ride = ride(_thing(true), hand, STEP, SteadyOptions())
    np.testing.assert_allclose(carried.off(true), 0.0, atol=1e-9)
    assert carried.shares.sum() == pytest.approx(1.0)
    twists = np.random.default_rng(2).normal(0.0, 0.01, (FRAMES, 6))
    back = carried.off(move_poses(true, twists, CENTER))
    np.testing.assert_allclose(back, -twists[15:], atol=EXACT)
