"""Inputs of differentiable renderers as double-precision tensors that pass gradients on to what was given."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike

from dexman_pose.arrays import Array
from dexman_pose.data.camera import Camera
from dexman_pose.data.mesh import Mesh
from dexman_pose.errors import InputError
from dexman_pose.render import _inputs

Tensor = torch.Tensor


def as_tensor(value: ArrayLike | Tensor, device: torch.device, name: str = "values") -> Tensor:
    """A float64 tensor on a device that passes gradients on to ``value``."""
    if isinstance(value, Tensor):
        if value.is_complex():
            raise InputError(f"{name} holds complex numbers; give real ones")
        return value.to(device=device, dtype=torch.float64)
    return torch.tensor(_inputs.as_array(value, name), device=device)


def per_vertex(value: ArrayLike | Tensor, name: str, mesh: Mesh, device: torch.device) -> Tensor:
    """Values of every vertex (V, 3), float64 and finite."""
    out = as_tensor(value, device, name)
    if out.shape != mesh.vertices.shape:
        raise InputError(
            f"{name} must have shape {mesh.vertices.shape}, a row per vertex, but got {tuple(out.shape)}"
        )
    if not torch.isfinite(out).all():
        raise InputError(f"{name} holds NaN or infinity")
    return out


def factors(value: ArrayLike | Tensor, device: torch.device) -> Tensor:
    """Positive factors that broadcast against (V, 3)."""
    numbers = _inputs.as_array(value, "scale")
    if numbers.shape not in ((), (1,), (3,)) or (numbers <= 0.0).any():
        raise InputError(f"scale must be a positive number or three of them, but got {numbers.tolist()}")
    return as_tensor(value, device)


def resized(value: ArrayLike | Tensor, camera: Camera, width: int, height: int) -> Array | Tensor:
    """Intrinsics for an image of the camera's size turned into those of another size, with their gradient."""
    given = value if isinstance(value, Tensor) else _inputs.as_array(value, "K")
    if given.shape[-2:] != (3, 3) or given.ndim > 3:
        raise InputError(f"K must have shape (3, 3) or (B, 3, 3), but got {tuple(given.shape)}")
    change = np.diag([width / camera.width, height / camera.height, 1.0])
    change[0, 2], change[1, 2] = 0.5 * change[0, 0] - 0.5, 0.5 * change[1, 1] - 0.5
    if isinstance(value, Tensor):
        out: Tensor = as_tensor(change, value.device) @ as_tensor(value, value.device, "K")
        return out
    return np.asarray(change @ given)
