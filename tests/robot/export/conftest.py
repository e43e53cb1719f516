"""Plans and demonstrations to write in other formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data.video.writer import write_video
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.skill.make import plan_motion
from dexman_pose.robot.skill.plan_file import read_plan, write_plan
from tests.robot.gripper import GRIPPER, described, lifting


@pytest.fixture(scope="session")
def plan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a plan; the test is skipped, saying so, where the simulator is not installed."""
    pytest.importorskip("mujoco", reason="needs: pip install 'dexman-pose[robot]'")
    file = tmp_path_factory.mktemp("robot") / "gripper.xml"
    file.write_text(GRIPPER)
    folder = tmp_path_factory.mktemp("plan")
    small = PlanOptions(samples=8, members=1, rounds=2, horizon=9, passes=1, trials=2)
    plan_motion(lifting(), lambda side: described(file, side), options=small, out=folder)
    return folder


@pytest.fixture(scope="session")
def demonstrations(plan_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two demonstrations with videos whose frames are told apart by their grey."""
    root, plan = tmp_path_factory.mktemp("demos"), read_plan(plan_folder)
    for number in range(2):
        film = root / "films" / f"{number:04d}_cube"
        film.mkdir(parents=True)
        write_plan(film / "plan.npz", plan)
        grey = [np.full((32, 48, 3), 40 + 4 * t + 60 * number, np.uint8) for t in range(plan.num_frames)]
        write_video(film / "video.mp4", grey, 30.0)
    (root / "films" / ".0002_cube").mkdir()
    write_plan(root / "films" / ".0002_cube" / "plan.npz", plan)
    return root
