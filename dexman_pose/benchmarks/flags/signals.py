"""Whatever an estimate or a track says of a frame, as plain values for JSON; new fields show up by themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

_NOT_SIGNALS = frozenset({"camera_from_object", "valid"})
_LONGEST = 16
"""Longest array taken as it is; what is longer (images, meshes) is no signal of a frame."""


def signals_of(found: object, frame: int | None = None) -> dict[str, Any]:
    """Public fields and properties of a result.

    Args:
        found: a dataclass: a :class:`~dexman_pose.pose.PoseEstimate` or :class:`~dexman_pose.data.PoseTrack`.
        frame: for a track, the frame: of arrays and lists with an entry per frame, that entry. None for an estimate.

    Returns:
        By name: numbers, flags and texts as they are; enumerations by name; of square matrices the diagonal; of nested
        results the number. Values that are None, not finite or too large are left out.
    """
    count = len(found) if frame is not None and hasattr(found, "__len__") else None
    out = {}
    for name in _public(found):
        value = getattr(found, name)
        if frame is not None and count is not None:
            value = _at(value, frame, count)
        plain = plain_value(value)
        if plain is not None:
            out[name] = plain
    return out


def plain_value(value: Any) -> Any:
    """A value as JSON can hold it; None where it cannot or says nothing."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Enum):
        return value.name or str(value)
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, np.ndarray):
        return _plain_array(value)
    if isinstance(value, Mapping):
        return {str(key): plain_value(v) for key, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(str(plain_value(v)) for v in value)
    if isinstance(value, list | tuple):
        nested = any(is_dataclass(v) for v in value)
        return len(value) if nested or len(value) > _LONGEST else [plain_value(v) for v in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain_value(getattr(value, name)) for name in _public(value)}
    return None


def _plain_array(value: np.ndarray[Any, Any]) -> Any:
    if value.ndim == 2 and value.shape[0] == value.shape[1]:
        value = np.diagonal(value)
    if value.ndim == 0:
        return plain_value(value.item())
    if value.ndim > 1 or len(value) > _LONGEST:
        return None
    return [plain_value(v) for v in value]


def _public(found: object) -> list[str]:
    """Names of fields and properties, without what is scored itself."""
    if not is_dataclass(found):
        return []
    names = [f.name for f in fields(found)]
    names += [n for n in dir(type(found)) if isinstance(getattr(type(found), n), property)]
    return [n for n in dict.fromkeys(names) if not n.startswith("_") and n not in _NOT_SIGNALS]


def _at(value: Any, frame: int, count: int) -> Any:
    """The entry of a frame, of what has one per frame."""
    per_frame = isinstance(value, np.ndarray | list | tuple) and np.ndim(value) > 0 and len(value) == count
    return value[frame] if per_frame else value
