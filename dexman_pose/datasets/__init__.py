"""Data sets of others, each read into the central types."""

from dexman_pose.data.mano import ManoParameters
from dexman_pose.datasets.bop.reader import read_bop
from dexman_pose.datasets.dexycb import read_dexycb
from dexman_pose.datasets.ho3d import read_ho3d
from dexman_pose.datasets.oakink2.reader import read_oakink2
from dexman_pose.datasets.recording import Problem, Recording
from dexman_pose.datasets.taco.reader import read_taco

__all__ = [
    "ManoParameters",
    "Problem",
    "Recording",
    "read_bop",
    "read_dexycb",
    "read_ho3d",
    "read_oakink2",
    "read_taco",
]
