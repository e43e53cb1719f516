"""Fixtures of the robot's tests: the simulator, and a gripper that needs no robot's files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dexman_pose.robot.assets.hand import HandDescription
from tests.robot.gripper import GRIPPER, described


@pytest.fixture(scope="session")
def mujoco() -> object:
    """The simulator; the test is skipped, saying so, where it is not installed."""
    return pytest.importorskip("mujoco", reason="needs: pip install 'dexman-pose[robot]'")


@pytest.fixture(scope="session")
def gripper(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], HandDescription]:
    """Describes the gripper, as the hand of any side."""
    file = tmp_path_factory.mktemp("robot") / "gripper.xml"
    file.write_text(GRIPPER)
    return lambda side: described(file, side)
