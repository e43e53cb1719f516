"""OakInk2."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names

if TYPE_CHECKING:
    from dexman_pose.datasets.oakink2.reader import read_oakink2

__all__ = ["read_oakink2"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "read_oakink2": "dexman_pose.datasets.oakink2.reader",
    },
)
