"""Models with keyframes: they load, and step from one frame to the next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.cli.main import main
from dexman_pose.errors import InputError
from dexman_pose.robot.export.keyframes import with_keyframes
from dexman_pose.robot.skill.plan_file import read_plan


def test_a_model_steps_from_a_keyframe_to_the_next(
    plan_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mj: Any = pytest.importorskip("mujoco")
    assert main(["export", str(plan_folder), "--format", "mujoco", "--out", str(tmp_path)]) == 0
    file = Path(capsys.readouterr().out.strip())
    plan, model = read_plan(plan_folder), mj.MjModel.from_xml_path(str(file))
    assert model.nkey == plan.num_frames
    assert np.allclose(model.key_qpos, plan.qpos, atol=1e-5)
    assert np.allclose(model.key_ctrl, plan.controls, atol=1e-5)
    assert np.allclose(np.diff(model.key_time), 1.0 / 30.0, atol=1e-6)
    data = mj.MjData(model)
    mj.mj_resetDataKeyframe(model, data, 17)
    for _ in range(round(1.0 / 30.0 / model.opt.timestep)):
        mj.mj_step(model, data)
    places = plan.world().object_at[0] + np.arange(3)
    gone = np.linalg.norm(plan.qpos[18, places] - plan.qpos[17, places])
    assert gone > 0.003
    assert np.linalg.norm(data.qpos[places] - plan.qpos[18, places]) < 0.5 * gone


def test_a_simulation_that_broke_has_no_keyframes(plan_folder: Path) -> None:
    plan = read_plan(plan_folder)
    with pytest.raises(InputError, match="broke"):
        with_keyframes(replace(plan, qpos=np.full_like(plan.qpos, np.nan)))
