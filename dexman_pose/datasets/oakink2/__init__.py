"""OakInk2."""

from dexman_pose.datasets.oakink2.reader import read_oakink2

__all__ = ["read_oakink2"]
