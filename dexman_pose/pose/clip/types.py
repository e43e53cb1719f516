"""Where the alignment of an object with a clip starts, and what it starts with."""

from __future__ import annotations

from dataclasses import dataclass

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh


@dataclass(frozen=True)
class AlignStart:
    """Where the alignment begins.

    Attributes:
        frame: index.
        pose: (4, 4) camera_from_object of the mesh multiplied by ``factors`` along its axes.
        factors: (3,).
        metric: whether depth has fixed the size already.
    """

    frame: int
    pose: Array
    factors: Array
    metric: bool = False


@dataclass(frozen=True)
class ObjectStart:
    """A mesh and where it starts."""

    mesh: Mesh
    frame: int
    camera_from_object: Array
