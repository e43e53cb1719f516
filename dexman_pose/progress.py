"""Progress bars on standard error for what takes longer than a second: shown where a person is watching."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_PATIENCE = 1.0
"""Seconds before a bar appears."""

_chosen: list[bool | None] = [None]


def is_shown() -> bool:
    """Whether bars are shown: as :func:`progress_shown` says, else in a terminal or a notebook."""
    chosen = _chosen[0]
    return _watched() if chosen is None else chosen


def is_chosen() -> bool:
    """Whether the code runs inside a block of :func:`progress_shown`."""
    return _chosen[0] is not None


@contextmanager
def progress_shown(shown: bool = True) -> Iterator[None]:
    """Show (or hide) the bars of :func:`progress` inside the block, whoever is watching."""
    before = _chosen[0]
    _chosen[0] = shown
    try:
        yield
    finally:
        _chosen[0] = before


def progress(items: Iterable[T], what: str, total: int | None = None) -> Iterable[T]:
    """Iterate over ``items`` under a bar that says ``what`` is being done, how fast, and how long is left."""
    from tqdm import tqdm

    return tqdm(
        items,
        desc=f"{what:<14}",
        total=total,
        unit="frame",
        disable=not is_shown(),
        dynamic_ncols=True,
        delay=_PATIENCE,
    )


def say(line: str) -> None:
    """Print a line on standard error, above any bar."""
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)


def _watched() -> bool:
    """Whether standard error ends at a person: a terminal, or the page of a notebook."""
    if sys.stderr is None:
        return False
    if sys.stderr.isatty():
        return True
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"
