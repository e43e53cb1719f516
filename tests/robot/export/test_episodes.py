"""Which episodes a path holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from dexman_pose.cli.main import main
from dexman_pose.errors import InputError
from dexman_pose.robot.export.episodes import saved_episodes


def test_a_plan_is_one_episode_by_file_and_by_folder(plan_folder: Path) -> None:
    for path in (plan_folder, plan_folder / "plan.npz"):
        (only,) = saved_episodes(path)
        assert only.name == "plan" and only.video is None
        assert only.task == "move cube with the right hand as a person did"


def test_finished_demonstrations_are_episodes_with_videos(demonstrations: Path) -> None:
    found = saved_episodes(demonstrations)
    assert [e.name for e in found] == ["0000_cube", "0001_cube"]
    assert all(e.video is not None for e in found)


def test_where_nothing_is_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="nothing at"):
        saved_episodes(tmp_path / "none")
    assert main(["export", str(tmp_path), "--format", "mujoco", "--out", str(tmp_path / "out")]) == 2
    assert "there is no plan" in capsys.readouterr().err
