"""Pickles of numbers, read without running anything in them."""

from dexman_pose.data.pickles.load import load_pickle

__all__ = ["load_pickle"]
