"""A body's arms carry hands: its model, where it stands, its motion, and how the search moves its palms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.errors import InputError, MissingModelError
from dexman_pose.robot.assets.body import BodyDescription
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.assets.robots import find_robot
from dexman_pose.robot.assets.standing import BodyPlace, add_body
from dexman_pose.robot.planning.carriers import Shift
from dexman_pose.robot.planning.noise import deviations
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.planning.prepare import Prepared, PrepareOptions, prepare
from dexman_pose.robot.planning.proposals import Carriers
from dexman_pose.robot.retarget.kinematics import BodyKinematics
from dexman_pose.robot.retarget.on_body import BodyOptions
from dexman_pose.robot.retarget.stand import StandOptions, palm_errors, reached, stands
from dexman_pose.robot.skill.evaluate import evaluate
from dexman_pose.robot.skill.make import plan_motion
from dexman_pose.robot.skill.plan_file import read_plan
from dexman_pose.robot.world.physics import PhysicsOptions, new_spec
from tests.robot.gripper import lifting
from tests.robot.mannequin import MANNEQUIN, mannequin

Describe = Callable[[str], HandDescription]
FEW = StandOptions(turns=6, before=(0.3,), beside=(-0.2, 0.2), heights=2, kept=(6, 2), frames=(1, 3, 5))
QUICK = PrepareOptions(body=BodyOptions(stand=FEW, tried=1))


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> BodyDescription:
    file = tmp_path_factory.mktemp("body") / "mannequin.xml"
    file.write_text(MANNEQUIN)
    return mannequin(file)


@pytest.fixture(scope="module")
def ready(mujoco: Any, body: BodyDescription, gripper: Describe) -> Prepared:
    return prepare(lifting(), gripper, QUICK, body)


def _placed(body: BodyDescription, gripper: Describe, *sides: str) -> BodyPlace:
    idle = tuple(gripper(s) for s in ("left", "right") if s not in sides)
    return BodyPlace(body, tuple(gripper(s) for s in sides), idle, np.array([0.1, 0.2, 0.3]), 0.5)


def test_arms_carry_hands_and_the_rest_does_not_move(
    mujoco: Any, body: BodyDescription, gripper: Describe
) -> None:
    spec = new_spec(PhysicsOptions())
    add_body(spec, _placed(body, gripper, "right"))
    model = spec.compile()
    joints = [model.joint(i).name for i in range(model.njnt)]
    assert joints == [*_placed(body, gripper, "right").carriers, "right_thumb_joint", "right_index_joint"]
    assert "body_hip" not in joints and "left_thumb_joint" not in joints
    assert model.nu == 10 and model.nsensor == 0
    there = [model.body(i).name for i in range(model.nbody)]
    assert "left_palm" in there and "body_leg" not in there
    elbow = model.joint("body_right_elbow").id
    assert model.jnt_actfrcrange[elbow].tolist() == [-60.0, 60.0], "the drive's limit holds"
    assert model.jnt_actgravcomp[elbow] == 1, "gravity is borne out of the motor's torque"
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    parked = data.xpos[model.body("left_palm").id].copy()
    for _ in range(200):
        mujoco.mj_step(model, data)
    assert np.abs(data.qpos).max() < 1e-3, "arms do not sink"
    assert np.allclose(data.xpos[model.body("left_palm").id], parked, atol=1e-3)
    assert parked[2] > 0.3, "the idle arm is out of the way"


def test_an_idle_arm_is_where_its_joints_would_bring_it(
    mujoco: Any, body: BodyDescription, gripper: Describe
) -> None:
    both, one = new_spec(PhysicsOptions()), new_spec(PhysicsOptions())
    add_body(both, _placed(body, gripper, "left", "right"))
    add_body(one, _placed(body, gripper, "right"))
    moving, parked = both.compile(), one.compile()
    data, still = mujoco.MjData(moving), mujoco.MjData(parked)
    for joint, angle in zip(body.arm("left").joints, body.arm("left").parked):
        data.joint(f"body_{joint}").qpos[0] = angle
    mujoco.mj_kinematics(moving, data)
    mujoco.mj_kinematics(parked, still)
    for name in ("left_palm", "left_index"):
        a, b = moving.body(name).id, parked.body(name).id
        assert np.allclose(data.xpos[a], still.xpos[b], atol=1e-9)
        assert np.allclose(data.xmat[a], still.xmat[b], atol=1e-9)


def test_a_file_that_is_another_robot_is_refused(
    body: BodyDescription, gripper: Describe, mujoco: Any
) -> None:
    wrong = replace(body, trunk=("waist", "neck"))
    with pytest.raises(InputError, match="has no neck: it is no mannequin"):
        add_body(new_spec(PhysicsOptions()), _placed(wrong, gripper, "right"))
    with pytest.raises(InputError, match="has no middle arm; it has: left, right"):
        body.arm("middle")


def test_robots_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEXMAN_ROBOTS", raising=False)
    monkeypatch.setenv("ROBOT_DESCRIPTIONS_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="there is no robot 'h1'; there are: shadow, g1"):
        find_robot("h1")
    with pytest.raises(MissingModelError, match=r"unitree_g1/g1_29dof_rev_1_0\.xml.*BSD-3-Clause"):
        find_robot("g1")
    assert find_robot("shadow").body is None


def test_palms_are_brought_back_to_where_they_were(
    body: BodyDescription, gripper: Describe, mujoco: Any
) -> None:
    kinematics = BodyKinematics(_placed(body, gripper, "left", "right"))
    rng = np.random.default_rng(0)
    true = np.clip(kinematics.ease + 0.3 * rng.standard_normal((4, len(kinematics.joints))), -2.5, 2.5)
    true[:, kinematics.is_trunk] *= 0.3
    both = [kinematics.palm(hand, true) for hand in kinematics.hands]
    palms = (np.stack([t for t, _ in both], 1), np.stack([p for _, p in both], 1))
    found = reached(kinematics, palms, np.tile(kinematics.ease, (4, 1)), StandOptions(rounds=40))
    metres, radians = palm_errors(kinematics, palms, found)
    assert metres.max() < 3e-3 and radians.max() < 0.03


def test_a_place_is_found_from_which_the_palm_is_reached(
    body: BodyDescription, gripper: Describe, mujoco: Any
) -> None:
    kinematics = BodyKinematics(_placed(body, gripper, "right"))
    palms = (
        np.tile(np.diag([1.0, -1.0, -1.0]), (6, 1, 1, 1)),
        np.stack([[[1.0, 2.0, 0.1 + 0.01 * t]] for t in range(6)]),
    )
    found = stands(kinematics, palms, np.tile(kinematics.ease, (6, 1)), FEW)
    assert found == sorted(found, key=lambda stand: stand.cost)
    assert found[0].cost < 1.0
    assert 0.2 < np.linalg.norm(found[0].place[:2] - [1.0, 2.0]) < 0.5
    far = replace(FEW, before=(2.0,))
    assert stands(kinematics, palms, np.tile(kinematics.ease, (6, 1)), far)[0].cost > FEW.most


def test_the_hand_does_on_the_arm_what_it_did_when_it_was_free(ready: Prepared) -> None:
    assert ready.carried is not None
    assert np.median(ready.carried.metres) < 0.01 and np.median(ready.carried.radians) < 0.09
    (hand,) = ready.hands
    assert np.median(hand.error) < 3e-3
    assert set(ready.carried.placed.carriers) < set(ready.task.world.joints)
    assert hand.overlap.max() < 2e-3
    assert "mannequin stands at" in ready.carried.told()


def test_what_no_place_reaches_is_refused_in_one_line(
    mujoco: Any, body: BodyDescription, gripper: Describe
) -> None:
    far = replace(QUICK, body=BodyOptions(stand=replace(FEW, before=(1.5,)), tried=1))
    with pytest.raises(InputError, match=r"mannequin reaches this motion from nowhere.*--robot shadow"):
        prepare(lifting(), gripper, far, body)


def test_noise_moves_the_palm_as_far_whatever_the_arm_does(mujoco: Any, ready: Prepared) -> None:
    task = ready.task
    o = PlanOptions()
    carriers, sigma = Carriers(task, o), deviations(task.world, o)
    assert (sigma > 0).all()
    assert carriers.is_still.sum() == 1 and carriers.is_carrier.sum() == 8
    rng = np.random.default_rng(0)
    drawn = carriers.noise(rng.standard_normal((400, 2, len(sigma))), sigma, 1.0, 10, 4)
    assert not drawn[..., carriers.is_still].any(), "the trunk carries both hands"
    (arm,) = carriers.hands
    moved = _palm(mujoco, ready, arm.motors, drawn[:, 0], 10)
    spread = (moved[:, 0] - moved[:, 0].mean(0)).std(0)
    assert np.allclose(spread, o.slide, rtol=0.25)


def test_an_arm_carries_what_it_holds_back(mujoco: Any, ready: Prepared) -> None:
    (arm,) = Carriers(ready.task).hands
    shift = Shift(np.array([np.zeros(3), [0.01, -0.005, 0.008]]), np.zeros((2, 3)), np.zeros(3))
    change = arm.changes(shift, 12, np.zeros((2, ready.task.controls.shape[1])))
    assert not change[0].any()
    full = np.zeros((2, ready.task.controls.shape[1]))
    full[:, arm.motors] = change
    moved = _palm(mujoco, ready, arm.motors, full, 13)
    assert np.allclose(moved[1, 0] - moved[0, 0], shift.shift[1], atol=2e-3)
    assert np.abs(moved[1, 1:] - moved[0, 1:]).max() < 0.03, "it is shifted, not turned"


def _palm(mujoco: Any, ready: Prepared, motors: np.ndarray, changes: np.ndarray, frame: int) -> np.ndarray:
    """(N, 4, 3) place and axes of the right palm where joints of a frame are changed."""
    world = ready.task.world
    data = mujoco.MjData(world.model)
    body = world.model.body("right_palm").id
    out = []
    for change in changes:
        data.qpos[world.joint_at] = ready.task.joints[frame]
        for motor in motors:
            data.qpos[world.model.jnt_qposadr[world.model.actuator_trnid[motor, 0]]] += change[motor]
        mujoco.mj_kinematics(world.model, data)
        out.append([data.xpos[body].copy(), *data.xmat[body].reshape(3, 3).T.copy()])
    return np.array(out)


def test_an_arm_lifts_a_cube(mujoco: Any, body: BodyDescription, gripper: Describe, tmp_path: Path) -> None:
    small = PlanOptions(samples=16, members=2, kept=6, rounds=2, horizon=8, passes=1, trials=3)
    plan_motion(lifting(), gripper, body=body, preparing=QUICK, options=small, out=tmp_path)
    plan = read_plan(tmp_path)
    assert plan.about["body"]["robot"] == "mannequin"
    assert len(plan.about["body"]["palm_m"]) == plan.num_frames
    found = evaluate(plan, replays=2)
    assert found.replay.success
    assert found.replay.lifted > 0.9


def test_two_arms_of_one_body_act_at_once(mujoco: Any, body: BodyDescription, gripper: Describe) -> None:
    one, other = lifting("right"), lifting("left")
    away = np.eye(4)
    away[0, 3] = 0.4
    moved = other.moved({"cube": away}, {"left": away})
    die = replace(moved.objects["cube"], name="die")
    motion = replace(one, hands={**one.hands, **moved.hands}, objects={**one.objects, "die": die})
    found = prepare(
        motion, gripper, replace(QUICK, body=BodyOptions(stand=replace(FEW, turns=4), tried=1)), body
    )
    assert found.carried is not None and found.carried.metres.shape == (motion.num_frames, 2)
    assert np.median(found.carried.metres) < 0.01
    assert [hand.hand.side for hand in found.hands] == ["right", "left"]
    assert all(np.median(hand.error) < 5e-3 for hand in found.hands)
    carriers = Carriers(found.task)
    assert len(carriers.hands) == 2 and carriers.is_still.sum() == 1
    assert not set(carriers.hands[0].motors) & set(carriers.hands[1].motors)
