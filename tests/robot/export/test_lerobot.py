"""LeRobot data sets: every field where a reader of version 3.0 looks for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dexman_pose.cli.main import main
from dexman_pose.data import Clip
from dexman_pose.errors import InputError
from dexman_pose.robot.export.episodes import saved_episodes
from dexman_pose.robot.export.lerobot import CAMERA, write_lerobot
from dexman_pose.robot.skill.plan_file import read_plan

parquet: Any = pytest.importorskip("pyarrow.parquet", reason="needs: pip install 'dexman-pose[lerobot]'")


@pytest.fixture(scope="module")
def dataset(demonstrations: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lerobot") / "set"
    assert main(["export", str(demonstrations), "--format", "lerobot", "--out", str(out)]) == 0
    return out


def test_info_names_every_column(dataset: Path, plan_folder: Path) -> None:
    info = json.loads((dataset / "meta/info.json").read_text())
    plan = read_plan(plan_folder)
    assert info["codebase_version"] == "v3.0" and info["fps"] == 30
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (2, 2 * plan.num_frames, 1)
    columns = parquet.read_schema(dataset / "data/chunk-000/file-000.parquet").names
    assert set(columns) | {CAMERA} == set(info["features"])
    assert info["features"]["action"]["shape"] == [plan.controls.shape[1]]
    assert info["features"]["action"]["names"][0] == plan.world().model.actuator(0).name
    assert info["features"][CAMERA]["shape"] == [32, 48, 3]


def test_rows_hold_what_was_commanded_and_what_happened(dataset: Path, plan_folder: Path) -> None:
    rows = parquet.read_table(dataset / "data/chunk-000/file-000.parquet").to_pydict()
    plan = read_plan(plan_folder)
    count, world = plan.num_frames, plan.world()
    assert rows["index"] == list(range(2 * count))
    assert rows["episode_index"] == [0] * count + [1] * count
    assert rows["frame_index"][count:] == list(range(count))
    assert rows["timestamp"][count + 3] == pytest.approx(0.1)
    assert np.allclose(rows["action"][:count], plan.controls, atol=1e-5)
    assert np.allclose(rows["observation.state"][count:], plan.qpos[:, world.joint_at], atol=1e-5)
    places = world.object_places(plan.qpos).reshape(count, -1)
    assert np.allclose(rows["observation.environment_state"][:count], places, atol=1e-5)


def test_episodes_say_where_rows_and_pictures_are(dataset: Path) -> None:
    info = json.loads((dataset / "meta/info.json").read_text())
    episodes = parquet.read_table(dataset / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    rows = parquet.read_table(dataset / "data/chunk-000/file-000.parquet").to_pydict()
    for number, e in enumerate(episodes):
        assert e["episode_index"] == number and e["tasks"] == [
            "move cube with the right hand as a person did"
        ]
        span = rows["episode_index"][e["dataset_from_index"] : e["dataset_to_index"]]
        assert span == [number] * e["length"]
        video = info["video_path"].format(
            video_key=CAMERA,
            chunk_index=e[f"videos/{CAMERA}/chunk_index"],
            file_index=e[f"videos/{CAMERA}/file_index"],
        )
        clip = Clip.open(dataset / video)
        assert clip.num_frames == e["length"]
        assert e[f"videos/{CAMERA}/to_timestamp"] == pytest.approx(e["length"] / 30.0)
        assert abs(int(clip.frame(5).mean()) - (60 + 60 * number)) <= 3, "each its own video"
        assert e["stats/action/count"] == [e["length"]]


def test_tasks_are_found_by_their_words(dataset: Path) -> None:
    table = parquet.read_table(dataset / "meta/tasks.parquet")
    told = json.loads(table.schema.metadata[b"pandas"])
    assert told["index_columns"] == ["task"]
    assert table.to_pydict() == {"task_index": [0], "task": ["move cube with the right hand as a person did"]}


def test_statistics_are_those_of_all_rows(dataset: Path) -> None:
    stats = json.loads((dataset / "meta/stats.json").read_text())
    rows = parquet.read_table(dataset / "data/chunk-000/file-000.parquet").to_pydict()
    for key in ("action", "observation.state", "timestamp"):
        values = np.asarray(rows[key], np.float64).reshape(len(rows[key]), -1)
        assert np.allclose(stats[key]["min"], values.min(0), atol=1e-6)
        assert np.allclose(stats[key]["mean"], values.mean(0), atol=1e-6)
        assert np.allclose(stats[key]["std"], values.std(0), atol=1e-6)
        assert stats[key]["count"] == [len(values)]
    assert np.shape(stats[CAMERA]["mean"]) == (3, 1, 1)
    assert 0.3 < stats[CAMERA]["mean"][0][0][0] < 0.7


def test_what_makes_no_data_set_is_refused(
    demonstrations: Path, dataset: Path, plan_folder: Path, tmp_path: Path
) -> None:
    episodes = saved_episodes(demonstrations)
    with pytest.raises(InputError, match="not empty"):
        write_lerobot(dataset, episodes)
    with pytest.raises(InputError, match="no episodes"):
        write_lerobot(tmp_path / "a", [])
    plan = episodes[0].plan
    short = replace(
        plan,
        **{
            n: getattr(plan, n)[:-2] for n in ("controls", "reference", "measured", "joints", "qpos", "force")
        },
    )
    with pytest.raises(InputError, match="do not belong together"):
        write_lerobot(tmp_path / "b", [replace(episodes[0], plan=short)])
    with pytest.raises(InputError, match="all or none"):
        write_lerobot(tmp_path / "c", [episodes[0], *saved_episodes(plan_folder)])
    assert not list(tmp_path.iterdir()), "nothing half-written is left"
