"""Pictures as networks want them, and pixels of one size in the frame of another, by the rule of pixel centres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array

if TYPE_CHECKING:
    import torch

MEAN = (0.485, 0.456, 0.406)
"""Mean of red, green and blue over ImageNet, of pictures in 0..1."""
DEVIATION = (0.229, 0.224, 0.225)
"""Standard deviation of the same."""


def picture_tensor(
    rgb: NDArray[np.uint8],
    size: tuple[int, int],
    device: str = "cpu",
    mean: tuple[float, float, float] = MEAN,
    deviation: tuple[float, float, float] = DEVIATION,
    way: str = "bilinear",
    averaged: bool = True,
) -> torch.Tensor:
    """Scale a picture and normalise its colours.

    Args:
        rgb: (H, W, 3).
        size: width and height in pixels that the network wants.
        device: where the tensor is going to lie.
        mean: of the colours, in 0..1.
        deviation: of the colours.
        way: bilinear or bicubic; both keep pixel centres.
        averaged: whether areas are averaged where the picture shrinks; networks that were trained without want none.

    Returns:
        (1, 3, height, width) float32.
    """
    import torch

    pixels = torch.from_numpy(np.ascontiguousarray(rgb)).to(device).permute(2, 0, 1)[None].float() / 255.0
    if (rgb.shape[1], rgb.shape[0]) != size:
        pixels = torch.nn.functional.interpolate(
            pixels, size=(size[1], size[0]), mode=way, align_corners=False, antialias=averaged
        )
    shift, scale = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (mean, deviation))
    return (pixels - shift) / scale


def scaled_field(field: torch.Tensor, size: tuple[int, int]) -> NDArray[np.float32]:
    """Bring a field of values, logits or depth, to the size of a picture; pixel centres are kept.

    Args:
        field: (h, w).
        size: width and height in pixels.

    Returns:
        (height, width).
    """
    import torch

    out = torch.nn.functional.interpolate(
        field[None, None].float(), size=(size[1], size[0]), mode="bilinear", align_corners=False
    )
    return out[0, 0].detach().cpu().numpy()


def moved_pixels(pixels: Array, from_size: tuple[int, int], to_size: tuple[int, int]) -> Array:
    """Places in a picture of one size, in the same picture of another size: centres of pixels stay where they are.

    Args:
        pixels: (..., 2) x, y.
        from_size: width and height of the picture they are in.
        to_size: width and height of the other one.
    """
    scale = np.asarray(to_size, float) / np.asarray(from_size, float)
    return (np.asarray(pixels, float) + 0.5) * scale - 0.5
