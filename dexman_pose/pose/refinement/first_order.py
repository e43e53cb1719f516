"""First-order refinement: Adam on one pose through the differentiable renderer, with a loss that can be exchanged.

The second-order refinement is faster and more precise; this one is for losses that have no residuals to linearise, for
PyTorch3D's soft silhouettes, and as a second opinion.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from dexman_pose.arrays import Array
from dexman_pose.data import Camera, Mesh, _check
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.geometry import so3_exp
from dexman_pose.imaging.masks import crop_box, mask_box
from dexman_pose.imaging.resize import Way, resize_picture
from dexman_pose.optimize.arrow_system import POSE_SIZE
from dexman_pose.pose.observation.crop import CropObservation, gather
from dexman_pose.pose.observation.view import in_front
from dexman_pose.pose.refinement.options import ADAM
from dexman_pose.render import Images, render

Tensor = torch.Tensor
Loss = Callable[[Images, "Target"], Tensor]

_NO_CONTRAST = 1e-6  # squared deviations from the mean colour, per pixel, that rounding makes
_ROUNDING = 1e-9  # of a loss
_OWN, _UNKNOWN = 1, 255


class AdamResult(NamedTuple):
    """Outcome of :func:`refine_adam`.

    Attributes:
        pose: (4, 4) camera from object, metres: the best of all iterations.
        loss: its loss.
        converged: the loss had stopped falling: less than 1 % came in the last fifth of the iterations.
        iterations: iterations done.
    """

    pose: Array
    loss: float
    converged: bool
    iterations: int


@dataclass(frozen=True)
class Target:
    """What renderings are compared with, in a crop, as tensors.

    Attributes:
        camera: of the crop.
        mask: (h, w) share of the pixel that is mask, 0 to 1.
        known: (h, w) 1 where the mask says something, 0 where something else may hide the object.
        radius: of the mesh in metres, to which depth differences are related.
        depth: (h, w) metres, 0 where not measured; or None.
        image: (h, w, 3) RGB in 0..1; or None.
    """

    camera: Camera
    mask: Tensor
    known: Tensor
    radius: float
    depth: Tensor | None = None
    image: Tensor | None = None


def refine_adam(
    mesh: Mesh,
    camera_from_object: ArrayLike,
    mask: NDArray[np.bool_],
    camera: Camera,
    *,
    image: NDArray[np.uint8] | None = None,
    depth: NDArray[np.float32] | None = None,
    unknown: NDArray[np.bool_] | None = None,
    iterations: int = 100,
    learning_rate: float = 0.05,
    max_side: int = 128,
    backend: Literal["warp", "pytorch3d"] = "warp",
    loss: Loss | None = None,
    device: str = "cpu",
) -> AdamResult:
    """Refine a pose that is roughly right (some ten degrees, a fifth of the object's size) by gradient descent.

    Args:
        mesh: metres.
        camera_from_object: (4, 4) start.
        mask: (H, W) bool, visible pixels of the object.
        camera: intrinsics of the picture.
        image: (H, W, 3) uint8 RGB; with it a coloured mesh is matched with the picture too.
        depth: (H, W) float32 metres, 0 where not measured.
        unknown: (H, W) bool, pixels where something else may hide the object.
        iterations: steps of Adam.
        learning_rate: of the first steps, in radians and in mesh radii.
        max_side: longest side in pixels of the crop that is compared.
        backend: ``warp`` for this package's renderer, ``pytorch3d`` for PyTorch3D's soft silhouettes.
        loss: called with the rendered images (h, w) and the target, gives a scalar; :func:`default_loss` when None.
        device: ``cpu`` or a CUDA device.

    Returns:
        Best pose, its loss, whether the loss came to rest, and iterations done; fewer than asked for when the
        loss has no gradient, as when the object is out of sight.

    Raises:
        InputError: sizes do not agree, the start is no rigid transform, an unknown backend.
        EstimationError: the mask is empty.
        MissingExtraError: PyTorch3D is asked for and not installed.
    """
    start = _check.rigid(np.asarray(camera_from_object, dtype=np.float64)[None], "camera_from_object")[0]
    if iterations < 1:
        raise InputError(f"iterations must be at least 1, but got {iterations}")
    draw = _renderer(backend)
    target = _target(mesh, start, mask, camera, image, depth, unknown, max_side, torch.device(device))
    return _descend(mesh, start, target, draw, loss or default_loss, iterations, learning_rate)


def default_loss(images: Images, target: Target) -> Tensor:
    """Squared mask difference per pixel of the mask, plus robust depth, plus half of one minus colour correlation.

    Args:
        images: (h, w) rendering of the crop.
        target: what was seen.
    """
    difference = (images.mask - target.mask).square() * target.known
    total = difference.sum() / (target.mask * target.known).sum().clamp_min(1.0)
    shared = (images.depth > 0) & (target.mask > 0.5)
    if target.depth is not None:
        total = total + depth_loss(images.depth, target.depth, shared, target.radius)
    if target.image is not None:
        total = total + ADAM.color_weight * color_loss(images.colour, target.image, shared)
    return total


def depth_loss(rendered: Tensor, measured: Tensor, shared: Tensor, radius: float) -> Tensor:
    """Mean difference in radii over measured pixels (h, w) of ``shared``, smooth around zero (pseudo-Huber)."""
    both = shared & (measured > 0)
    if not both.any():
        return rendered.new_zeros(())
    off = (rendered[both] - measured[both]) / radius
    return ((off.square() + ADAM.depth_corner**2).sqrt() - ADAM.depth_corner).mean()


def color_loss(rendered: Tensor, seen: Tensor, shared: Tensor) -> Tensor:
    """One minus the correlation of two pictures (h, w, 3) over ``shared`` pixels, each channel about its own mean.

    Correlation leaves open how bright the light is. Without contrast in either picture the loss is constant.
    """
    a, b = rendered[shared], seen[shared]
    if len(a) < 2:
        return rendered.new_zeros(())
    a, b = a - a.mean(0), b - b.mean(0)
    size = (a.square().sum() * b.square().sum()).sqrt()
    if size.item() < _NO_CONTRAST * len(a):
        return rendered.new_zeros(())
    return 1.0 - (a * b).sum() / size


def _renderer(backend: str) -> Callable[..., Images]:
    if backend == "warp":
        return render
    if backend == "pytorch3d":
        from dexman_pose.render.pytorch3d_backend import render_pytorch3d

        return render_pytorch3d
    raise InputError(f"unknown backend {backend!r}; there are: warp, pytorch3d")


def _target(
    mesh: Mesh,
    start: Array,
    mask: NDArray[np.bool_],
    camera: Camera,
    image: NDArray[np.uint8] | None,
    depth: NDArray[np.float32] | None,
    unknown: NDArray[np.bool_] | None,
    max_side: int,
    device: torch.device,
) -> Target:
    """The crop around the mask and the mesh at the start, as tensors."""
    shape = (camera.height, camera.width)
    for name, value in (("mask", mask), ("image", image), ("depth", depth), ("unknown", unknown)):
        if value is not None and value.shape[:2] != shape:
            raise InputError(f"{name} must have the camera's size {shape}, but has shape {value.shape}")
    labels = np.where(mask, _OWN, 0).astype(np.uint8)
    if unknown is not None:
        labels[unknown & ~mask] = _UNKNOWN
    box = mask_box(labels == _OWN)
    if box is None:
        raise EstimationError("refining needs a mask with at least one pixel, but this one is empty")
    around = crop_box([box, *_drawn_box(mesh, start, camera)], ADAM.margin)
    evidence = gather(labels, _OWN, camera, around, depth=depth, max_side=max_side)
    colored = mesh.texture is not None or mesh.vertex_colors is not None
    return Target(
        camera=evidence.camera,
        # Shares of pixels where the crop is reduced: steps of whole pixels would make false minima.
        mask=_cut_image(mask.astype(np.float32), evidence).to(device),
        known=torch.as_tensor(~evidence.unknown, dtype=torch.float32, device=device),
        radius=mesh.radius,
        depth=None if evidence.depth is None else torch.as_tensor(evidence.depth, device=device),
        image=None if image is None or not colored else _cut_image(image, evidence).to(device) / 255.0,
    )


def _drawn_box(mesh: Mesh, pose: Array, camera: Camera) -> list[Array]:
    """Where the mesh is drawn, cut to the image; nothing when part of it is behind the camera or all beside it."""
    points = mesh.vertices @ pose[:3, :3].T + pose[:3, 3]
    if not in_front(points):
        return []
    pixels = camera.project(points)
    limits = np.array([camera.width - 1.0, camera.height - 1.0])
    low, high = np.clip(pixels.min(0), 0, limits), np.clip(pixels.max(0), 0, limits)
    return [] if (high <= low).any() else [np.concatenate([low, high])]


def _cut_image(image: NDArray[Any], evidence: CropObservation) -> Tensor:
    """The crop of a picture, reduced as the evidence is, float32; beyond the image its border goes on."""
    height, width = evidence.size
    x0, y0 = evidence.origin
    across, down = (round(n / f) for n, f in zip((width, height), evidence.factors))
    x = np.clip(np.arange(x0, x0 + across), 0, image.shape[1] - 1)
    y = np.clip(np.arange(y0, y0 + down), 0, image.shape[0] - 1)
    cut = image[y[:, None], x[None]]
    if cut.shape[:2] != (height, width):
        cut = resize_picture(cut, (width, height), Way.AREA)
    return torch.from_numpy(np.asarray(cut, np.float32))


def _descend(
    mesh: Mesh,
    start: Array,
    target: Target,
    draw: Callable[..., Images],
    loss: Loss,
    iterations: int,
    rate: float,
) -> AdamResult:
    """Adam on a twist about the object's centre: metres over the mesh's radius, then radians, camera axes."""
    device = target.mask.device
    center = start[:3, :3] @ mesh.center + start[:3, 3]
    begin, about = torch.tensor(start, device=device), torch.tensor(center, device=device)
    twist = torch.zeros(POSE_SIZE, dtype=torch.float64, device=device, requires_grad=True)
    optimizer = torch.optim.Adam([twist], lr=rate, betas=ADAM.moments)
    losses: list[float] = []
    best, done = (math.inf, np.zeros(POSE_SIZE)), 0
    # Colours repeat: until outline and depth have brought the pose near, they may pull it to the wrong stripe.
    colored = 1 if target.image is None else 1 + iterations // 3
    for done in range(1, iterations + 1):
        optimizer.zero_grad()
        if done == colored:
            losses, best = [], (math.inf, np.zeros(POSE_SIZE))  # other losses than before do not compare
        images = draw(mesh, _moved(twist, begin, about, target.radius), target.camera)
        value = loss(images, target if done >= colored else replace(target, image=None))
        losses.append(value.item())
        if losses[-1] < best[0]:
            best = (losses[-1], twist.detach().cpu().numpy().copy())
        if value.requires_grad:
            (twist.grad,) = torch.autograd.grad(value, twist)
        if twist.grad is None or not twist.grad.any():
            break
        share = 0.5 * (1.0 + math.cos(math.pi * done / iterations))
        optimizer.param_groups[0]["lr"] = rate * (ADAM.last_rate + (1.0 - ADAM.last_rate) * share)
        optimizer.step()
    return AdamResult(_pose(best[1], start, center, target.radius), best[0], _at_rest(losses), done)


def _at_rest(losses: list[float]) -> bool:
    """Whether the last fifth of the iterations brought less than 1 %."""
    last = max(1, len(losses) // ADAM.last_part)
    if len(losses) < ADAM.least_iterations:
        return False
    return min(losses[-last:]) > (1.0 - ADAM.rest_gain) * min(losses[:-last]) - _ROUNDING


def _moved(twist: Tensor, start: Tensor, center: Tensor, radius: float) -> Tensor:
    """The pose moved by a twist, differentiable: rotation about ``center``, then translation in radii."""
    x, y, z = twist[3:]
    zero = torch.zeros_like(x)
    turn = torch.linalg.matrix_exp(torch.stack([zero, -z, y, z, zero, -x, -y, x, zero]).reshape(3, 3))
    shift = turn @ (start[:3, 3] - center) + center + radius * twist[:3]
    return torch.cat([torch.cat([turn @ start[:3, :3], shift[:, None]], 1), start[3:]])


def _pose(twist: Array, start: Array, center: Array, radius: float) -> Array:
    """The same in numpy."""
    turn = so3_exp(twist[3:])
    out = start.copy()
    out[:3, :3] = turn @ start[:3, :3]
    out[:3, 3] = turn @ (start[:3, 3] - center) + center + radius * twist[:3]
    return out
