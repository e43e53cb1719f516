"""What goes wrong with sensors and segmentation: image noise, ragged masks, depth with noise and holes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt

from dexman_pose.synthetic.scenes.textures import smooth_noise

FloatImage = NDArray[np.float32]
Labels = NDArray[np.uint8]

IMAGE_NOISE = 2.0
"""Standard deviation of the image noise in grey levels."""


def noisy_image(image: FloatImage, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture as the camera gives it: noise added, rounded."""
    noisy = image + IMAGE_NOISE * rng.standard_normal(image.shape, dtype=np.float32)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)


def noisy_labels(labels: Labels, rng: np.random.Generator, bite: int, angle: float) -> Labels:
    """Labels with a ragged object: boundary off by 2 to 4 pixels, small holes, and a bite or a leak of 5 to 10 %.

    Args:
        labels: (H, W), the object has label 1.
        rng: of this frame.
        bite: +1 for a blob too many, -1 for a chunk missing.
        angle: on which side of the object, radians; lets it creep from frame to frame.
    """
    mask = labels == 1
    area = int(mask.sum())
    if area < 50:
        return labels.copy()
    box, local = _around(mask, 24)
    inside, outside = distance_transform_edt(local), distance_transform_edt(~local)
    wobble = rng.uniform(1.4, 2.2) * smooth_noise(rng, local.shape, 14.0)
    ragged = inside - outside + np.clip(wobble, -4, 4) > 0.5
    ragged &= smooth_noise(rng, local.shape, 7.0) < 2.6
    blob = _blob(local, area * rng.uniform(0.05, 0.10), angle)
    ragged = ragged | blob if bite > 0 else ragged & ~blob
    out = labels.copy()
    out[mask] = 0
    part = out[box]
    part[ragged & (part != 255)] = 1
    return out


def _around(mask: NDArray[np.bool_], margin: int) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
    """The mask's rectangle with a margin, and the mask in it."""
    v, u = np.nonzero(mask)
    box = (
        slice(max(int(v.min()) - margin, 0), int(v.max()) + margin + 1),
        slice(max(int(u.min()) - margin, 0), int(u.max()) + margin + 1),
    )
    return box, mask[box]


def _blob(mask: NDArray[np.bool_], area: float, angle: float) -> NDArray[np.bool_]:
    """A disc at the mask's boundary, about half of it inside, whose inner half has about ``area`` pixels."""
    v, u = np.nonzero(mask)
    way = np.array([np.cos(angle), np.sin(angle)])
    edge = int(np.argmax((u - u.mean()) * way[0] + (v - v.mean()) * way[1]))
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    disc: NDArray[np.bool_] = (x - u[edge]) ** 2 + (y - v[edge]) ** 2 < 2 * area / np.pi
    return disc


def noisy_depth(depth: FloatImage, rng: np.random.Generator, sigma: float) -> FloatImage:
    """Depth with noise of ``sigma`` metres, holes where surfaces jump, in patches and in single pixels."""
    out = depth + sigma * rng.standard_normal(depth.shape).astype(np.float32)
    jump = np.zeros(depth.shape, np.bool_)
    jump[:, 1:] |= np.abs(np.diff(depth, axis=1)) > 0.03
    jump[1:] |= np.abs(np.diff(depth, axis=0)) > 0.03
    holes = binary_dilation(jump, iterations=2) & (rng.random(depth.shape) < 0.8)
    holes |= smooth_noise(rng, depth.shape, 18.0) > 1.6
    holes |= rng.random(depth.shape) < 0.03
    out[holes] = 0.0
    return out
