"""``bench simulators``: MuJoCo is what others are compared with, and what cannot be measured is said in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.benchmarks.plans.simulators import SimulatorRow, _row, run_simulators
from dexman_pose.cli.main import main
from dexman_pose.robot.planning.options import PlanOptions
from dexman_pose.robot.skill.make import plan_motion
from dexman_pose.robot.skill.plan import Plan
from dexman_pose.robot.skill.plan_file import NAME, write_plan
from tests.robot.gripper import GRIPPER, described, lifting


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    pytest.importorskip("mujoco", reason="needs: pip install 'dexman-pose[robot]'")
    file = tmp_path_factory.mktemp("robot") / "gripper.xml"
    file.write_text(GRIPPER)
    return plan_motion(lifting(), lambda side: described(file, side), options=PlanOptions(trials=2))


def test_mujoco_is_always_measured_and_is_itself(plan: Plan) -> None:
    told: list[SimulatorRow] = []
    rows = run_simulators(plan, [], (2, 7), seconds=0.2, report=told.append)
    assert rows == told and [(r.simulator, r.copies) for r in rows] == [("mujoco", 2), ("mujoco", 7)]
    for row in rows:
        assert row.steps == round((plan.settle + 0.2) / plan.world().model.opt.timestep)
        assert (row.ratio, row.middle, row.most, row.broken) == (1.0, 0.0, 0.0, 0) and row.rate > 0


@pytest.mark.slow
def test_another_one_is_measured_beside_it(plan: Plan) -> None:
    pytest.importorskip("mujoco_warp", reason="needs: pip install 'dexman-pose[mjwarp]'")
    true, other = run_simulators(plan, ["warp"], (3,), seconds=0.8)
    assert (true.simulator, other.simulator) == ("mujoco", "warp")
    assert other.ratio == pytest.approx(other.rate / true.rate)
    assert other.middle is not None and other.most is not None
    assert 0.0 < other.middle <= other.most < 2e-3 and other.broken == 0
    assert f"{1e3 * other.most:.2g} at most" in other.told() and "broke" not in other.told()


def test_copies_that_broke_are_told() -> None:
    places = np.zeros((4, 3, 1, 3))
    broken, true = places.copy(), places.copy()
    broken[0, 2], true[1, 1] = np.nan, np.nan
    other, own = _row("warp", 1.0, 2.0, 0.5, broken, true), _row("mujoco", 1.0, 2.0, 1.0, true, true)
    assert (other.broken, own.broken) == (1, 1), "each its own"
    assert "1 broke" in other.told() and "1 broke" in own.told()
    none = _row("warp", 1.0, 2.0, 0.5, np.full_like(places, np.nan), true)
    assert (none.middle, none.most, none.broken) == (None, None, 4)
    assert "nan" not in none.told() and "nan" not in json.dumps(none.values()).lower()


def test_the_command_prints_and_writes_what_it_measures(
    plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_plan(tmp_path / NAME, plan)
    out = tmp_path / "rows.json"
    asked = ["--simulators", " mujoco, ", "--copies", "3", "--seconds", "0.1", "--json", str(out)]
    assert main(["bench", "simulators", str(tmp_path), *asked]) == 0
    assert capsys.readouterr().out.startswith("mujoco, 3 copies: ")
    (row,) = json.loads(out.read_text())["rows"]
    assert row["copies"] == 3 and row["rate"] > 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--copies", "8,x"], "--copies takes whole numbers"),
        (["--copies", "0"], "--copies takes whole numbers"),
        (["--simulators", "bullet"], "one of mujoco, warp, warp-gpu"),
        (["--simulators", "mujoco", "--seconds", "-1"], "must be a positive number"),
        (["--simulators", "mujoco", "--seconds", "inf"], "must be a positive number"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(
    plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: list[str], said: str
) -> None:
    write_plan(tmp_path / NAME, plan)
    assert main(["bench", "simulators", str(tmp_path), *asked]) == 2
    told: Any = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
