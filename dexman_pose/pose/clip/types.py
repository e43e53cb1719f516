"""What is asked for of one object of a clip, and where its track starts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Mesh
from dexman_pose.geometry.symmetry import SymmetryGroup


@dataclass(frozen=True)
class ObjectRequest:
    """One object that is to be found in a clip.

    Attributes:
        name: of the object in the masks.
        mesh: the user's, or None to make one from the clip.
        frame: where to look first; None for the best frames.
        elsewhere: whether other frames may be looked at when that one does not show the object clearly.
        start: (4, 4) camera_from_object in ``frame``, of the mesh as it is; no search then.
        scale: ``"known"``: the mesh has its true size. ``"unknown"``: one factor is free. ``"axes"``: one along each
            axis of the mesh. Not read without a mesh.
        symmetry: of the mesh; None detects it.
        closed: whether gaps of the mesh are filled while outlines are compared; None: where they are large.
        held: a hand holds the object throughout.
        box: (4,) x0, y0, x1, y1 pixels, drawn around what ``frame`` shows of the object; None where nobody did.
    """

    name: str
    mesh: Mesh | None = None
    frame: int | None = None
    elsewhere: bool = True
    start: Array | None = None
    scale: str = "known"
    symmetry: SymmetryGroup | None = None
    closed: bool | None = None
    held: bool = False
    box: Array | None = None


@dataclass(frozen=True)
class ObjectStart:
    """The shape that is tracked, and where its track starts.

    Attributes:
        mesh: what is compared with the masks, multiplied by ``factors``: the user's, a closed stand-in of it, or one
            made from the clip.
        frame: index of the frame.
        camera_from_object: (4, 4) of ``mesh`` there.
        symmetry: of ``mesh``.
        factors: (3,) along the axes of the mesh as it was given or made.
        metric: whether the size is metric already: given, or told by depth.
        doubt: what the search holds against its own pose, in the terms of :mod:`~dexman_pose.pose.search.verdict`.
        given: whether the user gave the pose.
    """

    mesh: Mesh
    frame: int
    camera_from_object: Array
    symmetry: SymmetryGroup = field(default_factory=SymmetryGroup.trivial)
    factors: Array = field(default_factory=lambda: np.ones(3))
    metric: bool = True
    doubt: tuple[str, ...] = ()
    given: bool = False

    @property
    def trusted(self) -> NDArray[np.bool_] | None:
        """(F,) faces whose colour can be believed; None for all."""
        return self.mesh.seen

    def reshaped(self, mesh: Mesh, camera_from_object: Array) -> ObjectStart:
        """The same start with another shape in the same object frame."""
        return replace(self, mesh=mesh, camera_from_object=camera_from_object)
