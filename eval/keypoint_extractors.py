"""Keypoints and descriptors of pictures, for ``keypoints.py``: by a network of kornia, and by OpenCV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.errors import InputError

Extract = Callable[[NDArray[np.uint8]], tuple[Array, NDArray[np.float32]]]
"""Keypoints (N, 2) in pixels and descriptors (N, D) of unit length of a picture (H, W, 3) uint8 RGB."""


def aliked(weights: Path, keypoints: int) -> Extract:
    """ALIKED (n16) of kornia.

    Raises:
        InputError: kornia is not there, or the weights do not fit.
    """
    try:
        import torch
        from kornia.feature import ALIKED
    except ImportError as error:
        raise InputError(
            f"learnt keypoints need torch and kornia ({error}): pip install --no-deps kornia==0.9.0 kornia_rs"
        ) from error
    torch.set_num_threads(1)
    # A positive threshold would go before the number: zero takes the strongest.
    model = ALIKED("aliked-n16", max_num_keypoints=keypoints, detection_threshold=0.0).eval()
    missing, unknown = model.load_state_dict(torch.load(weights, weights_only=True), strict=False)
    if unknown or set(missing) - {"dkd.hw_grid"}:  # the grid is a constant that the weights need not have
        raise InputError(
            f"{weights} are no weights of aliked-n16: {len(missing)} missing, {len(unknown)} unknown"
        )

    def extract(image: NDArray[np.uint8]) -> tuple[Array, NDArray[np.float32]]:
        given = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255.0
        with torch.inference_mode():
            found = model(given)[0]
        return found.keypoints.numpy().astype(np.float64), found.descriptors.numpy()

    return extract


def sift(keypoints: int) -> Extract:
    """OpenCV's SIFT with the roots of its descriptors: what keypoints give without a network."""
    detector = cv2.SIFT.create(nfeatures=keypoints, contrastThreshold=0.01)

    def extract(image: NDArray[np.uint8]) -> tuple[Array, NDArray[np.float32]]:
        found, descriptors = detector.detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None)
        if not found:
            return np.zeros((0, 2)), np.zeros((0, 128), np.float32)
        rooted = np.sqrt(descriptors / np.maximum(descriptors.sum(1, keepdims=True), 1e-9))
        return np.array([k.pt for k in found], np.float64), rooted.astype(np.float32)

    return extract
