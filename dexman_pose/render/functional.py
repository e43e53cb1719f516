"""``render()``: a posed mesh as torch images, through a camera object, differentiable where a gradient is asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import torch
from numpy.typing import ArrayLike

from dexman_pose.data.accept import CameraLike, as_camera
from dexman_pose.data.camera import Camera
from dexman_pose.data.mesh import Mesh
from dexman_pose.data.numbers import instance
from dexman_pose.errors import InputError
from dexman_pose.render import _inputs
from dexman_pose.render._torch_inputs import as_tensor, factors, per_vertex, resized
from dexman_pose.render.autograd import Surface, View, render_tensors
from dexman_pose.render.rasterizer import Rasterizer

_KEPT = 16  # rasterisers kept ready per thread

Made = TypeVar("Made")
Tensor = torch.Tensor


class Images(NamedTuple):
    """What :func:`render` returns; the leading batch dimension is there when the poses had one.

    Attributes:
        mask: ([B,] H, W) bool; where a gradient is asked for, float32 in [0, 1], antialiased along the outline.
        depth: ([B,] H, W) float32, metres, 0 at pixels whose centre shows no surface.
        normal: ([B,] H, W, 3) float32, unit, camera frame, facing the camera; 0 where the depth is 0.
        colour: ([B,] H, W, 3) float32, RGB in 0..1; 0 where the depth is 0.
    """

    mask: torch.Tensor
    depth: torch.Tensor
    normal: torch.Tensor
    colour: torch.Tensor

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.mask.shape))
        gradient = ", with gradients" if any(image.requires_grad for image in self) else ""
        return f"Images(mask, depth, normal, colour of {shape} on {self.mask.device}{gradient})"


class _Cache(threading.local, Generic[Made]):
    """What was made last from meshes in this thread. Each holds its mesh, so its identity stays taken."""

    def __init__(self, make: Callable[[Mesh, str], Made]) -> None:
        self._make = make
        self._kept: OrderedDict[tuple[int, str], Made] = OrderedDict()

    def get(self, mesh: Mesh, device: str) -> Made:
        key = (id(mesh), device)
        if key not in self._kept:
            self._kept[key] = self._make(mesh, device)
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]


_rasterizers: _Cache[Rasterizer] = _Cache(Rasterizer)
_surfaces: _Cache[Surface] = _Cache(lambda mesh, device: Surface(mesh, torch.device(device)))


def rasterizer_of(mesh: Mesh, device: str = "cpu") -> Rasterizer:
    """The rasteriser of a mesh object, built at its first use in this thread and kept for the next ones.

    The mesh is told by identity, not by content: do not write into the arrays of a mesh that was rendered.
    """
    return _rasterizers.get(mesh, device)


def render(
    mesh: Mesh,
    camera_from_object: ArrayLike | Tensor,
    camera: CameraLike,
    size: tuple[int, int] | None = None,
    *,
    near: float = 0.01,
    scale: ArrayLike | Tensor | None = None,
    vertices: ArrayLike | Tensor | None = None,
    colors: ArrayLike | Tensor | None = None,
    texture: ArrayLike | Tensor | None = None,
    K: ArrayLike | Tensor | None = None,
) -> Images:
    """Render a mesh from one pose or many, with gradients for every tensor that requires them.

    When nothing requires a gradient (or inside ``torch.no_grad()``), the mask is bool and nothing is antialiased.
    Otherwise the mask is float32 in [0, 1]: where an outline passes between a covered pixel and an uncovered
    neighbour, the pair's coverage follows linearly where it crosses the segment between the two centres. The
    gradient is exactly that of the returned images:

    - the mask carries what moving outlines change, and nothing else;
    - depth, normal and colour are those of the surface point at each covered pixel centre. Their gradients follow
      the surface under the pixel. They are not blended: that another pixel becomes covered, or that a nearer part
      of the mesh moves in front, is not in their gradient.

    An outline made by the near plane or the image border is not antialiased. Meshes without colours are mid grey,
    without gradient.

    Args:
        mesh: the mesh, metres. What is made from it is kept for later calls with the same mesh object.
        camera_from_object: (4, 4) or (B, 4, 4), numpy or torch, metres. Its upper 12 numbers count as free: the
            gradient is not projected to rotations. A tensor on a CUDA device is rendered there.
        camera: the camera, or with ``size`` a 3x3 matrix or a camera file; without lens distortion, for this is the
            picture of the ideal pinhole. ``camera.without_lens()`` is the pinhole of the same K.
        size: (height, width) of the images in pixels, the camera being rescaled to it; None for the
            camera's own.
        near: surface nearer than this depth, in metres, is cut away.
        scale: a number or (3,) positive factors on the vertices about the object frame's origin, before the pose.
        vertices: (V, 3) metres, in place of the mesh's.
        colors: (V, 3) RGB in 0..1 per vertex, in place of the mesh's colours or texture.
        texture: (H, W, 3) RGB in 0..1, in place of the mesh's texture; the mesh needs ``uv``.
        K: (3, 3) or (B, 3, 3) intrinsics in pixels, in place of the camera's, for an image of the camera's size.
            The gradient reaches focal lengths, skew and principal point.

    Returns:
        Mask, depth, normal and colour on the device of the pose, sampled at pixel centres. Gradients are computed
        in double precision, whatever the type of the inputs.

    Raises:
        InputError: wrong shapes, NaN, a size that is not positive, a camera with lens distortion.
    """
    instance(mesh, Mesh, "mesh", "load one with dexman_pose.load_mesh(path)")
    given = None if size is None else _inputs.height_and_width(size)
    camera = camera if isinstance(camera, Camera) else as_camera(camera, given)
    if camera.distortion is not None:
        camera.require_pinhole("render")
    height, width = given or (camera.height, camera.width)
    shape = _inputs.image_size(width, height)
    near = _inputs.near_plane(near)
    instead = _Instead(scale, vertices, colors, texture)
    tensors = [t for t in (camera_from_object, K, *instead) if isinstance(t, Tensor)]
    device = tensors[0].device if tensors else torch.device("cpu")
    if not isinstance(camera_from_object, Tensor):
        camera_from_object = _inputs.as_array(camera_from_object, "camera_from_object")
    single = camera_from_object.ndim == 2
    matrices = resized(camera.K if K is None else K, camera, *shape)
    needs_gradient = torch.is_grad_enabled() and any(t.requires_grad for t in tensors)
    if not needs_gradient and all(x is None for x in instead):
        images = _plain(mesh, camera_from_object, matrices, shape, near, device)
    else:
        images = Images(*_differentiable(mesh, camera_from_object, matrices, shape, near, device, instead))
        if not needs_gradient:
            images = images._replace(mask=images.depth > 0.0)
    return Images(*(image[0] for image in images)) if single else images


class _Instead(NamedTuple):
    """What a caller wants in place of the mesh's own; see :func:`render`."""

    scale: ArrayLike | Tensor | None
    vertices: ArrayLike | Tensor | None
    colors: ArrayLike | Tensor | None
    texture: ArrayLike | Tensor | None


def _plain(
    mesh: Mesh,
    camera_from_object: ArrayLike | Tensor,
    k: ArrayLike | Tensor,
    size: tuple[int, int],
    near: float,
    device: torch.device,
) -> Images:
    """Batched images from the rasteriser, without a gradient."""
    poses = _inputs.as_array(camera_from_object, "camera_from_object")
    result = rasterizer_of(mesh, str(device)).render(
        poses, _inputs.as_array(k, "K"), *size, attributes=("depth", "normal", "color"), near=near
    )
    arrays = (result.mask, result.depth, result.normal, result.color)
    return Images(*(torch.from_numpy(a).to(device) for a in arrays if a is not None))


def render_double(
    mesh: Mesh,
    camera_from_object: ArrayLike | Tensor,
    k: ArrayLike | Tensor,
    size: tuple[int, int],
    near: float,
    device: torch.device,
    instead: _Instead,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Batched differentiable images in double precision; ``k`` belongs to an image of ``size`` (width, height)."""
    return _differentiable(mesh, camera_from_object, k, size, near, device, instead, torch.float64)


def _differentiable(
    mesh: Mesh,
    camera_from_object: ArrayLike | Tensor,
    k: ArrayLike | Tensor,
    size: tuple[int, int],
    near: float,
    device: torch.device,
    instead: _Instead,
    precision: torch.dtype = torch.float32,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Batched differentiable images, computed in double precision and stored in ``precision``."""
    batch = _inputs.poses(_inputs.as_array(camera_from_object, "camera_from_object"))
    _inputs.intrinsics(_inputs.as_array(k, "K"), len(batch))
    if 3 * len(batch) * size[0] * size[1] >= 2**31 or len(batch) * len(mesh.vertices) >= 2**31:
        raise InputError(
            f"a gradient through {len(batch)} images of {size[0]}x{size[1]} at once needs too much room: take fewer"
        )
    pose = as_tensor(camera_from_object, device).reshape(-1, 4, 4)
    intrinsics = as_tensor(k, device).expand(len(batch), 3, 3)
    surface = _surfaces.get(mesh, str(device))
    shape, hull = surface.vertices, surface.hull
    if instead.vertices is not None:
        shape = per_vertex(instead.vertices, "vertices", mesh, device)
        hull = shape[:0]  # of vertices that were moved, backs may be seen
    if instead.scale is not None:
        by = factors(instead.scale, device)
        shape, hull = shape * by, hull * by
    paint = _paint(surface, instead.colors, instead.texture)
    points = shape @ pose[:, :3, :3].transpose(1, 2) + pose[:, None, :3, 3]
    projection = (intrinsics @ pose[:, :3]).detach()
    view = View(surface, shape.detach(), hull.detach(), projection, near, *size, precision)
    return render_tensors(view, points, intrinsics, *paint)


def _paint(
    surface: Surface, colors: ArrayLike | Tensor | None, texture: ArrayLike | Tensor | None
) -> tuple[Tensor | None, Tensor | None]:
    """Vertex colours and texture to draw with."""
    if colors is not None:
        return per_vertex(colors, "colors", surface.mesh, surface.device), None
    if texture is None:
        return surface.colors, None
    if surface.mesh.uv is None:
        raise InputError("texture needs a mesh with texture coordinates, but this one has no uv")
    image = as_tensor(texture, surface.device, "texture")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape or not torch.isfinite(image).all():
        raise InputError(f"texture must be (H, W, 3) finite numbers, but has shape {tuple(image.shape)}")
    return None, image
