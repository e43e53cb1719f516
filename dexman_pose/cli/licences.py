"""``dexman-pose licences``: under which licence every package is that this one needs, as the packages say."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from importlib.metadata import Distribution

_PROJECT = "dexman-pose"
_NAME = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[(?P<extras>[^\]]*)\])?")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_LONGEST = 60  # characters; some packages put the whole text where the name belongs

Asked = tuple[str, str]
"""A package and one of its extras; an empty extra is the package itself."""


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
        description="Print every package that this one needs, those they need and programs that lie within it "
        "included, with the licence that the package itself states, and the extra that brings it. Those of networks: "
        "`models list`.",
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
    """This package, what of others lies within it, then all it needs: extras in order, packages by name, each once."""
    from importlib.metadata import PackageNotFoundError, distribution

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
    seen = {(_PROJECT, "")}
    listed = {_PROJECT}
    for extra, asked in _direct().items():
        for name in sorted(_closure(asked, seen) - listed):
            listed.add(name)
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


def _direct() -> dict[str, list[Asked]]:
    """What is asked for, by extra."""
    from importlib.metadata import requires

    out: dict[str, list[Asked]] = {"core": []}
    for requirement in requires(_PROJECT) or []:
        extra = _EXTRA.search(requirement)
        out.setdefault(extra[1] if extra else "core", []).extend(_asked(requirement))
    return out


def _closure(asked: list[Asked], seen: set[Asked]) -> set[str]:
    """Names of these packages and of those they need, but for what was ``seen``, which grows."""
    from importlib.metadata import PackageNotFoundError, requires

    out, waiting, direct = set(), list(asked), {name for name, _ in asked}
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen or name == _PROJECT:
            continue
        try:
            inner = requires(name) or []
        except PackageNotFoundError:
            if name not in direct:  # others are for another system, or another Python
                continue
            inner = []
        seen.add((name, extra))
        out.add(name)
        for requirement in inner:
            found = _EXTRA.search(requirement)
            if (found[1] if found else "") == extra:
                waiting += _asked(requirement)
    return out


def _asked(requirement: str) -> list[Asked]:
    """What a requirement asks for: the package by its normalised name, and each extra of it."""
    found = _NAME.match(requirement.strip())
    if found is None:
        return [(requirement, "")]
    name = re.sub(r"[-_.]+", "-", found["name"]).lower()
    extras = [part.strip() for part in (found["extras"] or "").split(",") if part.strip()]
    return [(name, ""), *((name, extra) for extra in extras)]
