"""Prompts from a JSON file: which objects, where, in which frame; for one clip or for many clips by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data.files import door
from dexman_pose.data.frames.mask_picture import read_mask_picture
from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.errors import InputError

_KEYS = ("box", "points", "mask", "frame", "mesh", "mesh_scale")
_SHAPE = '{"frame": 0, "objects": {"NAME": [x0, y0, x1, y1]}}'


def load_prompts(path: str | Path, video: str | Path | None = None) -> dict[str, ObjectPrompt]:
    """The prompts of one clip out of a JSON file.

    The file holds ``{"frame": 0, "objects": {"cube": [x0, y0, x1, y1]}}`` or ``{"clips": {NAME: the same}}``,
    of which the clip is taken whose name shares the longest path ending with ``video``. In place of the box
    may stand a JSON object with some of ``"box": [x0, y0, x1, y1]``, ``"points": [[x, y, label], ...]``,
    ``"mask": "file.png"``, ``"frame": 0``, ``"mesh": "file.obj"``; paths are relative to the prompt file.

    Args:
        path: the prompt file.
        video: the clip, needed when the file speaks of several.

    Raises:
        InputError: the file is missing, no JSON, of another structure, or does not name the clip.
    """
    path = Path(path).expanduser()
    with door(path, "a prompt file"):
        return _prompts(path, video)


def _prompts(path: Path, video: str | Path | None) -> dict[str, ObjectPrompt]:
    content = _read(path)
    if "clips" in content:
        content = _find_clip(_mapping(content["clips"], f'{path}: "clips"'), video, path)
    if "objects" not in content:
        raise InputError(f'{path} holds no "objects"; a prompt file looks like {_SHAPE}')
    objects = _mapping(content["objects"], f'{path}: "objects"')
    if not objects:
        raise InputError(f"{path} names no object; a prompt file looks like {_SHAPE}")
    frame = _frame(content.get("frame", 0), str(path))
    return {name: _prompt(value, frame, path, name) for name, value in objects.items()}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_unique)
    except OSError as error:
        raise InputError(f"cannot read the prompt file {path}: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path} is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file in UTF-8; a prompt file looks like {_SHAPE}") from error
    except (InputError, RecursionError) as error:
        raise InputError(f"{path} is not a usable prompt file: {error}") from error
    return _mapping(content, str(path))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys differ: a second box of the same name would silently replace the first."""
    out = dict(pairs)
    if len(out) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"the name {twice!r} stands there twice")
    return out


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where} must be a JSON object as in {_SHAPE}, but is {_kind(value)}")
    return value


def _find_clip(clips: Mapping[str, Any], video: str | Path | None, path: Path) -> dict[str, Any]:
    """The entry whose name ends like the video's path does, by the most path components."""
    if video is None:
        raise InputError(f"{path} holds prompts of several clips: say which video they are for")
    scores = {name: _common_ending(PurePath(name), Path(video).expanduser().absolute()) for name in clips}
    best = max(scores.values(), default=0)
    names = [name for name, score in scores.items() if score == best]
    if best == 0:
        raise InputError(
            f"{path} has no prompts for {Path(video).name}; it names: {', '.join(clips) or 'nothing'}"
        )
    if len(names) > 1:
        raise InputError(f"{path} has several entries that fit {video}: {', '.join(names)}")
    return _mapping(clips[names[0]], f"{path}: {names[0]!r}")


def _common_ending(first: PurePath, second: PurePath) -> int:
    """How many trailing path components two paths share."""
    count = 0
    for a, b in zip(reversed(first.parts), reversed(second.parts)):
        if a != b:
            break
        count += 1
    return count


def _prompt(value: Any, frame: int, path: Path, name: str) -> ObjectPrompt:
    where = f"{path}: object {name!r}"
    if isinstance(value, list):
        value = {"box": value}
    if not isinstance(value, dict):
        raise InputError(f"{where} must be a box [x0, y0, x1, y1] or an object with {', '.join(_KEYS)}")
    unknown = sorted(set(value) - set(_KEYS))
    if unknown:
        raise InputError(f"{where} has unknown keys {', '.join(unknown)}; known are {', '.join(_KEYS)}")
    try:
        return ObjectPrompt(
            box=_numbers(value.get("box"), "box"),
            points=_numbers(value.get("points"), "points"),
            mask=_mask(value.get("mask"), path.parent),
            frame=_frame(value.get("frame", frame), name),
            mesh=_path(value.get("mesh"), "mesh", path.parent),
            mesh_scale=value.get("mesh_scale", "known"),
        )
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _numbers(value: Any, what: str) -> NDArray[np.float64] | None:
    """A list of numbers (or of lists of numbers) as an array; shapes are checked by the prompt itself."""
    if value is None:
        return None
    flat = (
        [x for row in value for x in (row if isinstance(row, list) else [row])]
        if isinstance(value, list)
        else []
    )
    if not flat or any(isinstance(x, bool) or not isinstance(x, (int, float)) for x in flat):
        raise InputError(f"{what} must be a list of numbers, but is {_kind(value)} {json.dumps(value)[:80]}")
    try:
        return np.array(value, dtype=np.float64)
    except ValueError as error:
        raise InputError(f"{what} has rows of different lengths: {json.dumps(value)[:80]}") from error


def _mask(value: Any, folder: Path) -> NDArray[np.bool_] | None:
    """The mask in a picture."""
    path = _path(value, "mask", folder)
    if path is None:
        return None
    return read_mask_picture(path)


def _path(value: Any, what: str, folder: Path) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise InputError(f"{what} must be the path of a file, but is {_kind(value)}")
    return folder / Path(value).expanduser()


def _frame(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(
            f"{where}: frame must be 0 or a positive whole number, but is {json.dumps(value)[:40]}"
        )
    return value


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
