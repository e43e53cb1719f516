"""The rasteriser: many views of one mesh, on the CPU or a CUDA device from the same kernels."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dexman_pose._warp import wp
from dexman_pose.arrays import Array
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.numbers import instance
from dexman_pose.render import _inputs
from dexman_pose.render import _paint_kernels as painting
from dexman_pose.render import _raster_kernels as raster
from dexman_pose.render import _shade_kernels as shading
from dexman_pose.render._buffers import Buffers
from dexman_pose.render._topology import looks_outwards
from dexman_pose.render.commands import Command
from dexman_pose.render.devices import device_name

_CPU_CHUNK = 1 << 20  # pixels rendered in one go: the buffers stay in the cache
_CUDA_CHUNK = 1 << 26
_CUDA_THREADS = 1 << 18  # below this many faces in a launch, rows of a face are spread over threads too

_HIGH_HALF = 1 if sys.byteorder == "little" else 0  # of a 64-bit key: the bits of 1/z


@dataclass(frozen=True)
class Rendering:
    """Images of a batch of B views; an image that was not asked for is None.

    Attributes:
        mask: (B, H, W) bool, True where the mesh is seen.
        depth: (B, H, W) float32, z in metres in the camera frame; 0 where the mask is False.
        face_id: (B, H, W) int32, the nearest face; -1 where the mask is False.
        barycentric: (B, H, W, 3) float32, weights in space (not in the image) of that face's three corners.
        normal: (B, H, W, 3) float32, unit face normal in the camera frame, on the side that faces the camera.
        color: (B, H, W, 3) float32 RGB in 0..1: texture, else vertex colours, else mid grey.
    """

    mask: NDArray[np.bool_]
    depth: NDArray[np.float32] | None = None
    face_id: NDArray[np.int32] | None = None
    barycentric: NDArray[np.float32] | None = None
    normal: NDArray[np.float32] | None = None
    color: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.mask)

    def __repr__(self) -> str:
        made = ", ".join(f.name for f in fields(self) if getattr(self, f.name) is not None)
        views, height, width = self.mask.shape
        return f"Rendering({views} views of {width}x{height}: {made})"


class Rasterizer:
    """Renders one mesh from many poses. Build it once per mesh and keep it: buffers are reused between calls.

    Both sides of every face are drawn, for meshes may be open; of a closed mesh the backs, which are hidden, are
    skipped. Where two faces are equally near, the one with the lower index is seen. Not to be shared between threads.

    Args:
        mesh: the mesh, metres, object frame.
        device: ``"cpu"``, or a CUDA device such as ``"cuda"`` or ``"cuda:0"``.
        both_sides: draw the backs of faces without asking whether the mesh is closed: worth it for a mesh that is drawn
            once.

    Raises:
        InputError: the device does not exist here.
    """

    def __init__(self, mesh: Mesh, device: str = "cpu", *, both_sides: bool = False) -> None:
        instance(mesh, Mesh, "mesh", "load one with dexman_pose.load_mesh(path)")
        self.mesh = mesh
        self.device = device_name(device)
        self._both_sides = both_sides
        self._buffers = Buffers(self.device)
        self._vertices = wp.array(mesh.vertices, dtype=wp.vec3d, device=self.device)
        self._faces = wp.array(mesh.faces, dtype=wp.vec3i, device=self.device)
        self._surface: tuple[Any, ...] | None = None
        self._commands: dict[Any, Command] = {}

    @cached_property
    def device_mesh(self) -> tuple[Any, Any, Any]:
        """Vertices, faces and hull as arrays on the device, for kernels of other rooms.

        The hull is the corners of the box around a closed mesh whose faces look outwards, and empty for any other.
        """
        return self._vertices, self._faces, _hull(self.mesh, self.device, self._both_sides)

    def twin(self) -> Rasterizer:
        """Another one for another thread, with buffers of its own; the mesh on the device is shared."""
        other = Rasterizer.__new__(Rasterizer)
        other.mesh, other.device, other._both_sides = self.mesh, self.device, self._both_sides
        other._vertices, other._faces, other._surface = self._vertices, self._faces, self._surface
        other._buffers, other._commands = Buffers(self.device), {}
        other.device_mesh = self.device_mesh
        return other

    def render(
        self,
        camera_from_object: ArrayLike,
        K: ArrayLike,
        width: int,
        height: int,
        *,
        attributes: Sequence[str] = ("depth",),
        near: float = 0.01,
    ) -> Rendering:
        """Render a batch of poses through a pinhole camera.

        Args:
            camera_from_object: (B, 4, 4) or (4, 4) transforms, metres, OpenCV camera axes.
            K: (3, 3) or (B, 3, 3) intrinsics in pixels; the principal point may lie anywhere. Lens distortion
                is not modelled: the picture is that of the ideal pinhole.
            width: image width in pixels.
            height: image height in pixels.
            attributes: any of ``depth``, ``face_id``, ``barycentric``, ``normal``, ``color``. Depth alone is
                the fastest.
            near: surface nearer than this depth, in metres, is cut away.

        Returns:
            The images as numpy arrays, batch first (also for a single pose), sampled at pixel centres, pixel
            (0, 0) being the centre of the top-left one.

        Raises:
            InputError: wrong shapes, NaN, a size that is not positive, an unknown attribute.
        """
        wanted = _inputs.attributes(attributes)
        width, height = _inputs.image_size(width, height)
        poses = _inputs.poses(camera_from_object)
        intrinsics = _inputs.intrinsics(K, len(poses))
        near = _inputs.near_plane(near)
        out = _allocate(wanted, len(poses), height, width)
        limit = _CPU_CHUNK if self.device == "cpu" else _CUDA_CHUNK
        step = max(1, limit // max(width * height, len(self.mesh.vertices)))
        for start in range(0, len(poses), step):
            part = slice(start, start + step)
            self._render_chunk(poses[part], intrinsics[part], near, {k: v[part] for k, v in out.items()})
        return Rendering(**out)

    def inverse_depth(
        self, camera_from_object: ArrayLike, K: ArrayLike, width: int, height: int, *, near: float = 0.01
    ) -> Any:
        """Render a batch of poses in one go and leave the result on the device, for kernels of other rooms.

        Args:
            camera_from_object: as for :meth:`render`.
            K: as for :meth:`render`.
            width: image width in pixels.
            height: image height in pixels.
            near: as for :meth:`render`.

        Returns:
            Device array of B * height * width float32, 1 / metres, 0 where nothing is seen, and a few items more. It
            belongs to the rasteriser and is overwritten by its next call.

        Raises:
            InputError: as for :meth:`render`.
        """
        width, height = _inputs.image_size(width, height)
        poses = _inputs.poses(camera_from_object)
        projection = _inputs.intrinsics(K, len(poses)) @ poses[:, :3]
        self._rasterize(projection, _inputs.near_plane(near), width, height, False)
        return self._buffers.kept("nearest")

    def _render_chunk(self, poses: Array, k: Array, near: float, out: dict[str, Any]) -> None:
        batch, height, width = out["mask"].shape
        keyed = bool(out.keys() - {"mask", "depth"})
        self._rasterize(k @ poses[:, :3], near, width, height, keyed)
        pixels = batch * height * width
        if keyed:
            keys = self._buffers.host("keys", pixels).reshape(batch, height, width)
            inverse = keys.view(np.float32).reshape(batch, height, width, 2)[..., _HIGH_HALF]
            self._shade(poses, k, out)
        else:
            inverse = self._buffers.host("nearest", pixels).reshape(batch, height, width)
        np.greater(inverse, 0.0, out=out["mask"])
        if "depth" in out:
            # Dividing everywhere and erasing is several times as fast as dividing where there is something.
            depth = np.maximum(inverse, np.float32(1e-30), out=out["depth"])
            np.divide(np.float32(1.0), depth, out=depth)
            depth *= out["mask"]

    def _rasterize(self, projection: Array, near: float, width: int, height: int, keyed: bool) -> None:
        """Leave the nearest surface of every pixel in the buffer ``keys`` or ``nearest``."""
        batch, faces = len(projection), len(self.mesh.faces)
        vertices = len(self.mesh.vertices)
        pixels, spare = batch * width * height, raster.LANES - 1
        matrices = self._buffers.upload("projection", projection)
        screen = self._buffers.get("screen", wp.vec3d, batch * vertices)
        nearest = self._buffers.get("nearest", wp.float32, 0 if keyed else pixels + spare)
        keys = self._buffers.get("keys", wp.uint64, pixels + spare if keyed else 0)
        self._buffers.clear("keys" if keyed else "nearest", pixels)
        per_image, rows = self._threads(batch, vertices, faces, height)
        self._launch(
            raster.project_vertices,
            (batch, per_image[0]),
            (self._vertices, matrices, near, per_image[0], screen),
        )
        self._launch(
            raster.rasterize,
            (batch, per_image[1], rows),
            (*self.device_mesh, matrices, screen, near, width, height, per_image[1], rows, keyed)
            + (nearest, keys),
        )

    def _threads(self, batch: int, vertices: int, faces: int, height: int) -> tuple[tuple[int, int], int]:
        """Threads per image over vertices and faces, and over the rows of one face."""
        if self.device == "cpu":
            return (1, 1), 1
        rows = max(1, min(height, 32, _CUDA_THREADS // max(1, batch * faces)))
        return (vertices, faces), rows

    def _shade(self, poses: Array, k: Array, out: dict[str, Any]) -> None:
        """Fill the images of ``out`` that need the face of every pixel."""
        batch, height, width = out["mask"].shape
        pixels = batch * height * width
        kinds = {"face_id": wp.int32, "barycentric": wp.vec3f, "normal": wp.vec3f, "color": wp.vec3f}
        images = [self._buffers.get(n, d, pixels if n in out else 0) for n, d in kinds.items()]
        if self._surface is None:
            self._surface = self._colored_surface()
        normals, colored = self._surface
        threads = 1 if self.device == "cpu" else height * width
        projection = self._buffers.get("projection", wp.float64, batch * 12)
        keys = self._buffers.get("keys", wp.uint64, pixels)
        if out.keys() & {"face_id", "barycentric", "normal"}:
            frames = self._buffers.upload("frames", _frames(poses, k))
            self._launch(
                shading.shade,
                (batch, threads),
                (self._vertices, self._faces, normals, projection, frames, keys)
                + (width, height, threads, *images[:3]),
            )
        if "color" in out:
            self._launch(
                painting.paint,
                (batch, threads),
                (colored, projection, keys, width, height, threads, images[3]),
            )
        for name in kinds:
            if name in out:
                out[name][...] = self._buffers.host(name, pixels).reshape(out[name].shape)

    def _colored_surface(self) -> tuple[Any, Any]:
        """Face normals, and the mesh with its colours as the kernels take it."""
        mesh, device = self.mesh, self.device
        corners = mesh.vertices[mesh.faces]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        mode, uv = shading.COLOR_GREY, np.zeros((0, 2), np.float32)
        colors = np.zeros((0, 0, 3), np.uint8)
        if mesh.texture is not None and mesh.uv is not None:
            mode, uv, colors = shading.COLOR_TEXTURE, mesh.uv.reshape(-1, 2), mesh.texture
        elif mesh.vertex_colors is not None:
            mode, colors = shading.COLOR_VERTEX, mesh.vertex_colors[:, None]
        out = painting.ColoredMesh()
        out.vertices, out.faces, out.mode = self._vertices, self._faces, int(mode)
        out.uv = wp.array(uv, dtype=wp.vec2f, device=device)
        # On the CPU the mesh's own pixels: textures are large, and a mesh has several rasterisers.
        out.colors = wp.array(colors.reshape(-1), dtype=wp.uint8, device=device, copy=False)
        out.height, out.width = colors.shape[:2]
        return wp.array(normals, dtype=wp.vec3d, device=device), out

    def _launch(self, kernel: Any, dim: tuple[int, ...], inputs: tuple[Any, ...]) -> None:
        if kernel not in self._commands:
            self._commands[kernel] = Command(kernel, self.device)
        self._commands[kernel](dim, *inputs)


def _allocate(wanted: frozenset[str], batch: int, height: int, width: int) -> dict[str, Any]:
    """Empty images by name."""
    shape = (batch, height, width)
    out: dict[str, Any] = {"mask": np.empty(shape, np.bool_)}
    if "depth" in wanted:
        out["depth"] = np.empty(shape, np.float32)
    if "face_id" in wanted:
        out["face_id"] = np.empty(shape, np.int32)
    for name in ("barycentric", "normal", "color"):
        if name in wanted:
            out[name] = np.empty((*shape, 3), np.float32)
    return out


def _hull(mesh: Mesh, device: str, both_sides: bool) -> Any:
    """The 8 corners of the box around a closed mesh whose faces look outwards, on the device; none for any other."""
    corners = np.zeros((0, 3))
    if not both_sides and looks_outwards(mesh.vertices, mesh.faces):
        low, high = mesh.vertices.min(0), mesh.vertices.max(0)
        corners = np.array(list(itertools.product(*zip(low, high))))
    return wp.array(corners, dtype=wp.vec3d, device=device)


def _frames(poses: Array, k: Array) -> Array:
    """Per image what normals need: the pose's cofactors (they turn normals), then the upper rows of K^-1."""
    r = poses[:, :3, :3]
    cofactors = np.stack(
        [np.cross(r[:, 1], r[:, 2]), np.cross(r[:, 2], r[:, 0]), np.cross(r[:, 0], r[:, 1])], 1
    )
    rows = np.linalg.inv(k)[:, :2]
    return np.concatenate([cofactors.reshape(len(k), 9), rows.reshape(len(k), 6)], 1)
