"""The triangle mesh that every room works on: arrays in metres, optional texture or vertex colours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.data import _check
from dexman_pose.data.numbers import number
from dexman_pose.errors import MeshError


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh in its own object frame.

    Attributes:
        vertices: (V, 3) float64, metres.
        faces: (F, 3) int32 indices into ``vertices``, counter-clockwise seen from outside.
        uv: (F, 3, 2) float32 texture coordinates of each face corner, or None. (0, 0) is the bottom-left corner
            of the texture and v grows upwards, as in OBJ files.
        texture: (H, W, 3) uint8 RGB, row 0 at the top, or None. Needs ``uv``.
        vertex_colors: (V, 3) uint8 RGB, or None.
        seen: (F,) bool, True where the face was seen in the clip the mesh was made from, or None when the whole
            mesh is trusted (a user's mesh).
        source: where the mesh comes from: ``"file"``, ``"silhouette"``, the name of a backend.

    Raises:
        MeshError: empty mesh, NaN, face index out of range, inconsistent texture arrays.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int32]
    uv: NDArray[np.float32] | None = None
    texture: NDArray[np.uint8] | None = None
    vertex_colors: NDArray[np.uint8] | None = None
    seen: NDArray[np.bool_] | None = None
    source: str = "file"

    if TYPE_CHECKING:  # lists, tuples and tensors become arrays

        def __init__(
            self,
            vertices: ArrayLike,
            faces: ArrayLike,
            uv: ArrayLike | None = None,
            texture: ArrayLike | None = None,
            vertex_colors: ArrayLike | None = None,
            seen: ArrayLike | None = None,
            source: str = "file",
        ) -> None: ...

    def __post_init__(self) -> None:
        try:
            v = _check.array(self.vertices, "mesh vertices", (None, 3))
            f = _check.array(self.faces, "mesh faces", (None, 3), np.int32)
            checked: dict[str, object] = {"vertices": v, "faces": f}
            if self.uv is not None:
                checked["uv"] = _check.array(self.uv, "mesh uv", (len(f), 3, 2), np.float32)
            if self.texture is not None:
                checked["texture"] = _check.array(self.texture, "mesh texture", (None, None, 3), np.uint8)
            if self.vertex_colors is not None:
                checked["vertex_colors"] = _check.array(
                    self.vertex_colors, "vertex colours", (len(v), 3), np.uint8
                )
            if self.seen is not None:
                checked["seen"] = _check.array(self.seen, "mesh seen", (len(f),), np.bool_)
        except ValueError as error:
            raise MeshError(str(error)) from error
        if len(v) == 0 or len(f) == 0:
            raise MeshError(f"a mesh needs vertices and faces, but got {len(v)} vertices and {len(f)} faces")
        if f.min() < 0 or f.max() >= len(v):
            raise MeshError(
                f"mesh faces index vertices {f.min()}..{f.max()}, but there are {len(v)} vertices"
            )
        if (self.texture is None) != (self.uv is None):
            raise MeshError("a textured mesh needs both uv and texture, but got only one of them")
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        size = " x ".join(f"{1e3 * side:.4g}" for side in self.extents)
        paint = (
            "textured" if self.texture is not None else "plain" if self.vertex_colors is None else "coloured"
        )
        return (
            f"Mesh({len(self.vertices)} vertices, {len(self.faces)} faces, {size} mm, {paint}, {self.source})"
        )

    @cached_property
    def extents(self) -> NDArray[np.float64]:
        """(3,) size of the axis-aligned bounding box in metres."""
        size: NDArray[np.float64] = np.ptp(self.vertices[np.unique(self.faces)], axis=0)
        return size

    @cached_property
    def center(self) -> NDArray[np.float64]:
        """(3,) centre of the axis-aligned bounding box, metres, object frame."""
        used = self.vertices[np.unique(self.faces)]
        middle: NDArray[np.float64] = 0.5 * (used.min(0) + used.max(0))
        return middle

    @cached_property
    def radius(self) -> float:
        """Largest distance of a vertex from :attr:`center`, metres."""
        return float(np.linalg.norm(self.vertices[np.unique(self.faces)] - self.center, axis=1).max())

    def scaled(self, factor: float) -> Mesh:
        """The same mesh with every vertex multiplied by ``factor``."""
        return replace(self, vertices=self.vertices * number(factor, "factor", above=0.0))

    def moved(self, new_from_old: ArrayLike) -> Mesh:
        """The same mesh with its vertices mapped through a (4, 4) transform."""
        m = _check.array(new_from_old, "new_from_old", (4, 4))
        return replace(self, vertices=self.vertices @ m[:3, :3].T + m[:3, 3])
