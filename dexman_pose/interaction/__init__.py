"""Hands and the objects they touch, solved together."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names
from dexman_pose._optional import require_engine

if TYPE_CHECKING:
    from dexman_pose.interaction.fit import GripFit, fit_grips
    from dexman_pose.interaction.options import GripOptions

__all__ = ["GripFit", "GripOptions", "fit_grips"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "GripFit": "dexman_pose.interaction.fit",
        "GripOptions": "dexman_pose.interaction.options",
        "fit_grips": "dexman_pose.interaction.fit",
    },
)

require_engine("solving hands and objects together")
