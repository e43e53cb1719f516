"""The triangle mesh that every room works on: arrays in metres, optional texture or vertex colours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose.data import _check
from dexman_pose.data.numbers import number
from dexman_pose.errors import MeshError

if TYPE_CHECKING:
    import trimesh

_EITHER = 16.0  # floats between 1 and this may be overshooting shares of white, or nearly black bytes
UnitSource = Literal["given", "standard", "guessed", "depth"]


@dataclass(frozen=True)
class MeshUnit:
    """The unit of length that a mesh was read in, and who said so.

    Attributes:
        name: ``m``, ``cm``, ``mm`` or ``inch``.
        source: ``given`` by the user; ``standard``: the file's format prescribes it; ``guessed``: judged by the size
            of what hands handle; ``depth``: the one of several plausible units that agrees with depth images.
        others: units that would be plausible too, the most plausible first; empty unless guessed.
    """

    name: str
    source: UnitSource
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh in its own object frame.

    Arrays, lists and pictures of other kinds are taken where their meaning is plain: colours and textures as bytes, as
    16-bit numbers (scaled), or as floats from 0 to 1, with or without a channel of transparency, which is dropped.

    Attributes:
        vertices: (V, 3) float64, metres.
        faces: (F, 3) int32 indices into ``vertices``, counter-clockwise seen from outside.
        uv: (F, 3, 2) float32 texture coordinates of each face corner, or None. (0, 0) is the bottom-left corner
            of the texture and v grows upwards, as in OBJ files; beyond 0 to 1 the texture repeats.
        texture: (H, W, 3) uint8 RGB, row 0 at the top, or None. Needs ``uv``.
        vertex_colors: (V, 3) uint8 RGB, or None.
        seen: (F,) bool, True where the face was seen in the clip the mesh was made from, or None when the whole
            mesh is trusted (a user's mesh).
        source: where the mesh comes from: ``"file"``, the kind of shape that was made from the clip (``"silhouette"``,
            ``"lying"``, ``"standing"``, ``"revolved"``, ``"vessel"``, ``"rolled"``, ``"extruded"``, ``"box"``), or the
            name of a backend.
        unit: the unit its file was read in and who said so; None for a mesh that was made in metres.
        sure: probability of the kind of shape among those that were tried; None where there was no choice.
        notes: what the backend that made the mesh says about it, for whoever reads the result.

    Raises:
        MeshError: empty mesh, NaN, complex numbers, face index out of range or no whole number, colours outside
            their range, inconsistent texture arrays.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int32]
    uv: NDArray[np.float32] | None = None
    texture: NDArray[np.uint8] | None = None
    vertex_colors: NDArray[np.uint8] | None = None
    seen: NDArray[np.bool_] | None = None
    source: str = "file"
    unit: MeshUnit | None = None
    sure: float | None = None
    notes: tuple[str, ...] = ()

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
            unit: MeshUnit | None = None,
            sure: float | None = None,
            notes: tuple[str, ...] = (),
        ) -> None: ...

    def __post_init__(self) -> None:
        try:
            v = _check.array(_real(self.vertices, "mesh vertices"), "mesh vertices", (None, 3))
            checked: dict[str, object] = {"vertices": v}
            f = checked["faces"] = _indices(self.faces, len(v))
            if self.uv is not None:
                uv = _real(self.uv, "mesh uv")
                checked["uv"] = _check.array(uv, "mesh uv", (len(f), 3, 2), np.float32)
            if self.texture is not None:
                texture = _opaque(as_bytes(self.texture, "mesh texture"), 3)
                checked["texture"] = _check.array(texture, "mesh texture", (None, None, 3), np.uint8)
            if self.vertex_colors is not None:
                colors = _opaque(as_bytes(self.vertex_colors, "vertex colours"), 2)
                checked["vertex_colors"] = _check.array(colors, "vertex colours", (len(v), 3), np.uint8)
            if self.seen is not None:
                checked["seen"] = _check.array(self.seen, "mesh seen", (len(f),), np.bool_)
        except ValueError as error:
            raise error if isinstance(error, MeshError) else MeshError(str(error)) from error
        if (self.texture is None) != (self.uv is None):
            raise MeshError("a textured mesh needs both uv and texture, but got only one of them")
        if self.texture is not None and 0 in np.shape(self.texture):
            raise MeshError(f"mesh texture must have pixels, but has shape {np.shape(self.texture)}")
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def size_source(self) -> Literal["given", "guessed", "depth"]:
        """What the metric size rests on: ``"given"`` by the user, the standard of the format or in metres from the
        start; ``"guessed"``: a unit that nobody stated; ``"depth"``, which decided between units."""
        source = "given" if self.unit is None else self.unit.source
        return "given" if source == "standard" else source

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

    def to_trimesh(self) -> trimesh.Trimesh:
        """The mesh as one of trimesh, same axes, metres; vertices are doubled along the seams of a texture."""
        from dexman_pose.data.meshes.convert import trimesh_of

        return trimesh_of(self)

    def save(self, path: str | Path) -> Path:
        """Write the mesh as ``.obj``, ``.glb``, ``.ply``, ``.stl`` or ``.off``, same axes, metres; returns the path.

        Raises:
            InputError: another suffix, or a place that cannot be written.
        """
        from dexman_pose.data.meshes.convert import save_mesh

        return save_mesh(self, path)


def as_bytes(values: Any, name: str) -> NDArray[np.uint8]:
    """Colours as bytes: whole numbers to 255 as they are, 16-bit ones and floats from 0 to 1 scaled.

    Floats that all lie in 0 to 1 are shares of white. Floats that reach far above 1 are bytes, rounded; a little above
    1 they may be either, and are refused unless all are whole. 16-bit numbers that never exceed 255 are bytes in a
    wider type.

    Raises:
        MeshError: no numbers, NaN, negative, or above the range of bytes and of 16-bit numbers.
    """
    array = _real(values, name)
    if array.dtype == np.uint8 or array.size == 0:
        # Large textures are read-only where they come from a file: nobody can change those behind a mesh's back.
        return array.astype(np.uint8, copy=bool(array.flags.writeable))
    if array.dtype == np.bool_:
        raise MeshError(f"{name} must be numbers from 0 to 255, or floats from 0 to 1, but got bool")
    low, high = array.min(), array.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise MeshError(f"{name} hold values that are NaN or infinite; every value must be finite")
    if array.dtype.kind == "f":
        if low >= -1e-6 and high <= 1.0 + 1e-6:
            scale = 255.0
        elif low >= 0 and high <= 255.0 and (high > _EITHER or (array == np.rint(array)).all()):
            scale = 1.0
        else:
            raise MeshError(
                f"{name} must be floats from 0 to 1 or numbers from 0 to 255, but lie in {low:g}..{high:g}"
            )
    elif low >= 0 and high <= 255:
        scale = 1.0
    elif low >= 0 and array.dtype == np.uint16:
        scale = 255.0 / 65535.0
    else:
        raise MeshError(
            f"{name} must be numbers from 0 to 255, or uint16 to 65535, but lie in {low}..{high} ({array.dtype})"
        )
    return np.rint(array.astype(np.float64) * scale).clip(0, 255).astype(np.uint8)


def _real(values: Any, name: str) -> NDArray[Any]:
    """An array of real numbers: a complex number must not lose its half, a text is no number."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise MeshError(f"{name} must be an array of numbers: {error}") from error
    if array.size and array.dtype.kind not in "biuf":
        raise MeshError(f"{name} must be real numbers, but got {array.dtype}")
    return array


def _indices(faces: Any, count: int) -> NDArray[np.int32]:
    """(F, 3) int32 of whole numbers from 0 to ``count``; checked before they are cut to 32 bits."""
    given = _real(faces, "mesh faces")
    if given.size:
        if given.dtype.kind == "b" or (given.dtype.kind == "f" and not (given == np.rint(given)).all()):
            raise MeshError(f"mesh faces must be whole numbers, indices of vertices, but got {given.dtype}")
        if given.min() < 0 or given.max() >= count:
            low, high = int(given.min()), int(given.max())
            raise MeshError(f"mesh faces index vertices {low}..{high}, but there are {count} vertices")
    out: NDArray[np.int32] = _check.array(given, "mesh faces", (None, 3), np.int32)
    if count == 0 or len(out) == 0:
        raise MeshError(f"a mesh needs vertices and faces, but got {count} vertices and {len(out)} faces")
    return out


def _opaque(colors: NDArray[np.uint8], axes: int) -> NDArray[np.uint8]:
    """Colours without their channel of transparency."""
    return colors[..., :3] if colors.ndim == axes and colors.shape[-1] == 4 else colors
