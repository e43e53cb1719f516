"""Plans in other places, with objects of other sizes and shapes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from dexman_pose.data import Mesh
from dexman_pose.errors import InputError
from dexman_pose.geometry.se3 import se3, so3_exp, transform_points
from dexman_pose.robot.objects.model import body_name
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.robot.skill.replay import replay
from dexman_pose.synthetic.skills.attempt import AttemptOptions, attempt, touched_in
from dexman_pose.synthetic.skills.swaps import fitted
from dexman_pose.synthetic.skills.variation import Variation, VariationOptions, drawn
from dexman_pose.synthetic.skills.varied import varied
from tests.robot.gripper import SIDE

AS_IT_IS = Variation((0.0, 0.0), 0.0, (1.0,), (1.0,), 1.0, ("",))


def box(*sides: float) -> Mesh:
    made = trimesh.creation.box(sides)
    return Mesh(np.asarray(made.vertices), np.asarray(made.faces))


def test_the_same_number_gives_the_same_demonstration() -> None:
    options = VariationOptions()
    assert drawn(3, 5, ((), ("a",)), options) == drawn(3, 5, ((), ("a",)), options)
    many = [drawn(3, k, (("a", "b"),), options) for k in range(60)]
    assert {v.meshes for v in many} == {("",), ("a",), ("b",)}
    assert max(abs(v.sizes[0] - 1.0) for v in many) <= options.size
    assert np.std([v.turn for v in many]) > 1.0
    assert drawn(4, 5, ((),), options) != drawn(3, 5, ((),), options)


def test_a_motion_moved_on_the_table_is_the_same_motion(plan: Plan, mesh: Mesh) -> None:
    moved = varied(plan, [mesh], replace(AS_IT_IS, place=(0.1, -0.2), turn=2.0)).plan
    world = moved.world()
    played = replay(world, moved.start, plan.controls, settle=plan.settle)
    turn = so3_exp(np.array([0.0, 0.0, 2.0]))
    first = plan.reference[0, 0, :3] * [1.0, 1.0, 0.0]
    move = se3(turn, np.array([0.1, -0.2, 0.0]) - turn @ first)
    before = plan.world().object_places(plan.qpos)[:, 0, :3]
    assert np.allclose(played.places[:, 0, :3], transform_points(move, before), atol=1e-3)
    assert np.allclose(moved.reference[0, 0, :2], [0.1, -0.2])


def test_a_larger_object_stands_higher_and_weighs_more(plan: Plan, mesh: Mesh) -> None:
    made = varied(plan, [mesh], replace(AS_IT_IS, sizes=(1.1,), masses=(1.2,)))
    body = body_name("cube")
    before, after = plan.world().model.body(body), made.plan.world().model.body(body)
    assert after.mass[0] == pytest.approx(1.1**3 * 1.2 * before.mass[0], rel=1e-4)
    assert after.inertia == pytest.approx(1.1**5 * 1.2 * before.inertia, rel=1e-3)
    assert np.allclose(made.plan.reference[:, 0, 2] - plan.reference[:, 0, 2], 0.05 * SIDE, atol=1e-5)
    assert np.allclose(made.meshes[0].extents, 1.1 * SIDE)
    base = [p.world().model.body("right_base").pos[2] for p in (plan, made.plan)]
    assert base[1] - base[0] == pytest.approx(0.05 * SIDE, abs=1e-5)


def test_friction_is_that_of_the_demonstration(plan: Plan, mesh: Mesh) -> None:
    made = varied(plan, [mesh], replace(AS_IT_IS, friction=0.8))
    assert np.allclose(made.plan.world().model.geom_friction[:, 0], 0.8)


def test_another_mesh_stands_in_with_its_own_shape(plan: Plan, mesh: Mesh) -> None:
    other = fitted(box(0.05, 0.045, 0.036), mesh)
    chosen = replace(AS_IT_IS, meshes=("other",))
    done = attempt(plan, [mesh], chosen, {"other": other}, AttemptOptions(search=None))
    assert np.allclose(done.meshes[0].vertices, other.vertices)
    low = done.plan.reference[0, 0, 2] + other.vertices[:, 2].min()
    assert low == pytest.approx(plan.reference[0, 0, 2] - SIDE / 2, abs=1e-4)
    assert np.isfinite(done.plan.qpos).all()


def test_a_mesh_is_turned_into_the_box_of_another() -> None:
    own, other = box(0.1, 0.04, 0.2), box(0.2, 0.1, 0.04)
    assert np.allclose(fitted(other, own).extents, own.extents)
    assert np.allclose(fitted(own, own).vertices, own.vertices)
    with pytest.raises(InputError, match=r"pole measures 20 x 20 x 400 mm and cannot stand in"):
        fitted(box(0.02, 0.02, 0.4), own, "pole")


def test_what_slips_is_no_success(plan: Plan, mesh: Mesh) -> None:
    """A judge that cannot say no would be worth nothing."""
    options = AttemptOptions(search=None)
    assert attempt(plan, [mesh], AS_IT_IS, options=options).success
    lost = attempt(plan, [mesh], replace(AS_IT_IS, friction=0.02), options=options)
    assert not lost.success and not lost.values()["success"]
    small = attempt(plan, [mesh], replace(AS_IT_IS, sizes=(0.1,)), options=options)
    assert not small.success


def test_controls_are_searched_anew_where_those_of_the_plan_fail(plan: Plan, mesh: Mesh) -> None:
    open_hand = replace(plan, controls=np.repeat(plan.controls[:1], plan.num_frames, axis=0))
    assert not attempt(open_hand, [mesh], AS_IT_IS, options=AttemptOptions(search=None)).success
    shaken = plan.controls.copy()
    shaken[16:, 2] -= 0.02
    worse = replace(plan, controls=shaken)
    first = attempt(worse, [mesh], AS_IT_IS, options=AttemptOptions(search=None))
    again = attempt(worse, [mesh], AS_IT_IS)
    assert again.score.tracked >= first.score.tracked
    assert again.success


def test_what_touched_is_found_on_the_surface(plan: Plan) -> None:
    found = touched_in(plan)
    assert not found.weight[0].any() and found.weight[-1].sum() >= 2
    where = found.where[-1][found.weight[-1] > 0]
    assert np.allclose(np.abs(where).max(1), SIDE / 2, atol=0.012), "within a finger of the cube's sides"
    larger = found.on([np.zeros(3)], [1.1])
    assert np.allclose(larger.where, 1.1 * found.where)


def test_hands_on_arms_are_refused(plan: Plan, mesh: Mesh) -> None:
    on_arm = replace(plan, model=plan.model.replace("right_base", "right_arm_base"))
    with pytest.raises(InputError, match="free hands"):
        varied(on_arm, [mesh], AS_IT_IS)
