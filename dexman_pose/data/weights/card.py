"""A card of a network, read and checked: where its parts come from and under which licence."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dexman_pose.errors import InputError

HUB_VARIABLE = "HF_ENDPOINT"
HUB = "https://huggingface.co"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Part:
    """One file of a network.

    Attributes:
        path: below the network's folder, or its own name where there is one file only.
        url: where it is fetched from.
        size: bytes, or None where nobody is sure.
        sha256: of its content, or None where nobody is sure.
    """

    path: str
    url: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Terms:
    """Under which licence a network may be used.

    Attributes:
        licence: its name.
        gated: whether its makers ask for an account, or for consent, before they hand it out.
        non_commercial: whether commercial use is forbidden.
        note: what else a user should know.
    """

    licence: str
    gated: bool = False
    non_commercial: bool = False
    note: str = ""

    @classmethod
    def of(cls, card: Mapping[str, Any]) -> Terms:
        """The terms that a card tells."""
        return cls(
            str(card["licence"]),
            bool(card.get("gated", False)),
            bool(card.get("non_commercial", False)),
            str(card.get("licence_note", "")),
        )

    @property
    def asks(self) -> bool:
        """Whether a user should be asked before it is fetched."""
        return self.gated or self.non_commercial

    def __str__(self) -> str:
        flags = [("gated", self.gated), ("non-commercial", self.non_commercial)]
        return ", ".join([self.licence, *(word for word, holds in flags if holds)])


def kind(card: Mapping[str, Any]) -> str:
    """How a network is got: ``wheel``, ``url``, ``hub``, or ``hand``."""
    said = str(card.get("source", {}).get("kind", "hand"))
    return said if said in {"wheel", "url", "hub"} else "hand"


def parts(name: str, card: Mapping[str, Any]) -> tuple[Part, ...]:
    """Files of a network that is fetched file by file, as its card tells them.

    Raises:
        InputError: the card is not well-formed.
    """
    source = card.get("source", {})
    try:
        if kind(card) == "url":
            return (_part(str(card["file"]), str(source["url"]), source),)
        if kind(card) == "hub":
            base = os.environ.get(HUB_VARIABLE, HUB).rstrip("/")
            root = f"{base}/{source['repository']}/resolve/{source.get('revision', 'main')}"
            return tuple(_part(str(f["path"]), f"{root}/{f['path']}", f) for f in source["files"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the card of the model {name!r} is not well-formed: {error}") from error
    return ()


def _part(path: str, url: str, about: Mapping[str, Any]) -> Part:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"the path {path!r} leaves the folder of the model")
    sha256, size = about.get("sha256"), about.get("bytes")
    if sha256 is not None and not _SHA256.fullmatch(str(sha256)):
        raise ValueError(f"{path}: sha256 must be 64 hexadecimal digits or left out, but is {sha256!r}")
    return Part(path, url, None if size is None else int(size), None if sha256 is None else str(sha256))
