"""Data sets as the central types, and rendered clips with exact truth."""

from dexman_pose.datasets.bop import read_bop
from dexman_pose.datasets.demo import compare_with_truth
from dexman_pose.datasets.dexycb import read_dexycb
from dexman_pose.datasets.ho3d import read_ho3d
from dexman_pose.datasets.oakink2 import read_oakink2
from dexman_pose.datasets.recording import ManoParameters, Problem, Recording
from dexman_pose.datasets.synthetic_clip import SyntheticClip, render_demo
from dexman_pose.datasets.synthetic_files import DemoTruth, write_obj
from dexman_pose.datasets.taco import read_taco
from dexman_pose.datasets.taco_write import write_taco

__all__ = [
    "DemoTruth",
    "ManoParameters",
    "Problem",
    "Recording",
    "SyntheticClip",
    "compare_with_truth",
    "read_bop",
    "read_dexycb",
    "read_ho3d",
    "read_oakink2",
    "read_taco",
    "render_demo",
    "write_obj",
    "write_taco",
]
