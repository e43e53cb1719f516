"""``dexman-pose licences``: under which licence every package is that this one needs, as the packages say."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, requires
from typing import Any, NamedTuple

from dexman_pose.errors import InputError

_PROJECT = "dexman-pose"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_LONGEST = 60  # characters; some packages put the whole text where the name belongs


class Needed(NamedTuple):
    """A package that is needed: its licence in its own words, and by which extra; ``core`` is always needed."""

    name: str
    version: str
    licence: str
    extra: str


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "licences",
        help="the licences of all packages that this one needs",
        description="Print every package that this one needs, those they need and programs that lie within it included, with the licence that the "
        "package itself states, and the extra that brings it. Licences of networks: `models list`.",
    )
    p.set_defaults(handler=handle)


def handle(args: argparse.Namespace) -> int:
    """Print the table."""
    rows = list(needed())
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)) + f"  {row.extra}")
    return 0


def needed() -> Iterator[Needed]:
    """This package, what of others lies within it, then everything it needs: extras in their order, packages by name."""
    try:
        own = distribution(_PROJECT)
    except PackageNotFoundError as error:
        raise InputError(
            f"{_PROJECT} runs here without being installed, so what it needs is not recorded; install it with: "
            "pip install -e ."
        ) from error
    from dexman_pose.viewer.bundled import BUNDLED

    yield Needed(_PROJECT, own.version, licence_of(own), "itself")
    yield from (Needed(part.name, part.version, part.licence, "within it") for part in BUNDLED)
    seen = {_PROJECT}
    for extra, names in _direct().items():
        for name in sorted(_closure(names, seen)):
            try:
                found = distribution(name)
            except PackageNotFoundError:
                yield Needed(name, "not installed", "", extra)
            else:
                yield Needed(name, found.version, licence_of(found), extra)


def licence_of(found: Distribution) -> str:
    """The licence that a package states: its expression, else its classifiers, else the field of old."""
    about = found.metadata
    if "License-Expression" in about:
        return str(about["License-Expression"])
    classified = [
        c.rpartition(" :: ")[2] for c in about.get_all("Classifier") or [] if c.startswith("License ::")
    ]
    if classified:
        return ", ".join(classified)
    lines = (str(about["License"]) if "License" in about else "").strip().splitlines()
    stated = lines[0].strip() if lines else ""
    return stated if 0 < len(stated) <= _LONGEST else "see its own files"


def _direct() -> dict[str, list[str]]:
    """Names of the packages asked for, by extra."""
    out: dict[str, list[str]] = {"core": []}
    for requirement in requires(_PROJECT) or []:
        extra = _EXTRA.search(requirement)
        out.setdefault(extra[1] if extra else "core", []).append(_plain(requirement))
    return out


def _closure(names: list[str], seen: set[str]) -> list[str]:
    """These packages and those they need, but for what was ``seen``, which grows."""
    out, waiting = [], list(names)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        asked_for = name in names
        try:
            inner = requires(name) or []
        except PackageNotFoundError:
            if asked_for:  # others are for another system, or another Python
                seen.add(name)
                out.append(name)
            continue
        seen.add(name)
        out.append(name)
        waiting += [_plain(r) for r in inner if not _EXTRA.search(r)]
    return out


def _plain(requirement: str) -> str:
    """The normalised name at the beginning of a requirement."""
    found = _NAME.match(requirement.strip())
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else requirement
