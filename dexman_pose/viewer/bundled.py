"""Programs of others that lie within this package, each with its licence beside it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

WEB = Path(__file__).resolve().parent / "web"
"""The scripts and styles of pages."""


class Bundled(NamedTuple):
    """A program of others: its name and version as it was published, its licence, its file and that of its licence."""

    name: str
    version: str
    licence: str
    file: str
    text: str


BUNDLED = (Bundled("three", "0.170.0", "MIT", "three.module.min.js", "three.LICENSE"),)
"""Files of :data:`WEB`, unchanged. three.js draws the scene of a report."""
