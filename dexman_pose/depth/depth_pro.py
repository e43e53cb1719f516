"""Depth Pro through transformers: metric depth and the focal length."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera, Clip
from dexman_pose.data.model_store import find_weights
from dexman_pose.depth.predicted import Frame, PredictedDepth, predicted_frame_by_frame
from dexman_pose.errors import EstimationError, InputError
from dexman_pose.networks.device import device_named
from dexman_pose.networks.hub import load_model
from dexman_pose.networks.pictures import picture_tensor, scaled_field

_HALF_TURN = 180.0
"""Degrees, which no picture of a plane can show."""
_GREY = (0.5, 0.5, 0.5)
_NEAREST_INVERSE, _FARTHEST_INVERSE = 1e4, 1e-4
"""Limits of the inverse depth in 1/m: what lies beyond them was not meant."""


def predict(
    clip: Clip,
    camera: Camera | None = None,
    *,
    weights: str | Path = "depth-pro",
    out: Path | None = None,
    device: str = "auto",
) -> PredictedDepth:
    """Guess depth frame by frame.

    Args:
        clip: the video.
        camera: intrinsics in pixels of the video; its focal length takes the place of the guessed one. Depth is in
            proportion to it.
        weights: name of a model's card, or a folder with ``config.json`` and ``model.safetensors``.
        out: a ``.npy`` file to write, or None.
        device: ``auto``, ``cpu`` or ``cuda``.

    Returns:
        Metric depth in metres; the focal length in pixels of the clip's pictures, the camera's where it is known.
    """
    import torch

    where = device_named(device)
    network = load_model(
        "DepthProForDepthEstimation", find_weights(weights), "the depth backend 'depth_pro'", where
    )
    if camera is None and not network.use_fov_model:
        raise InputError(
            f"the weights {weights} guess no focal length, which metric depth needs: give the camera of the clip"
        )
    side, known = picture_side(network.config), 0.0 if camera is None else camera.fx

    @torch.inference_mode()
    def one(rgb: NDArray[np.uint8]) -> Frame:
        height, width = rgb.shape[:2]
        pixels = picture_tensor(rgb, (side, side), where, _GREY, _GREY, averaged=False)
        answer = network(pixel_values=pixels)
        seen = None if camera is not None else float(answer.field_of_view.reshape(-1)[0])
        focal = focal_length(seen, width) if seen is not None else known
        inverse = scaled_field(answer.predicted_depth[0], (width, height))
        return metric_depth(inverse, focal, width), focal

    return predicted_frame_by_frame(clip, one, "metric", "depth_pro", out)


def focal_length(field_of_view: float, width: int) -> float:
    """Focal length in pixels of a picture.

    Args:
        field_of_view: horizontal, in degrees.
        width: of the picture in pixels.

    Raises:
        EstimationError: no camera has such a field of view.
    """
    if not 0.0 < field_of_view < _HALF_TURN:
        raise EstimationError(
            f"the network guessed a field of view of {field_of_view:.1f} degrees; give the camera of the clip"
        )
    return 0.5 * width / math.tan(0.5 * math.radians(field_of_view))


def metric_depth(canonical: NDArray[np.float32], focal: float, width: int) -> NDArray[np.float32]:
    """Depth in metres.

    Args:
        canonical: (H, W) inverse depth as if the focal length were the width of the picture, 1/m.
        focal: length in pixels of the same picture.
        width: of the picture in pixels.
    """
    inverse = canonical * np.float32(width / focal)
    return np.float32(1.0) / np.clip(inverse, _FARTHEST_INVERSE, _NEAREST_INVERSE)


def picture_side(config: Any) -> int:
    """Side in pixels of the square picture a network wants: its smallest scale is one patch."""
    return round(int(config.patch_size) / min(config.scaled_images_ratios))
