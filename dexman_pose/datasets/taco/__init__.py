"""TACO, version 1 and pre-release."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names

if TYPE_CHECKING:
    from dexman_pose.datasets.taco.reader import read_taco

__all__ = ["read_taco"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "read_taco": "dexman_pose.datasets.taco.reader",
    },
)
