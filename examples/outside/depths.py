"""MoGe and VGGT, called by their public functions inside their own environments.

Every function here takes ``(frames, inputs, options)`` and returns ``depth`` or ``inverse``, and ``focal_length``, as
docs/backends.md says. Neither was run here with its weights.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Arrays = dict[str, Any]

SIDE, PATCH = 518, 14
"""Pixels of VGGT's longer side, and of its patches, of which sides must be multiples."""


def moge(frames: np.ndarray, inputs: Arrays, options: dict[str, Any]) -> Arrays:
    """MoGe 2: github.com/microsoft/MoGe, ``MoGeModel.infer``, metres; a known camera's field of view is handed over."""
    import torch
    from moge.model.v2 import MoGeModel

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = MoGeModel.from_pretrained(options.get("weights", "Ruicheng/moge-2-vitl-normal")).to(device).eval()
    count, height, width = frames.shape[:3]
    known = math.degrees(2 * math.atan(0.5 * width / inputs["K"][0, 0])) if "K" in inputs else None
    depth, focal = np.zeros((count, height, width), np.float32), np.zeros(count)
    for i, rgb in enumerate(frames):
        picture = torch.tensor(rgb / 255.0, dtype=torch.float32, device=device).permute(2, 0, 1)
        with torch.no_grad():
            answer = model.infer(picture, fov_x=known, use_fp16=device == "cuda")
        seen = answer["depth"].float().cpu().numpy()
        depth[i] = np.where(np.isfinite(seen), seen, 0.0)  # masked pixels are infinite
        focal[i] = float(answer["intrinsics"][0, 0]) * width  # it is given in shares of the width
    return {"depth": depth, "focal_length": focal}


def vggt(frames: np.ndarray, inputs: Arrays, options: dict[str, Any]) -> Arrays:
    """VGGT: github.com/facebookresearch/vggt, ``VGGT``; depth without a scale, chunks joined by a frame they share."""
    import torch
    from vggt.models.vggt import VGGT
    from vggt.utils.pose_enc import pose_encoding_to_extri_intri

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = VGGT.from_pretrained(options.get("weights", "facebook/VGGT-1B")).to(device).eval()
    count, height, width = frames.shape[:3]
    size = vggt_size(height, width)
    depth, focal = np.zeros((count, height, width), np.float32), np.zeros(count)
    for first, last in chunks(count, int(options.get("chunk", 24))):
        pictures = (
            torch.from_numpy(np.array(frames[first:last])).to(device).permute(0, 3, 1, 2).float() / 255.0
        )
        pictures = torch.nn.functional.interpolate(
            pictures, size, mode="bicubic", align_corners=False, antialias=True
        ).clamp(0, 1)
        with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            answer = model(pictures)
        _, k = pose_encoding_to_extri_intri(answer["pose_enc"].float(), size)
        own = answer["depth"].float()[0, ..., 0]
        own = (
            torch.nn.functional.interpolate(own[:, None], (height, width), mode="bilinear")[:, 0]
            .cpu()
            .numpy()
        )
        if first:
            own = own * shared_factor(depth[first], own[0])
        depth[first:last] = own
        focal[first:last] = k[0, :, 0, 0].cpu().numpy() * width / size[1]
    return {"inverse": 1.0 / np.maximum(depth, 1e-6), "focal_length": focal}


def vggt_size(height: int, width: int) -> tuple[int, int]:
    """(height, width) of the whole picture as VGGT wants it: nothing is cut off or added."""
    scale = SIDE / max(height, width)
    return tuple(max(PATCH, round(side * scale / PATCH) * PATCH) for side in (height, width))


def chunks(count: int, length: int) -> list[tuple[int, int]]:
    """First frame and the frame after the last one of chunks that share one frame."""
    step = max(length - 1, 1)
    return [(i, min(i + length, count)) for i in range(0, max(count - 1, 1), step)]


def shared_factor(before: np.ndarray, own: np.ndarray) -> float:
    """What brings a chunk's depth to that of the chunk before, by the frame that both have."""
    return float(np.median(before / np.maximum(own, 1e-6)))
