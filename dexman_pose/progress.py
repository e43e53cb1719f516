"""Progress bars on standard error for everything longer than a second; silent when told so or not a terminal job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

_enabled = [False]


@contextmanager
def progress_shown(shown: bool = True) -> Iterator[None]:
    """Show (or hide) the bars of :func:`progress` inside the block. The command line shows them, the API does not."""
    before = _enabled[0]
    _enabled[0] = shown
    try:
        yield
    finally:
        _enabled[0] = before


def progress(items: Iterable[T], what: str, total: int | None = None) -> Iterable[T]:
    """Iterate over ``items`` under a bar that says ``what`` is being done, how fast, and how long is left."""
    return tqdm(
        items, desc=f"{what:<14}", total=total, unit="frame", disable=not _enabled[0], dynamic_ncols=True
    )
