"""Data sets in BOP's format."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names

if TYPE_CHECKING:
    from dexman_pose.datasets.bop.reader import read_bop

__all__ = ["read_bop"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "read_bop": "dexman_pose.datasets.bop.reader",
    },
)
