"""Episodes as a LeRobot data set, version 3.0.

| in the folder | |
|---|---|
| ``meta/info.json`` | version, rate, features with their shapes and names |
| ``meta/stats.json`` | least, greatest, mean and spread of every feature |
| ``meta/tasks.parquet`` | what is done, in words |
| ``meta/episodes/chunk-000/file-000.parquet`` | where each episode begins and ends, its videos, its statistics |
| ``data/chunk-000/file-000.parquet`` | a row per frame |
| ``videos/<camera>/chunk-000/file-NNN.mp4`` | one video per episode |

``action`` are the controls of the model's motors, ``observation.state`` its joints, ``observation.environment_state``
place and quaternion wxyz of every object; metres and radians.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose._optional import require
from dexman_pose.arrays import Array
from dexman_pose.data.clip import Clip
from dexman_pose.data.files import make_folder, write_atomically, write_json
from dexman_pose.errors import InputError
from dexman_pose.robot.export.episodes import SavedEpisode
from dexman_pose.robot.motion.types import RATE
from dexman_pose.robot.world.build import POSE, World

EXTRA = "lerobot"
VERSION = "v3.0"
CAMERA = "observation.images.camera"
_CHUNK = 1000
_MEGABYTES = {"data_files_size_in_mb": 100, "video_files_size_in_mb": 200}
_QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
_PLACE = ("x", "y", "z", "qw", "qx", "qy", "qz")
_SAMPLED = 20  # frames of a video whose colours are counted
_COARSE = 4  # every how many of their pixels


@dataclass(frozen=True)
class _Episode:
    """The numbers of one episode: (T, ...) by feature, and its video's size (height, width)."""

    task: str
    columns: dict[str, Array]
    video: Path | None
    size: tuple[int, int] | None

    @property
    def length(self) -> int:
        return len(self.columns["action"])


def write_lerobot(out: str | Path, episodes: Sequence[SavedEpisode], robot: str = "shadow_hand") -> Path:
    """Write episodes as a LeRobot data set; returns its folder.

    Args:
        out: made when it is not there; it must be empty.
        episodes: of one robot and one number of objects.
        robot: its name, for ``robot_type``.

    Raises:
        InputError: no episodes, ones that are not alike, broken simulations, videos of other lengths, or a folder that
            is not empty.
        MissingExtraError: pyarrow is not installed.
    """
    out = Path(out)
    require("pyarrow", EXTRA, "writing LeRobot data sets")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is not empty; give a new folder for the data set")
    if not episodes:
        raise InputError("there are no episodes to write")
    worlds = [e.plan.world() for e in episodes]
    _alike(episodes, worlds)
    made = [_read(episode, world) for episode, world in zip(episodes, worlds)]
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    make_folder(partial)
    _write(partial, made, _features(worlds[0], made), robot)
    if out.exists():
        out.rmdir()
    partial.rename(out)
    return out


def _alike(episodes: Sequence[SavedEpisode], worlds: Sequence[World]) -> None:
    first = worlds[0]
    for episode, world in zip(episodes, worlds):
        if world.joints != first.joints or len(world.objects) != len(first.objects):
            raise InputError(
                f"{episode.name} has other joints or another number of objects than {episodes[0].name}: they make no "
                "one data set"
            )
        if (episode.video is None) != (episodes[0].video is None):
            raise InputError(f"some episodes have a video and {episode.name} differs: give all or none")
        if not np.isfinite(episode.plan.qpos).all():
            raise InputError(f"the simulation of {episode.name} broke: it is no demonstration")


def _read(episode: SavedEpisode, world: World) -> _Episode:
    plan, size = episode.plan, None
    if episode.video is not None:
        clip = Clip.open(episode.video)
        if clip.num_frames != plan.num_frames:
            raise InputError(
                f"{episode.video} has {clip.num_frames} frames, its plan {plan.num_frames}: they do not belong together"
            )
        size = (clip.height, clip.width)
    columns = {
        "action": plan.controls,
        "observation.state": plan.qpos[:, world.joint_at],
        "observation.environment_state": world.object_places(plan.qpos).reshape(plan.num_frames, -1),
    }
    return _Episode(episode.task, columns, episode.video, size)


def _features(world: World, made: Sequence[_Episode]) -> dict[str, dict[str, Any]]:
    """The features of the data set, as ``info.json`` lists them."""
    motors = [world.model.actuator(i).name for i in range(world.model.nu)]
    names = {
        "action": motors,
        "observation.state": list(world.joints),
        "observation.environment_state": [
            f"object_{k}_{part}" for k in range(len(world.objects)) for part in _PLACE[:POSE]
        ],
    }
    features: dict[str, dict[str, Any]] = {
        key: {"dtype": "float32", "shape": [len(parts)], "names": parts} for key, parts in names.items()
    }
    if made[0].size is not None:
        if any(e.size != made[0].size for e in made):
            raise InputError("the videos of the episodes have different sizes: they make no one data set")
        height, width = made[0].size
        features[CAMERA] = {
            "dtype": "video",
            "shape": [height, width, 3],
            "names": ["height", "width", "channels"],
            "info": {
                "video.height": height,
                "video.width": width,
                "video.channels": 3,
                "video.codec": "h264",
                "video.pix_fmt": "yuv420p",
                "video.is_depth_map": False,
                "video.fps": int(RATE),
                "has_audio": False,
            },
        }
    for key, kind in (
        ("timestamp", "float32"),
        ("frame_index", "int64"),
        ("episode_index", "int64"),
        ("index", "int64"),
        ("task_index", "int64"),
    ):
        features[key] = {"dtype": kind, "shape": [1], "names": None}
    return features


def _write(out: Path, made: Sequence[_Episode], features: dict[str, dict[str, Any]], robot: str) -> None:
    tasks = list(dict.fromkeys(e.task for e in made))
    rows: list[dict[str, NDArray[Any]]] = []
    records: list[dict[str, Any]] = []
    begins = 0
    for number, episode in enumerate(made):
        count = np.arange(episode.length)
        row: dict[str, NDArray[Any]] = {k: v.astype(np.float32) for k, v in episode.columns.items()}
        row |= {
            "timestamp": (count / RATE).astype(np.float32),
            "frame_index": count,
            "episode_index": np.full(episode.length, number),
            "index": begins + count,
            "task_index": np.full(episode.length, tasks.index(episode.task)),
        }
        rows.append(row)
        stats = {key: _statistics(values) for key, values in row.items()}
        record: dict[str, Any] = {
            "episode_index": number,
            "tasks": [episode.task],
            "length": episode.length,
            "dataset_from_index": begins,
            "dataset_to_index": begins + episode.length,
            "data/chunk_index": 0,
            "data/file_index": 0,
            "meta/episodes/chunk_index": 0,
            "meta/episodes/file_index": 0,
        }
        if episode.video is not None:
            stats[CAMERA] = _colors(episode.video)
            record |= _video(out, episode, number)
        record["stats"] = stats
        records.append(record)
        begins += episode.length
    _write_data(out, rows, features)
    _write_tasks(out, tasks)
    _write_episodes(out, records)
    write_json(out / "meta" / "stats.json", _pooled([r["stats"] for r in records]))
    info = {
        "codebase_version": VERSION,
        "robot_type": robot,
        "total_episodes": len(made),
        "total_frames": begins,
        "total_tasks": len(tasks),
        "chunks_size": _CHUNK,
        **_MEGABYTES,
        "fps": int(RATE),
        "splits": {"train": f"0:{len(made)}"},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
        "features": features,
    }
    if CAMERA not in features:
        info["video_path"] = None
    write_json(out / "meta" / "info.json", info)


def _video(out: Path, episode: _Episode, number: int) -> dict[str, Any]:
    """Copy the video of an episode; where it lies, and its span."""
    assert episode.video is not None
    chunk, file = divmod(number, _CHUNK)
    folder = out / "videos" / CAMERA / f"chunk-{chunk:03d}"
    make_folder(folder)
    shutil.copyfile(episode.video, folder / f"file-{file:03d}.mp4")
    return {
        f"videos/{CAMERA}/chunk_index": chunk,
        f"videos/{CAMERA}/file_index": file,
        f"videos/{CAMERA}/from_timestamp": 0.0,
        f"videos/{CAMERA}/to_timestamp": episode.length / RATE,
    }


def _write_data(
    out: Path, rows: Sequence[dict[str, NDArray[Any]]], features: dict[str, dict[str, Any]]
) -> None:
    import pyarrow as pa

    columns = {}
    for key in rows[0]:
        values = np.concatenate([row[key] for row in rows])
        if values.ndim == 1:
            columns[key] = pa.array(values)
        else:
            kind = pa.list_(pa.float32(), features[key]["shape"][0])
            columns[key] = pa.array(list(values), type=kind)
    _write_table(out / "data" / "chunk-000" / "file-000.parquet", pa.table(columns))


def _write_tasks(out: Path, tasks: Sequence[str]) -> None:
    """Tasks as readers of pandas want them: the words are the index."""
    import pyarrow as pa

    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks)})
    columns = [
        {"name": n, "field_name": n, "pandas_type": p, "numpy_type": t, "metadata": None}
        for n, p, t in (("task_index", "int64", "int64"), ("task", "unicode", "object"))
    ]
    told = {"index_columns": ["task"], "column_indexes": [], "columns": columns, "pandas_version": "2.0.0"}
    table = table.replace_schema_metadata({b"pandas": json.dumps(told).encode()})
    _write_table(out / "meta" / "tasks.parquet", table)


def _write_episodes(out: Path, records: Sequence[dict[str, Any]]) -> None:
    import pyarrow as pa

    flat = []
    for record in records:
        row = {key: value for key, value in record.items() if key != "stats"}
        for feature, stats in record["stats"].items():
            row |= {f"stats/{feature}/{name}": np.asarray(value).tolist() for name, value in stats.items()}
        flat.append(row)
    table = pa.Table.from_pylist(flat)
    _write_table(out / "meta" / "episodes" / "chunk-000" / "file-000.parquet", table)


def _write_table(path: Path, table: Any) -> None:
    import pyarrow.parquet as pq

    make_folder(path.parent)
    write_atomically(path, lambda file: pq.write_table(table, file, compression="snappy"))


def _statistics(values: NDArray[Any]) -> dict[str, Any]:
    """Of a feature (T,) or (T, N), over its frames."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    out: dict[str, Any] = {
        "min": flat.min(0),
        "max": flat.max(0),
        "mean": flat.mean(0),
        "std": flat.std(0),
        "count": np.array([len(flat)]),
    }
    out |= {name: np.quantile(flat, share, axis=0) for name, share in _QUANTILES.items()}
    return {name: value.tolist() for name, value in out.items()}


def _colors(video: Path) -> dict[str, Any]:
    """Of a video, by channel, colours from 0 to 1: (3, 1, 1) each, over some of its frames and pixels."""
    clip = Clip.open(video)
    chosen = set(np.linspace(0, clip.num_frames - 1, min(_SAMPLED, clip.num_frames)).astype(int).tolist())
    seen = [f[::_COARSE, ::_COARSE] for k, f in clip.frames() if k in chosen]
    flat = np.stack(seen).reshape(-1, 3) / 255.0
    found = _statistics(flat)
    out = {n: np.reshape(v, (3, 1, 1)).tolist() for n, v in found.items() if n != "count"}
    return {**out, "count": [len(seen)]}


def _pooled(stats: Sequence[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Of all episodes, from those of each: quantiles are means of the episodes' weighted by their lengths."""
    out: dict[str, dict[str, Any]] = {}
    for feature in stats[0]:
        each = [{n: np.asarray(v, np.float64) for n, v in s[feature].items()} for s in stats]
        weight = np.array([e["count"][0] for e in each])
        share = weight / weight.sum()

        def mean(name: str, each: list[dict[str, Array]] = each, share: Array = share) -> Array:
            return np.asarray(sum(w * e[name] for w, e in zip(share, each)))

        middle = mean("mean")
        square = sum(w * (e["std"] ** 2 + (e["mean"] - middle) ** 2) for w, e in zip(share, each))
        pooled: dict[str, Any] = {
            "min": np.min([e["min"] for e in each], 0),
            "max": np.max([e["max"] for e in each], 0),
            "mean": middle,
            "std": np.sqrt(square),
            "count": np.array([int(weight.sum())]),
        }
        pooled |= {name: mean(name) for name in _QUANTILES}
        out[feature] = {name: value.tolist() for name, value in pooled.items()}
    return out
