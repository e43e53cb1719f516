"""The differentiable rasteriser: a torch function whose forward and backward passes run Warp kernels.

Which face a pixel shows is decided by the kernels of the plain rasteriser; here its values, the antialiased mask, and
the derivatives of both are computed, from points in the camera frame, in double precision. Everything between those
points and a caller's pose, scale, vertices or intrinsics is left to torch.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from dexman_pose.data.mesh import Mesh
from dexman_pose.render import _edge_kernels as outline
from dexman_pose.render import _gradient_kernels as shading
from dexman_pose.render import _raster_kernels as raster
from dexman_pose.render._shade_kernels import COLOR_GREY, COLOR_TEXTURE, COLOR_VERTEX
from dexman_pose.render._topology import edges_of
from dexman_pose.render._warp import wp

Tensor = torch.Tensor

_CUDA_THREADS = 1 << 18  # as many as a launch over faces should have at least


class Surface:
    """What of a mesh does not change from call to call, on one device.

    Attributes:
        mesh: the mesh.
        device: torch device.
        vertices: (V, 3) float64.
        colors: (V, 3) float64 vertex colours in 0..1, or None.
    """

    def __init__(self, mesh: Mesh, device: torch.device) -> None:
        self.mesh = mesh
        self.device = device
        where = str(wp.device_from_torch(device))
        self.faces = wp.array(mesh.faces, dtype=wp.vec3i, device=where)
        self.edges = wp.array(edges_of(mesh.faces), dtype=wp.vec4i, device=where)
        self.vertices = torch.as_tensor(mesh.vertices, dtype=torch.float64, device=device)
        self.textured = mesh.texture is not None and mesh.uv is not None
        self.colors: Tensor | None = None
        if not self.textured and mesh.vertex_colors is not None:
            colors = np.asarray(mesh.vertex_colors, np.float64) / 255.0
            self.colors = torch.as_tensor(colors, device=device)
        uv = np.zeros((0, 2), np.float32) if mesh.uv is None else mesh.uv.reshape(-1, 2)
        self.uv = wp.array(uv, dtype=wp.vec2f, device=where)
        texels = np.zeros(0, np.uint8) if mesh.texture is None else mesh.texture.reshape(-1)
        self.texture = wp.array(texels, dtype=wp.uint8, device=where)
        self.texture_size = (0, 0) if mesh.texture is None else mesh.texture.shape[:2]

    def paint(self, colors: Tensor | None, texture: Tensor | None) -> Any:
        """The kernels' description of the colours: ``colors`` go before a texture, and that before the mesh's."""
        paint = shading.Paint()
        paint.mode = int(COLOR_GREY)
        paint.uv, paint.texture = self.uv, self.texture
        paint.colors, paint.texture_values = _vectors(colors), _vectors(texture)
        paint.height, paint.width = self.texture_size if texture is None else texture.shape[:2]
        if colors is not None:
            paint.mode = int(COLOR_VERTEX)
        elif self.textured:
            paint.mode = int(COLOR_TEXTURE)
        return paint


@dataclass(frozen=True)
class View:
    """What a call renders besides its differentiable inputs.

    Attributes:
        surface: the mesh.
        vertices: (V, 3) float64, object frame; decides with ``projection`` which face a pixel shows.
        projection: (B, 3, 4) float64, image points from ``vertices``.
        near: near plane in metres.
        width: pixels.
        height: pixels.
    """

    surface: Surface
    vertices: Tensor
    projection: Tensor
    near: float
    width: int
    height: int

    @property
    def batch(self) -> int:
        """Number of images."""
        return len(self.projection)

    def threads(self, items: int) -> int:
        """Threads per image: all items on a GPU, one on the CPU, where kernels loop."""
        return 1 if self.surface.device.type == "cpu" else max(1, items)


def render_tensors(
    view: View, points: Tensor, intrinsics: Tensor, colors: Tensor | None, texture: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Antialiased mask, depth, normal and colour, all float64 and differentiable.

    Args:
        view: mesh, size and the choice of faces.
        points: (B, V, 3) float64, the vertices in the camera frame.
        intrinsics: (B, 3, 3) float64; gradients reach its upper triangle.
        colors: (V, 3) float64 in 0..1, or None.
        texture: (H, W, 3) float64 in 0..1 in place of the mesh's texture, or None.

    Returns:
        (B, H, W) mask in [0, 1], (B, H, W) depth, (B, H, W, 3) normal, (B, H, W, 3) colour.
    """
    render: Any = _Render.apply  # torch leaves it untyped
    raw, depth, normal, color = render(points, intrinsics, colors, texture, view)
    return raw.clamp(0.0, 1.0), depth, normal, color


class _Render(torch.autograd.Function):
    """The mask comes out before it is cut to [0, 1]: corners of specks may overshoot."""

    @staticmethod
    def forward(
        ctx: Any,
        points: Tensor,
        intrinsics: Tensor,
        colors: Tensor | None,
        texture: Tensor | None,
        view: View,
    ) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.view = view
        points, intrinsics = points.detach().contiguous(), intrinsics.detach().contiguous()
        colors = None if colors is None else colors.detach().contiguous()
        texture = None if texture is None else texture.detach().contiguous()
        shape = (view.batch, view.height, view.width)
        mask, depth = (torch.zeros(shape, dtype=torch.float64, device=points.device) for _ in range(2))
        normal, color = (
            torch.zeros((*shape, 3), dtype=torch.float64, device=points.device) for _ in range(2)
        )
        with _stream(points.device):
            keys, crossings = _visible(view, points, intrinsics)
            drawing = _drawing(view, points, intrinsics, keys)
            surface = view.surface.faces, view.surface.paint(colors, texture)
            images = _numbers(mask), _numbers(depth), _vectors(normal), _vectors(color)
            _launch(shading.shade_pixels, view, drawing, 1, (*surface, *images))
            outlines = view.surface.edges, _keys(crossings)
            _launch(outline.blend_mask, view, drawing, 2, (*outlines, None, _numbers(mask), None))
        ctx.save_for_backward(points, intrinsics, colors, texture, keys, crossings)
        return mask, depth, normal, color

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        points, intrinsics, colors, texture, keys, crossings = ctx.saved_tensors
        view: View = ctx.view
        mask, depth, normal, color = (None if g is None else g.contiguous() for g in gradients)
        d_image, d_points = torch.zeros_like(points), None
        if normal is not None:
            d_points = torch.zeros_like(points)
        d_colors = torch.zeros_like(colors) if ctx.needs_input_grad[2] and color is not None else None
        d_texture = torch.zeros_like(texture) if ctx.needs_input_grad[3] and color is not None else None
        with _stream(points.device):
            drawing = _drawing(view, points, intrinsics, keys)
            if depth is not None or normal is not None or color is not None:
                surface = view.surface.faces, view.surface.paint(colors, texture)
                given = _numbers(depth), _vectors(normal), _vectors(color)
                wanted = _vectors(d_image), _vectors(d_points), _vectors(d_colors), _vectors(d_texture)
                _launch(shading.shade_pixels_backward, view, drawing, 1, (*surface, *given, *wanted))
            if mask is not None:
                outlines = view.surface.edges, _keys(crossings)
                _launch(
                    outline.blend_mask, view, drawing, 2, (*outlines, _numbers(mask), None, _vectors(d_image))
                )
        # Image points are K x: the chain to x and to K, whose lower triangle is fixed.
        to_points = d_image @ intrinsics
        if d_points is not None:
            to_points += d_points
        to_intrinsics = torch.triu(d_image.transpose(1, 2) @ points) if ctx.needs_input_grad[1] else None
        if to_intrinsics is not None:
            to_intrinsics[:, 2, 2] = 0.0
        return to_points, to_intrinsics, d_colors, d_texture, None


def _visible(view: View, points: Tensor, intrinsics: Tensor) -> tuple[Tensor, Tensor]:
    """The packed nearest face of every pixel, and the outline's edge of every pair of neighbours."""
    surface, pixels = view.surface, view.width * view.height
    vertices, device = len(view.vertices), points.device
    keys = torch.zeros(view.batch * pixels + raster.LANES - 1, dtype=torch.int64, device=device)
    crossings = torch.zeros(2 * view.batch * pixels, dtype=torch.int64, device=device)
    screen = torch.empty((view.batch * vertices, 3), dtype=torch.float64, device=device)
    corners, matrices = _vectors(view.vertices.contiguous()), _numbers(view.projection.contiguous())
    faces = len(surface.faces)
    per_image = (view.threads(vertices), view.threads(faces), view.threads(len(surface.edges)))
    rows = 1
    if device.type != "cpu":  # few faces, large ones perhaps: spread the rows of each over threads
        rows = max(1, min(view.height, 32, _CUDA_THREADS // max(1, view.batch * faces)))
    where, near = surface.faces.device, view.near
    wp.launch(
        raster.project_vertices,
        dim=(view.batch, per_image[0]),
        inputs=(corners, matrices, near, per_image[0], _vectors(screen)),
        device=where,
    )
    no_hull = wp.empty(0, dtype=wp.vec3d, device=where)  # vertices may have been moved: backs may be seen
    wp.launch(
        raster.rasterize,
        dim=(view.batch, per_image[1], rows),
        inputs=(corners, surface.faces, no_hull, matrices, _vectors(screen), near, view.width, view.height)
        + (per_image[1], rows, True, wp.empty(0, dtype=wp.float32, device=where), _keys(keys)),
        device=where,
    )
    wp.launch(
        outline.find_crossings,
        dim=(view.batch, per_image[2]),
        inputs=(_vectors(points), _numbers(intrinsics), surface.edges, _vectors(screen), vertices, near)
        + (view.width, view.height, per_image[2], _keys(keys), _keys(crossings)),
        device=where,
    )
    return keys, crossings


def _drawing(view: View, points: Tensor, intrinsics: Tensor, keys: Tensor) -> Any:
    """What was drawn, as the kernels take it."""
    drawing = outline.Drawing()
    drawing.points, drawing.intrinsics, drawing.keys = _vectors(points), _numbers(intrinsics), _keys(keys)
    drawing.vertices, drawing.width = len(view.vertices), view.width
    drawing.pixels = view.width * view.height
    return drawing


def _launch(kernel: Any, view: View, drawing: Any, per_pixel: int, arguments: tuple[Any, ...]) -> None:
    """Launch a kernel over ``per_pixel`` items a pixel; it takes the drawing and its stride first."""
    threads = view.threads(per_pixel * view.width * view.height)
    wp.launch(
        kernel,
        dim=(view.batch, threads),
        inputs=(drawing, threads, *arguments),
        device=view.surface.faces.device,
    )


def _stream(device: torch.device) -> AbstractContextManager[Any]:
    """On a GPU, put Warp's work behind torch's in torch's own stream."""
    if device.type == "cpu":
        return nullcontext()
    return wp.ScopedStream(wp.stream_from_torch(torch.cuda.current_stream(device)))


def _wrap(tensor: Tensor | None, dtype: Any, width: int) -> Any:
    """A contiguous tensor as a flat Warp array without a copy; None, or no items, as an array that is not there.

    The caller keeps the tensor until its kernels are launched; after that, on a GPU, the shared stream does.
    """
    if tensor is None or tensor.numel() == 0:
        return None
    where = "cpu" if tensor.device.type == "cpu" else str(tensor.device)
    return wp.array(ptr=tensor.data_ptr(), dtype=dtype, shape=tensor.numel() // width, device=where)


def _vectors(tensor: Tensor | None) -> Any:
    return _wrap(tensor, wp.vec3d, 3)


def _numbers(tensor: Tensor | None) -> Any:
    return _wrap(tensor, wp.float64, 1)


def _keys(tensor: Tensor) -> Any:
    return _wrap(tensor, wp.uint64, 1)
