"""Depth Anything V2 through transformers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Camera, Clip
from dexman_pose.data.model_store import find_weights
from dexman_pose.depth.predicted import Frame, PredictedDepth, predicted_frame_by_frame
from dexman_pose.networks.device import device_named
from dexman_pose.networks.hub import load_model
from dexman_pose.networks.pictures import picture_tensor, scaled_field

SHORTER_SIDE = 518
"""Pixels, of the pictures that the networks were trained on: 37 patches of 14."""


def predict(
    clip: Clip,
    camera: Camera | None = None,
    *,
    weights: str | Path = "depth-anything-v2-metric-indoor-small",
    out: Path | None = None,
    device: str = "auto",
) -> PredictedDepth:
    """Guess depth frame by frame.

    Args:
        clip: the video.
        camera: not used: these networks know nothing of the focal length.
        weights: name of a model's card, or a folder with ``config.json`` and ``model.safetensors``. The card's or the
            folder's network says whether depth is metric or relative.
        out: a ``.npy`` file to write, or None.
        device: ``auto``, ``cpu`` or ``cuda``.

    Returns:
        Metric depth in metres, or inverse depth up to scale and shift.
    """
    import torch

    where = device_named(device)
    purpose = "the depth backend 'depth_anything'"
    network = load_model("DepthAnythingForDepthEstimation", find_weights(weights), purpose, where)
    patch = int(network.config.patch_size)

    @torch.inference_mode()
    def one(rgb: NDArray[np.uint8]) -> Frame:
        height, width = rgb.shape[:2]
        pixels = picture_tensor(rgb, network_size(width, height, patch), where, way="bicubic")
        field = network(pixel_values=pixels).predicted_depth[0]
        return scaled_field(field, (width, height)), None

    metric = network.config.depth_estimation_type == "metric"
    return predicted_frame_by_frame(clip, one, "metric" if metric else "relative", "depth_anything", out)


def network_size(width: int, height: int, patch: int, side: int = SHORTER_SIDE) -> tuple[int, int]:
    """Width and height at which a picture is looked at.

    Scaled so that one of its sides has the length of training, by the factor nearest to 1 of the two; then each side
    to the nearest whole number of patches.
    """
    scale = min((side / width, side / height), key=lambda factor: abs(1.0 - factor))
    return tuple(max(patch, round(scale * length / patch) * patch) for length in (width, height))  # type: ignore[return-value]
