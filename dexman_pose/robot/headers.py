"""Headers of the room's files: JSON beside arrays, with a format and a version; and values that JSON can hold."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.errors import InputError


def as_bytes(text: str) -> NDArray[np.uint8]:
    """Text as an array of its UTF-8 bytes."""
    return np.frombuffer(text.encode("utf-8"), np.uint8)


def as_text(values: NDArray[Any]) -> str:
    """The text of an array of UTF-8 bytes."""
    return values.astype(np.uint8).tobytes().decode("utf-8")


def header_of(file: Path, arrays: dict[str, Any], kind: str, version: int) -> dict[str, Any]:
    """The header of a file's arrays.

    Args:
        file: for messages.
        arrays: by name.
        kind: ``plan`` or ``policy``; the format is ``dexman_pose`` and that.
        version: that is read.

    Raises:
        InputError: there is none, it is of something else, or of another version.
    """
    if "header" not in arrays:
        raise InputError(f"{file} is no {kind}: it has no header")
    header = json.loads(as_text(arrays["header"]))
    if not isinstance(header, dict) or header.get("format") != f"dexman_pose {kind}":
        raise InputError(f"{file} is no {kind}")
    if header.get("version") != version:
        raise InputError(
            f"{file} is a {kind} of version {header.get('version')!r}; this program reads {version}"
        )
    return header


def need(file: Path, arrays: dict[str, Any], names: Iterable[str]) -> None:
    """Refuse a file that lacks some of its arrays.

    Raises:
        InputError: it does.
    """
    missing = [name for name in names if name not in arrays]
    if missing:
        raise InputError(f"{file} lacks {', '.join(missing)}")


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """The same with None where there is no number: JSON has none for what a broken simulation leaves."""
    return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in values.items()}
