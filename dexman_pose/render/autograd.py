"""The differentiable rasteriser: a torch function whose forward and backward passes run Warp kernels.

Which face a pixel shows is decided by the kernels of the plain rasteriser; here its values, the antialiased mask, and
the derivatives of both are computed, from points in the camera frame, in double precision. Everything between those
points and a caller's pose, scale, vertices or intrinsics is left to torch.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from dexman_pose._warp import wp
from dexman_pose.data.mesh import Mesh
from dexman_pose.render import _raster_kernels as raster
from dexman_pose.render._shade_kernels import COLOR_GREY, COLOR_TEXTURE, COLOR_VERTEX
from dexman_pose.render._topology import edges_of, looks_outwards
from dexman_pose.render.gradient import blend_kernels as blending
from dexman_pose.render.gradient import box_kernels as boxing
from dexman_pose.render.gradient import edge_kernels as edges
from dexman_pose.render.gradient import pixel_kernels as shading
from dexman_pose.render.gradient.color_kernels import Paint

Tensor = torch.Tensor

_CUDA_THREADS = 1 << 18  # as many as a launch over faces should have at least
_OUTLINE_THREADS = 1 << 16  # pairs of the outline go round by round beyond
_KINDS = {torch.float32: wp.float32, torch.float64: wp.float64}


class Surface:
    """What of a mesh does not change from call to call, on one device.

    Attributes:
        mesh: the mesh.
        device: torch device.
        vertices: (V, 3) float64.
        hull: (8, 3) float64, the corners of the box around a closed mesh whose faces look outwards; (0, 3) of any
            other.
        colors: (V, 3) float64 vertex colours in 0..1, or None.
    """

    def __init__(self, mesh: Mesh, device: torch.device) -> None:
        self.mesh = mesh
        self.device = device
        where = str(wp.device_from_torch(device))
        self.faces = wp.array(mesh.faces, dtype=wp.vec3i, device=where)
        self.edges = wp.array(edges_of(mesh.faces), dtype=wp.vec4i, device=where)
        self.vertices = torch.as_tensor(mesh.vertices, dtype=torch.float64, device=device)
        self.hull = self.vertices[:0]
        if looks_outwards(mesh.vertices, mesh.faces):
            self.hull = torch.cartesian_prod(*torch.stack([self.vertices.amin(0), self.vertices.amax(0)], 1))
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
        paint = Paint()
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
        hull: (N, 3) float64, points around a closed mesh whose faces look outwards, so that their backs are hidden;
            none for any other.
        projection: (B, 3, 4) float64, image points from ``vertices``.
        near: near plane in metres.
        width: pixels.
        height: pixels.
        precision: type of the images, ``torch.float32`` or ``torch.float64``.
    """

    surface: Surface
    vertices: Tensor
    hull: Tensor
    projection: Tensor
    near: float
    width: int
    height: int
    precision: torch.dtype

    @property
    def batch(self) -> int:
        """Number of images."""
        return len(self.projection)

    @property
    def pixels(self) -> int:
        """Pixels of one image."""
        return self.width * self.height

    def threads(self, items: int) -> int:
        """Threads per image: all items on a GPU, one on the CPU, where kernels loop."""
        return 1 if self.surface.device.type == "cpu" else max(1, items)

    @property
    def grid(self) -> tuple[int, int]:
        """Threads over the rows and over the parts of a row."""
        return self.threads(self.height), self.threads(self.width)

    @property
    def parts(self) -> tuple[int, int]:
        """Rows from one of a thread to its next, and pixels of its part of a row."""
        rows, columns = self.grid
        return rows, self.width // columns


class Drawn(NamedTuple):
    """Which face every pixel shows, and where the outline runs, as the kernels take it.

    Attributes:
        drawing: points, keys and boxes.
        outline: edges and the pairs of pixels that they pass between.
        raw: sums of the mask at the pixels of the outline.
        tensors: whose memory the others point to.
    """

    drawing: Any
    outline: Any
    raw: Any
    tensors: tuple[Tensor, ...]


def render_tensors(
    view: View, points: Tensor, intrinsics: Tensor, colors: Tensor | None, texture: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Antialiased mask, depth, normal and colour, of the view's precision and differentiable.

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
    mask, depth, normal, color = render(points, intrinsics, colors, texture, view)
    return mask, depth, normal, color


class _Render(torch.autograd.Function):
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
        mask, depth, normal, color = (
            torch.zeros(size, dtype=view.precision, device=points.device)
            for size in (shape, shape, (*shape, 3), (*shape, 3))
        )
        with _stream(points.device):
            drawn = _visible(view, points, intrinsics)
            kind = _KINDS[view.precision]
            _launch(
                shading.SHADE[kind],
                view,
                (view.batch, *view.grid),
                (drawn.drawing, *view.parts, view.surface.faces, view.surface.paint(colors, texture))
                + tuple(_wrap(image, kind, 1) for image in (mask, depth, normal, color)),
            )
            _launch_outline(blending.add_shares, view, drawn, ())
            _launch_outline(blending.CUT_MASK[kind], view, drawn, (_wrap(mask, kind, 1),))
        ctx.drawn = drawn
        ctx.save_for_backward(points, intrinsics, colors, texture)
        return mask, depth, normal, color

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        points, intrinsics, colors, texture = ctx.saved_tensors
        view, drawn = ctx.view, ctx.drawn
        kind = _KINDS[view.precision]
        mask, depth, normal, color = (None if g is None else g.contiguous() for g in gradients)
        d_image, d_points = torch.zeros_like(points), None
        if normal is not None:
            d_points = torch.zeros_like(points)
        d_colors = torch.zeros_like(colors) if ctx.needs_input_grad[2] and color is not None else None
        d_texture = torch.zeros_like(texture) if ctx.needs_input_grad[3] and color is not None else None
        with _stream(points.device):
            if depth is not None or normal is not None or color is not None:
                _launch(
                    shading.SHADE_BACKWARD[kind],
                    view,
                    (view.batch, *view.grid),
                    (drawn.drawing, *view.parts, view.surface.faces, view.surface.paint(colors, texture))
                    + tuple(_wrap(image, kind, 1) for image in (depth, normal, color))
                    + tuple(_vectors(wanted) for wanted in (d_image, d_points, d_colors, d_texture)),
                )
            if mask is not None:
                given = _wrap(mask, kind, 1), _vectors(d_image)
                _launch_outline(blending.BLEND_BACKWARD[kind], view, drawn, given)
        # Image points are K x: the chain to x and to K, whose lower triangle is fixed.
        to_points = d_image @ intrinsics
        if d_points is not None:
            to_points += d_points
        to_intrinsics = torch.triu(d_image.transpose(1, 2) @ points) if ctx.needs_input_grad[1] else None
        if to_intrinsics is not None:
            to_intrinsics[:, 2, 2] = 0.0
        return to_points, to_intrinsics, d_colors, d_texture, None


def _visible(view: View, points: Tensor, intrinsics: Tensor) -> Drawn:
    """Draw all faces; find the edge of the outline that passes between neighbouring pixels."""
    surface, vertices = view.surface, len(view.vertices)
    drawn = _room(view, points, intrinsics)
    drawing, outline = drawn.drawing, drawn.outline
    screen_room = torch.empty((view.batch * vertices, 3), dtype=torch.float64, device=points.device)
    screen = _vectors(screen_room)
    vertices_room, matrices_room = view.vertices.contiguous(), view.projection.contiguous()
    corners, matrices = _vectors(vertices_room), _numbers(matrices_room)
    faces, size = len(surface.faces), (view.width, view.height)
    per_image = (view.threads(vertices), view.threads(faces), view.threads(len(surface.edges)))
    rows = 1
    if points.device.type != "cpu":  # few faces, large ones perhaps: spread the rows of each over threads
        rows = max(1, min(view.height, 32, _CUDA_THREADS // max(1, view.batch * faces)))
    _launch(
        raster.project_vertices,
        view,
        (view.batch, per_image[0]),
        (corners, matrices, view.near, per_image[0], screen),
    )
    _launch(
        boxing.find_boxes,
        view,
        (view.batch, per_image[0]),
        (screen, vertices, *size, per_image[0], drawing.boxes),
    )
    _launch(
        boxing.clear_boxes,
        view,
        (view.batch, *view.grid),
        (drawing.boxes, *size, *view.parts, drawing.keys, outline.crossings),
    )
    _launch(
        raster.rasterize,
        view,
        (view.batch, per_image[1], rows),
        (corners, surface.faces, _vectors(view.hull), matrices, screen, view.near, *size)
        + (per_image[1], rows, True, None, drawing.keys),
    )
    _launch(
        edges.find_crossings,
        view,
        (view.batch, per_image[2]),
        (drawing.points, drawing.intrinsics, surface.edges, screen, vertices, view.near, *size)
        + (per_image[2], drawing.keys, outline.crossings, outline.pairs, outline.count, drawn.raw),
    )
    return drawn


def _room(view: View, points: Tensor, intrinsics: Tensor) -> Drawn:
    """Arrays for what is drawn, empty boxes; nothing of the size of an image is cleared."""
    pixels, device = view.batch * view.pixels, points.device
    keys = torch.empty(pixels + raster.LANES - 1, dtype=torch.int64, device=device)
    nothing = torch.tensor([view.width, view.height, 0, 0], dtype=torch.int32, device=device)
    boxes = nothing.repeat(view.batch)
    crossings = torch.empty(2 * pixels, dtype=torch.int64, device=device)
    pairs = torch.empty(2 * pixels, dtype=torch.int32, device=device)
    count = torch.zeros(1, dtype=torch.int32, device=device)
    raw = torch.empty(pixels, dtype=torch.float64, device=device)
    drawing = edges.Drawing()
    drawing.points, drawing.intrinsics = _vectors(points), _numbers(intrinsics)
    drawing.keys, drawing.boxes = _keys(keys), _integers(boxes)
    drawing.vertices, drawing.width, drawing.pixels = len(view.vertices), view.width, view.pixels
    outline = blending.Outline()
    outline.edges, outline.crossings = view.surface.edges, _keys(crossings)
    outline.pairs, outline.count = _integers(pairs), _integers(count)
    tensors = (points, intrinsics, keys, boxes, crossings, pairs, count, raw)
    return Drawn(drawing, outline, _numbers(raw), tensors)


def _launch(kernel: Any, view: View, dim: tuple[int, ...], inputs: tuple[Any, ...]) -> None:
    wp.launch(kernel, dim=dim, inputs=inputs, device=view.surface.faces.device)


def _launch_outline(kernel: Any, view: View, drawn: Drawn, arguments: tuple[Any, ...]) -> None:
    """Launch a kernel over the pairs of the outline, whose number only the device knows."""
    threads = min(view.threads(2 * view.batch * view.pixels), _OUTLINE_THREADS)
    _launch(kernel, view, (threads,), (drawn.drawing, drawn.outline, threads, drawn.raw, *arguments))


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


def _integers(tensor: Tensor) -> Any:
    return _wrap(tensor, wp.int32, 1)
