"""What the user points at: one object in one frame, by box, points or mask, with a mesh if there is one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import _check
from dexman_pose.data.accept.masks import as_mask
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.numbers import count, number, plain, word
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dexman_pose.data.accept.kinds import MaskLike, MeshLike

MeshScale = Literal["known", "unknown"]
MESH_SCALES: tuple[MeshScale, ...] = ("known", "unknown")


@dataclass(frozen=True)
class ObjectPrompt:
    """Where one object is in one frame.

    Attributes:
        box: (4,) x0, y0, x1, y1 in pixels around it, or None.
        points: (N, 3) x, y, label per click: label 1 on the object, 0 off it; or None.
        mask: (H, W) bool, or None.
        frame: index of the frame the prompt speaks of.
        mesh: the object's mesh, a path to its file, or None when it has to be made from the clip.
        mesh_scale: ``"known"`` when the mesh has its true size, ``"unknown"`` when one factor on it is to be found.
    """

    box: NDArray[np.float64] | None = None
    points: NDArray[np.float64] | None = None
    mask: NDArray[np.bool_] | None = None
    frame: int = 0
    mesh: Mesh | str | Path | None = None
    mesh_scale: MeshScale = "known"

    if TYPE_CHECKING:  # lists, tuples and tensors become arrays

        def __init__(
            self,
            box: ArrayLike | None = None,
            points: ArrayLike | None = None,
            mask: MaskLike | None = None,
            frame: int = 0,
            mesh: MeshLike | None = None,
            mesh_scale: MeshScale = "known",
        ) -> None: ...

    def __post_init__(self) -> None:
        if self.box is None and self.points is None and self.mask is None:
            raise InputError("an object prompt needs a box (x0, y0, x1, y1), points (x, y, label) or a mask")
        word(self.mesh_scale, "mesh_scale", MESH_SCALES)
        if number(self.frame, "prompt frame") < 0:
            raise InputError(f"prompt frame must be 0 or more, but got {self.frame}")
        _check.settle(self, frame=count(self.frame, "prompt frame"))
        if self.box is not None:
            box = _check.array(self.box, "prompt box", (4,))
            if box[2] <= box[0] or box[3] <= box[1]:
                raise InputError(
                    f"prompt box must be x0, y0, x1, y1 with x0 < x1 and y0 < y1, but got {box.tolist()}"
                )
            object.__setattr__(self, "box", box)
        if self.points is not None:
            points = plain(self.points, "prompt points")
            if points.ndim == 2 and points.shape[1] == 2:
                points = np.concatenate([points, np.ones((len(points), 1))], 1)
            object.__setattr__(self, "points", _check.array(points, "prompt points", (None, 3)))
        if self.mask is not None:
            object.__setattr__(self, "mask", as_mask(self.mask, name="prompt mask"))

    def __repr__(self) -> str:
        box = None if self.box is None else "box " + ", ".join(f"{x:.4g}" for x in self.box)
        points = None if self.points is None else f"{len(self.points)} points"
        mask = None if self.mask is None else f"mask of {int(self.mask.sum())} pixels"
        mesh = None if self.mesh is None else f"mesh {self.mesh!s} ({self.mesh_scale} scale)"
        parts = [part for part in (box, points, mask, f"frame {self.frame}", mesh) if part is not None]
        return f"ObjectPrompt({', '.join(parts)})"

    def check_inside(self, name: str, width: int, height: int, num_frames: int) -> None:
        """Raise :class:`InputError` when box, points, mask or frame do not fit a clip of this size."""
        if self.frame >= num_frames:
            raise InputError(
                f"object {name!r}: prompt frame {self.frame} is not in the clip of {num_frames} frames"
            )
        if self.box is not None:
            x0, y0, x1, y1 = self.box
            if x1 <= 0 or y1 <= 0 or x0 >= width - 1 or y0 >= height - 1:
                raise InputError(
                    f"object {name!r}: box {self.box.tolist()} lies outside the {width}x{height} image; "
                    "give x0, y0, x1, y1 in pixels of the video"
                )
        if self.points is not None:
            x, y = self.points[:, 0], self.points[:, 1]
            if (x < 0).any() or (y < 0).any() or (x >= width).any() or (y >= height).any():
                raise InputError(f"object {name!r}: a point lies outside the {width}x{height} image")
        if self.mask is not None and self.mask.shape != (height, width):
            raise InputError(
                f"object {name!r}: mask is {self.mask.shape}, but the frames are {(height, width)}"
            )
