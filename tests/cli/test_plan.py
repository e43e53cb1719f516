"""``plan``, ``eval plan`` and ``bench grasps``: what cannot be done is said in one line with status 2."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.cli.main import main
from dexman_pose.cli.plan import add_search, search_options
from dexman_pose.data.tracks import JOINT_PARENTS
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.skill.make import plan_motion
from tests.robot.gripper import GRIPPER, described, lifting
from tests.robot.test_motion import trajectory


@pytest.fixture
def simulator() -> Any:
    return pytest.importorskip("mujoco", reason="needs: pip install 'dexman-pose[robot]'")


def saved(path: Path, **given: Any) -> Path:
    """The written motion in a file; the hand is stiff, as files want constant bones."""
    made = trajectory(**given)
    hand = made.hands["right"]
    stiff = 0.05 * np.random.default_rng(0).standard_normal((21, 3))
    bones = np.linalg.norm(stiff - stiff[list(JOINT_PARENTS)], axis=1)
    bones[0] = 0.0
    moved = replace(hand, joints=hand.joints[:, :1] + stiff, bone_lengths=bones)
    return replace(made, hands={"right": moved}).save(path)


def _fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def test_a_trajectory_without_a_table_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = saved(tmp_path / "trajectory.npz", table=False)
    said = _fails(capsys, "plan", str(file), "--hand", "right", "--out", str(tmp_path / "out"))
    assert "which way is down" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--hand", "left"], "no left hand"),
        (["--hand", "right", "--mass", "cube"], "NAME=KG"),
        (["--hand", "right", "--mass", "cube=-1"], "NAME=KG"),
        (["--hand", "right", "--friction", "0"], "--friction must be positive"),
        (["--hand", "right", "--objects", "cup"], "no object 'cup'"),
        (["--hand", "right", "--seconds", "2"], "--seconds takes A:B, from and to, but got '2'"),
        (["--hand", "right", "--seconds", "8:9"], "no frame lies within 8 to 9 s"),
        (["--hand", "right", "--robot", "h1"], "invalid choice: 'h1'"),
        (["--hand", "right", "--robot", "g1", "--learn", "3"], "for --robot shadow alone"),
        (["--hand", "right", "--learn", "-1"], "--learn takes minutes"),
        ([], "--hand"),
    ],
)
def test_wrong_options_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    file = saved(tmp_path / "trajectory.npz")
    assert message in _fails(capsys, "plan", str(file), *options, "--out", str(tmp_path / "out"))


def test_a_missing_robot_names_the_command(
    simulator: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEXMAN_ROBOTS", raising=False)
    monkeypatch.setenv("ROBOT_DESCRIPTIONS_CACHE", str(tmp_path))
    file = saved(tmp_path / "trajectory.npz")
    said = _fails(capsys, "plan", str(file), "--hand", "right", "--out", str(tmp_path / "out"))
    assert "pip install robot_descriptions" in said
    said = _fails(
        capsys, "plan", str(file), "--hand", "right", "--robot", "g1", "--out", str(tmp_path / "out")
    )
    assert "unitree_g1" in said and "DEXMAN_ROBOTS" in said


def test_a_plan_is_judged(simulator: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    robot = tmp_path / "gripper.xml"
    robot.write_text(GRIPPER)
    options = PlanOptions(samples=8, members=1, rounds=2, horizon=9, passes=1, trials=2)
    plan_motion(lifting(), lambda side: described(robot, side), options=options, out=tmp_path / "plan")
    file = tmp_path / "scores.json"
    assert main(["eval", "plan", str(tmp_path / "plan"), "--replays", "3", "--json", str(file)]) == 0
    assert "replay: success" in capsys.readouterr().out
    values = json.loads(file.read_text())
    assert values["strict_success"]
    assert values["perturbed"] == 3
    assert "no plan" in _fails(capsys, "eval", "plan", str(tmp_path / "nothing"))


def test_hands_move_as_they_were_measured_where_that_is_asked_for() -> None:
    parser = argparse.ArgumentParser()
    add_search(parser)
    assert search_options(parser.parse_args([])).grasp is not None
    assert search_options(parser.parse_args(["--as-measured", "--passes", "2"])) == PlanOptions(
        passes=2, grasp=None
    )


def test_grasps_of_its_own_may_be_forbidden() -> None:
    parser = argparse.ArgumentParser()
    add_search(parser)
    assert search_options(parser.parse_args([])).own is not None
    assert search_options(parser.parse_args(["--no-own-grasps"])) == PlanOptions(own=None)


def test_a_simulator_is_asked_for_by_name() -> None:
    parser = argparse.ArgumentParser()
    add_search(parser)
    assert search_options(parser.parse_args([])).simulator == "mujoco"
    assert search_options(parser.parse_args(["--simulator", "warp"])) == PlanOptions(simulator="warp")


def test_a_simulator_that_is_not_there_is_told_before_any_grasp_is_planned(
    simulator: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mujoco_warp", None)
    asked = ["--grasps", str(tmp_path), "--meshes", str(tmp_path), "--simulator", "warp"]
    said = _fails(capsys, "bench", "grasps", *asked)
    assert "pip install 'dexman-pose[mjwarp]'" in said
    file = saved(tmp_path / "trajectory.npz")
    asked = ["--hand", "right", "--out", str(tmp_path / "out"), "--simulator", "warp"]
    assert "mjwarp" in _fails(capsys, "train", str(file), *asked)


def test_a_folder_without_grasps_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = _fails(capsys, "bench", "grasps", "--grasps", str(tmp_path), "--meshes", str(tmp_path))
    assert "no grasps" in said
