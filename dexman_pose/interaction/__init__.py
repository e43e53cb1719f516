"""Hands and the objects they touch, solved together."""

from dexman_pose.interaction.fit import GripFit, fit_grips
from dexman_pose.interaction.options import GripOptions

__all__ = ["GripFit", "GripOptions", "fit_grips"]
