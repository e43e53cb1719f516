"""TACO, version 1 and pre-release."""

from dexman_pose.datasets.taco.reader import read_taco

__all__ = ["read_taco"]
