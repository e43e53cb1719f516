"""Plans from video, judged against the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.benchmarks.plans.cases import TruePoses, VideoCase
from dexman_pose.benchmarks.plans.run import VideoJob, VideoResult, against_truth, run_motion, table
from dexman_pose.data import Clip
from dexman_pose.robot.assets.hand import HandDescription
from dexman_pose.robot.motion.from_trajectory import motion_from_trajectory
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.skill.evaluate import evaluate
from dexman_pose.robot.skill.make import plan_motion
from dexman_pose.robot.skill.plan import Plan
from tests.robot.gripper import GRIPPER, described, lifting
from tests.robot.test_motion import trajectory


@pytest.fixture(scope="module")
def gripper(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], HandDescription]:
    pytest.importorskip("mujoco", reason="needs: pip install 'dexman-pose[robot]'")
    file = tmp_path_factory.mktemp("robot") / "gripper.xml"
    file.write_text(GRIPPER)
    return lambda side: described(file, side)


@pytest.fixture(scope="module")
def plan(gripper: Callable[[str], HandDescription]) -> Plan:
    small = PlanOptions(samples=8, members=1, rounds=2, horizon=9, passes=1, trials=2)
    return plan_motion(motion_from_trajectory(trajectory(hand=[0, 1, 2]), "right"), gripper, options=small)


def case(shift: float = 0.0, known: Any = True) -> VideoCase:
    seen = trajectory()
    poses = seen.objects["cube"].camera_from_object.copy()
    poses[:, 0, 3] += shift
    truth = TruePoses(poses, np.broadcast_to(known, (seen.num_frames,)))
    pictures = Clip.from_frames(np.zeros((2, 4, 4, 3), np.uint8))
    return VideoCase("written", pictures, {}, seen.camera, {"cube": truth})


def test_a_motion_is_compared_with_the_truth_frame_by_frame(plan: Plan) -> None:
    """Three frames of the clip are left out at its beginning: the comparison knows."""
    found = against_truth(case(), trajectory(), plan, ("cube",), plan.measured)
    assert found is not None and found.success and found.position < 0.004
    far = against_truth(case(0.06), trajectory(), plan, ("cube",), plan.measured)
    assert far is not None and not far.success and far.tracked == 0.0
    assert far.position == pytest.approx(0.06, abs=0.004)
    assert against_truth(case(0.06, False), trajectory(), plan, ("cube",), plan.measured) is None
    some = np.arange(28) < 10
    assert against_truth(case(0.06, some), trajectory(), plan, ("cube",), plan.measured) is not None
    assert against_truth(case(), trajectory(), plan, ("cup",), plan.measured) is None


def test_the_table_counts_what_failed(plan: Plan) -> None:
    found = evaluate(plan, replays=2)
    score = against_truth(case(), trajectory(), plan, ("cube",), plan.world().object_places(plan.qpos))
    good = VideoResult("one", (1.0, 2.0), plan, found, score, score)
    lines = table([good, VideoResult("two", error="no table")])
    assert "no table" in lines[2] and lines[-1].startswith("1 of 2 follow")
    assert good.values()["truth"]["success"] is True
    assert Path("two").name in lines[2]


def test_a_motion_is_planned_without_any_video(
    gripper: Callable[[str], HandDescription], tmp_path: Path
) -> None:
    small = PlanOptions(samples=8, members=1, rounds=2, horizon=9, passes=1, trials=2)
    job = VideoJob(tmp_path, options=small)
    found = run_motion("what is true", lifting(), job, masses={"cube": 0.07}, describe=gripper)
    assert found.error == "" and found.plan is not None and found.replayed is None
    assert (tmp_path / "what_is_true" / "plan" / "plan.npz").is_file()
    assert found.plan.about["objects"]["cube"]["mass_kg"] == pytest.approx(0.07)
    assert "truth" not in found.told() and found.values()["truth"] is None


def test_a_motion_in_which_nothing_moves_is_told_and_not_raised(
    gripper: Callable[[str], HandDescription], tmp_path: Path
) -> None:
    still = lifting()
    thing = still.objects["cube"]
    poses = np.tile(thing.world_from_object[:1], (still.num_frames, 1, 1))
    still = replace(still, objects={"cube": replace(thing, world_from_object=poses)})
    found = run_motion("still", still, VideoJob(tmp_path), describe=gripper)
    assert found.plan is None and "nothing to plan" in found.error
