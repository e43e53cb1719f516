"""The same images from PyTorch3D, for losses that want its soft silhouettes. PyTorch3D's axes exist in this file only.

PyTorch3D's camera looks along +z with +x to the left and +y up; its normalised image has +-1 at the ends of the shorter
side. Vertices are handed over in its camera frame, so that its cameras keep the identity as pose and gradients of pose,
scale and vertices take the way of ordinary torch operations.

Written against the documented interface of PyTorch3D 0.7.9 and not run by the authors, who had no build of it: see that
its images lie on those of :func:`dexman_pose.render.render` before trusting it (``tests/render`` compares the two
where PyTorch3D is installed).
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from dexman_pose.data.camera import Camera
from dexman_pose.data.mesh import Mesh
from dexman_pose.errors import InputError, MissingExtraError
from dexman_pose.render import _inputs
from dexman_pose.render._torch_inputs import as_tensor, factors, per_vertex, resized
from dexman_pose.render.functional import Images

Tensor = torch.Tensor

INSTALL = 'pip install --no-build-isolation "git+https://github.com/facebookresearch/pytorch3d.git@v0.7.9"'

_NEGLIGIBLE = 1e-4  # coverage beyond which a soft silhouette is cut off


def render_pytorch3d(
    mesh: Mesh,
    camera_from_object: ArrayLike | Tensor,
    camera: Camera,
    size: tuple[int, int] | None = None,
    *,
    near: float = 0.01,
    scale: ArrayLike | Tensor | None = None,
    vertices: Tensor | None = None,
    colors: Tensor | None = None,
    K: ArrayLike | Tensor | None = None,
    softness: float = 0.5,
    faces_per_pixel: int = 50,
) -> Images:
    """Render through PyTorch3D; arguments as for :func:`dexman_pose.render.render` unless said otherwise.

    The silhouette is that of the soft rasteriser (Liu et al., ICCV 2019); depth, normal and colour come from a second,
    hard pass at pixel centres, as in ``render``. Textures are not supported: a textured mesh without ``colors`` is
    grey.

    Args:
        mesh: metres.
        camera_from_object: (4, 4) or (B, 4, 4).
        camera: pinhole; its skew must be zero.
        size: (height, width) in pixels.
        near: metres.
        scale: factors on the vertices.
        vertices: (V, 3).
        colors: (V, 3) in 0..1.
        K: (3, 3) or (B, 3, 3).
        softness: distance in pixels at which the silhouette of a face has fallen from 1/2 to about 1/4. Silhouettes
            of neighbouring faces add up: the object's comes out wider than it is, by about this much.
        faces_per_pixel: faces that may add to one pixel's silhouette.

    Raises:
        MissingExtraError: PyTorch3D cannot be imported; the message says how to install it.
        InputError: wrong shapes, NaN, a camera with skew.
    """
    renderer, structures, ops = (_pytorch3d(name) for name in ("renderer", "structures", "ops"))
    width, height = _inputs.image_size(*(camera.width, camera.height) if size is None else (size[1], size[0]))
    poses = _inputs.as_array(camera_from_object, "camera_from_object")
    batch = len(_inputs.poses(poses))
    device = camera_from_object.device if isinstance(camera_from_object, Tensor) else torch.device("cpu")
    intrinsics = resized(camera.K if K is None else K, camera, width, height)
    if (_inputs.intrinsics(_inputs.as_array(intrinsics, "K"), batch)[:, 0, 1] != 0.0).any():
        raise InputError("PyTorch3D's cameras have no skew: K[0, 1] must be 0")
    shape = _shape(mesh, vertices, scale, device)
    pose = as_tensor(camera_from_object, device).reshape(-1, 4, 4)
    points = shape @ pose[:, :3, :3].transpose(1, 2) + pose[:, None, :3, 3]
    faces = torch.as_tensor(mesh.faces.astype(np.int64), device=device)
    meshes = structures.Meshes(list(_flipped(points).float()), [faces] * batch)
    k = as_tensor(intrinsics, device).expand(batch, 3, 3).float()
    cameras = renderer.PerspectiveCameras(**_ndc(k, width, height), device=device)
    mask = _silhouette(renderer, meshes, cameras, (height, width), near, softness, faces_per_pixel)
    hard = _rasterize(renderer, meshes, cameras, image_size=(height, width), z_clip_value=near)
    paint = _paint(mesh, colors, device).float()
    images = _attributes(ops, hard, points.float(), faces, paint)
    return Images(*(i if poses.ndim == 3 else i[0] for i in (mask, *images)))


def _pytorch3d(name: str) -> Any:
    """A module of PyTorch3D, or an error that says how to get it."""
    try:
        return importlib.import_module(f"pytorch3d.{name}")
    except ImportError as error:
        raise MissingExtraError(
            f"the backend 'pytorch3d' needs PyTorch3D, which cannot be imported here ({error}). "
            f"It is built for the torch that is installed: {INSTALL}"
        ) from error


def _shape(
    mesh: Mesh, vertices: Tensor | None, scale: ArrayLike | Tensor | None, device: torch.device
) -> Tensor:
    """Vertices (V, 3), float64, scaled."""
    own = as_tensor(mesh.vertices, device)
    shape = own if vertices is None else per_vertex(vertices, "vertices", mesh, device)
    return shape if scale is None else shape * factors(scale, device)


def _paint(mesh: Mesh, colors: Tensor | None, device: torch.device) -> Tensor:
    """Vertex colours (V, 3) in 0..1."""
    if colors is not None:
        return per_vertex(colors, "colors", mesh, device)
    if mesh.vertex_colors is not None and mesh.texture is None:
        return as_tensor(mesh.vertex_colors / 255.0, device)
    return torch.full(mesh.vertices.shape, 0.5, dtype=torch.float64, device=device)


def _flipped(points: Tensor) -> Tensor:
    """OpenCV camera axes to PyTorch3D's, or back: x and y change sign."""
    return points * points.new_tensor([-1.0, -1.0, 1.0])


def _ndc(k: Tensor, width: int, height: int) -> dict[str, Tensor]:
    """Intrinsics (B, 3, 3) in pixels as focal length and principal point of PyTorch3D's normalised image.

    There x = f X / Z + p with X to the left: pixel u, whose centre lies u + 1/2 from the left border, is at
    x = (width / 2 - u - 1/2) / s, s being half the shorter side. Likewise for y.
    """
    half = 0.5 * min(width, height)
    middle = k.new_tensor([0.5 * width, 0.5 * height])
    return {
        "focal_length": torch.stack([k[:, 0, 0], k[:, 1, 1]], 1) / half,
        "principal_point": (middle - k[:, :2, 2] - 0.5) / half,
    }


def _rasterize(renderer: Any, meshes: Any, cameras: Any, **settings: Any) -> Any:
    """PyTorch3D's fragments."""
    chosen = renderer.RasterizationSettings(**settings)
    return renderer.MeshRasterizer(cameras=cameras, raster_settings=chosen)(meshes)


def _silhouette(
    renderer: Any,
    meshes: Any,
    cameras: Any,
    size: tuple[int, int],
    near: float,
    softness: float,
    faces_per_pixel: int,
) -> Tensor:
    """Soft coverage (B, H, W): sigmoid(-d^2 / sigma) of the distance d to each face, combined."""
    sigma = (softness * 2.0 / min(size)) ** 2
    fragments = _rasterize(
        renderer,
        meshes,
        cameras,
        image_size=size,
        blur_radius=float(np.log(1.0 / _NEGLIGIBLE - 1.0)) * sigma,
        faces_per_pixel=faces_per_pixel,
        perspective_correct=False,  # its gradient is not finite at faces seen edge-on
        z_clip_value=near,
    )
    blend = renderer.BlendParams(sigma=sigma)
    rgba: Tensor = renderer.SoftSilhouetteShader(blend_params=blend)(fragments, meshes)
    return rgba[..., 3]


def _attributes(
    ops: Any, fragments: Any, points: Tensor, faces: Tensor, colors: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Depth, normal (OpenCV camera axes) and colour of the nearest face at every pixel centre."""
    batch = len(points)
    seen = fragments.pix_to_face[..., 0] >= 0
    corners = points[:, faces].reshape(-1, 3, 3)
    normal = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal = torch.nn.functional.normalize(normal, dim=1)
    away = (normal * corners[:, 0]).sum(1, keepdim=True) > 0
    normal = torch.where(away, -normal, normal)[:, None].expand(-1, 3, 3)
    rgb = colors[faces].repeat(batch, 1, 1)
    both = ops.interpolate_face_attributes(
        fragments.pix_to_face, fragments.bary_coords, torch.cat([normal, rgb], 2)
    )[..., 0, :]
    depth = torch.where(seen, fragments.zbuf[..., 0], 0.0)
    both = torch.where(seen[..., None], both, 0.0)
    return depth, both[..., :3], both[..., 3:]
