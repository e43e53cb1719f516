"""Data sets in BOP's format."""

from dexman_pose.datasets.bop.reader import read_bop

__all__ = ["read_bop"]
