"""Hashes of stored files, remembered beside them, so that gigabytes are read once and not at every start."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from dexman_pose.data.files import sha256_of, write_bytes
from dexman_pose.data.weights.card import Part

SUFFIX = ".checked.json"


def remember(path: Path, sha256: str, **more: Any) -> None:
    """Note the hash of a file beside it; in a folder that cannot be written to nothing is noted."""
    status = path.stat()
    note = {"sha256": sha256, "bytes": status.st_size, "modified_ns": status.st_mtime_ns, **more}
    if os.access(path.parent, os.W_OK):
        write_bytes(_beside(path), json.dumps(note, indent=1).encode())


def remembered(path: Path) -> dict[str, Any]:
    """What was noted of a file; empty where there is nothing that can be read."""
    try:
        note = json.loads(_beside(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def forget(path: Path) -> None:
    """Delete what was noted of a file."""
    _beside(path).unlink(missing_ok=True)


def mismatch(path: Path, part: Part, *, again: bool = False) -> str | None:
    """How a stored file differs from its card, or where that knows no hash from what was fetched; None if it does not.

    Args:
        path: of the file, which exists.
        part: what its card says.
        again: read it whole even if it has not been touched since it was read last.
    """
    status, note = path.stat(), remembered(path)
    if part.size is not None and status.st_size != part.size:
        return f"{path} has {status.st_size} bytes, but its card says {part.size}"
    expected = part.sha256 or note.get("sha256")
    if expected is None:
        return None
    untouched = (note.get("bytes"), note.get("modified_ns")) == (status.st_size, status.st_mtime_ns)
    found = note.get("sha256") if untouched and not again else sha256_of(path)
    if found != expected:
        told_by = "its card says" if part.sha256 else "was fetched with"
        return f"{path} has sha256 {found}, but {told_by} {expected}"
    if not untouched:
        remember(path, expected, **{k: note[k] for k in ("announced", "url") if k in note})
    return None


def _beside(path: Path) -> Path:
    return path.with_name(path.name + SUFFIX)
