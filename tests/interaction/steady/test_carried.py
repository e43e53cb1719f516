"""A hand and a table tell where an object is: gradients are those of the costs, an object that leans is set upright."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh, PoseTrack, RigidObject
from dexman_pose.data.world.table import TablePlane
from dexman_pose.geometry.se3 import se3, so3_exp, transform_points
from dexman_pose.interaction.steady.carried import CarriedJoints, Several, lying_on, standing
from dexman_pose.optimize.problem import move_poses

FRAMES, STEP = 4, 1e-6
CENTER = np.array([0.01, 0.02, -0.01])
UP = np.array([0.0, -1.0, 0.0])


def _poses(seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return se3(so3_exp(rng.normal(0, 0.5, (FRAMES, 3))), rng.normal(0, 0.1, (FRAMES, 3)) + [0, 0, 0.7])


def _cost(off: float) -> CarriedJoints:
    rng = np.random.default_rng(1)
    on = rng.normal(0.0, 0.04, (FRAMES, 21, 3))
    measured = transform_points(_poses(), on) + rng.normal(0.0, off, on.shape)
    whole = np.tile(np.diag([1e5, 2e5, 3e4]), (FRAMES, 1, 1))
    single = np.full((FRAMES, 21), 0.005)
    single[:, 4] = 0.02
    return CarriedJoints(on, measured, whole, single, CENTER, 3.0)


def test_the_gradient_is_that_of_half_the_cost() -> None:
    cost, poses = _cost(0.003), _poses()
    poses = move_poses(poses, np.random.default_rng(2).normal(0, 0.004, (FRAMES, 6)), CENTER)
    found = cost.linearise(poses, np.zeros(0))
    for axis in range(6):
        twist = np.zeros((FRAMES, 6))
        twist[:, axis] = STEP
        ahead, behind = (
            cost.linearise(move_poses(poses, s * twist, CENTER), np.zeros(0)).cost for s in (1, -1)
        )
        np.testing.assert_allclose(
            (ahead - behind) / (4 * STEP), found.gradient[:, axis], rtol=1e-4, atol=1e-2
        )


def test_a_hand_where_it_lies_costs_nothing() -> None:
    found = _cost(0.0).linearise(_poses(), np.zeros(0))
    np.testing.assert_allclose(found.cost, 0.0, atol=1e-12)
    np.testing.assert_allclose(found.gradient, 0.0, atol=1e-9)
    assert (np.linalg.eigvalsh(found.hessian) > 0).all()


def test_frames_in_which_nothing_is_carried_say_nothing() -> None:
    cost = _cost(0.003)
    cost.whole[1], cost.single[1] = 0.0, np.inf
    found = cost.linearise(_poses(), np.zeros(0))
    assert not found.hessian[1].any() and not found.gradient[1].any() and found.cost[1] == 0.0


def test_kinds_of_evidence_add_up() -> None:
    one, two = _cost(0.003), _cost(0.001)
    both = Several((one, two)).linearise(_poses(), np.zeros(0))
    apart = [c.linearise(_poses(), np.zeros(0)) for c in (one, two)]
    np.testing.assert_allclose(both.hessian, apart[0].hessian + apart[1].hessian)
    np.testing.assert_allclose(both.cost, apart[0].cost + apart[1].cost)


def _box() -> Mesh:
    box = trimesh.creation.box((0.06, 0.08, 0.1))
    return Mesh(np.asarray(box.vertices), np.asarray(box.faces))


def _thing(poses: Array) -> RigidObject:
    track = PoseTrack(poses, np.ones(len(poses), bool), np.ones(len(poses)))
    return RigidObject("box", _box(), track, scale_source="given")


def test_frames_before_a_hand_moved_on_an_object_tell_nothing_of_those_after() -> None:
    poses = _poses()
    on = np.random.default_rng(3).normal(0.0, 0.04, (21, 3))
    places = np.stack([on, on, on + 0.03, on + 0.03])
    joints = transform_points(poses, places)
    lying = lying_on(_thing(poses), joints, np.arange(FRAMES), np.array([0.0, 0.0, 0.05, 0.0]), 0.003)
    np.testing.assert_allclose(lying.places, places, atol=1e-9)
    np.testing.assert_allclose(lying.shared, 2.0, atol=1e-6)
    still = lying_on(_thing(poses), joints, np.arange(FRAMES), np.zeros(FRAMES), 0.003)
    np.testing.assert_allclose(still.shared, FRAMES)
    np.testing.assert_allclose(still.places, places.mean(0)[None].repeat(FRAMES, 0), atol=1e-9)
    assert still.strays.min() > 0.01


def test_an_object_that_seems_to_lean_stands_on_the_table() -> None:
    table = TablePlane(UP, 0.3, np.zeros((4, 4)))
    upright = so3_exp([np.pi / 2, 0.0, 0.0])  # the long side of the box is vertical
    leaning = se3(so3_exp([0.1, 0.3, -0.05]) @ upright, [0.0, 0.27, 0.7])
    stood = standing(leaning, _box(), table, 0.3)
    assert abs(float(stood[:3, 2] @ UP)) == pytest.approx(1.0, abs=1e-9)
    assert table.heights(transform_points(stood, _box().vertices)).min() == pytest.approx(0.0, abs=1e-9)
    # It turns about no other axis than it must, and moves up and down alone.
    np.testing.assert_allclose((stood[:3, 3] - leaning[:3, 3])[[0, 2]], 0.0, atol=1e-9)
    np.testing.assert_array_equal(standing(leaning, _box(), table, 0.05), leaning)
    np.testing.assert_array_equal(standing(leaning, _box(), None, 0.3), leaning)
