"""Data sets of others, each read into the central types."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names

if TYPE_CHECKING:
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

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ManoParameters": "dexman_pose.data.mano",
        "Problem": "dexman_pose.datasets.recording",
        "Recording": "dexman_pose.datasets.recording",
        "read_bop": "dexman_pose.datasets.bop.reader",
        "read_dexycb": "dexman_pose.datasets.dexycb",
        "read_ho3d": "dexman_pose.datasets.ho3d",
        "read_oakink2": "dexman_pose.datasets.oakink2.reader",
        "read_taco": "dexman_pose.datasets.taco.reader",
    },
)
