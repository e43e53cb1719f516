"""Scores of one recording on disk, so that an evaluation that was stopped goes on where it was. No pickle."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from dexman_pose.data.files import write_npz
from dexman_pose.evaluation.results import ContactScores, Finding, HandScores, ObjectScores
from dexman_pose.evaluation.scoring import RecordingScores

_VERSION = 1
_KINDS: dict[str, type[Any]] = {
    "objects": ObjectScores,
    "hands": HandScores,
    "contacts": ContactScores,
    "findings": Finding,
}


def save_scores(path: Path, key: str, scores: list[RecordingScores]) -> None:
    """Write the scores of a sequence's recordings, atomically.

    Args:
        path: an npz file.
        key: fingerprint of everything they were made from.
        scores: one entry per recording.
    """
    arrays: dict[str, Any] = {}
    head: dict[str, Any] = {"version": _VERSION, "key": key, "recordings": []}
    for scored in scores:
        entry: dict[str, Any] = {}
        for kind in _KINDS:
            entry[kind] = [_plain(item, arrays) for item in getattr(scored, kind)]
        head["recordings"].append(entry)
    arrays["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_npz(path, arrays)


def load_scores(path: Path, key: str) -> list[RecordingScores] | None:
    """The scores kept at ``path`` if they were made from the same inputs; None if not, or if there are none."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        head = json.loads(arrays["head"].tobytes())
        if head["version"] != _VERSION or head["key"] != key:
            return None
        return [
            RecordingScores(
                **{kind: [_built(_KINDS[kind], item, arrays) for item in entry[kind]] for kind in _KINDS}
            )
            for entry in head["recordings"]
        ]
    except (OSError, ValueError, KeyError, TypeError, BadZipFile):
        return None  # a damaged file is made anew


def _plain(item: Any, arrays: dict[str, Any]) -> dict[str, Any]:
    """An item's values for JSON; arrays go into ``arrays`` and leave their names."""
    return {f.name: _value(getattr(item, f.name), arrays) for f in fields(item)}


def _value(value: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(value, np.ndarray):
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, dict):
        return {"dict": {k: _value(v, arrays) for k, v in value.items()}}
    return list(value) if isinstance(value, tuple) else value


def _built(kind: type[Any], item: dict[str, Any], arrays: dict[str, Any]) -> Any:
    return kind(**{name: _restored(value, arrays) for name, value in item.items()})


def _restored(value: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        if "array" in value:
            return arrays[value["array"]]
        return {k: _restored(v, arrays) for k, v in value["dict"].items()}
    return tuple(value) if isinstance(value, list) else value
