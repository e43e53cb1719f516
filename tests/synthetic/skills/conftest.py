"""A plan of a gripper that lifts a cube: what demonstrations are made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from dexman_pose.data import Mesh
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.skill.make import plan_motion
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.robot.skill.plan_file import read_plan
from tests.robot.gripper import GRIPPER, cube, described, lifting

SMALL = PlanOptions(samples=12, members=2, rounds=2, horizon=9, passes=1, trials=4)


@pytest.fixture(scope="session")
def plan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the plan; the test is skipped, saying so, where the simulator is not installed."""
    pytest.importorskip("mujoco", reason="needs: pip install 'dexman-pose[robot]'")
    file = tmp_path_factory.mktemp("robot") / "gripper.xml"
    file.write_text(GRIPPER)
    folder = tmp_path_factory.mktemp("plan")
    plan_motion(lifting(), lambda side: described(file, side), options=SMALL, out=folder)
    return folder


@pytest.fixture(scope="session")
def plan(plan_folder: Path) -> Plan:
    """The plan."""
    return read_plan(plan_folder)


@pytest.fixture(scope="session")
def mesh() -> Mesh:
    """The cube."""
    return cube()
