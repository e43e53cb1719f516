"""Data sets as the central types, and rendered clips with exact truth."""

from dexman_pose.datasets.demo import compare_with_truth
from dexman_pose.datasets.synthetic_clip import SyntheticClip, render_demo
from dexman_pose.datasets.synthetic_files import DemoTruth, write_obj

__all__ = ["DemoTruth", "SyntheticClip", "compare_with_truth", "render_demo", "write_obj"]
