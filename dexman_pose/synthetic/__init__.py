"""Rendered clips with exact truth: the demonstration, scenes, tiny data sets in the formats of others."""

from dexman_pose.synthetic.demo.clip import SyntheticClip, render_demo
from dexman_pose.synthetic.demo.files import DemoTruth, write_obj
from dexman_pose.synthetic.demo.score import compare_with_truth
from dexman_pose.synthetic.tiny_datasets.taco import write_taco

__all__ = ["DemoTruth", "SyntheticClip", "compare_with_truth", "render_demo", "write_obj", "write_taco"]
