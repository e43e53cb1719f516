"""Everything in a picture, without a prompt: what a user may then choose objects from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Mask
from dexman_pose.data.accept import as_picture
from dexman_pose.data.model_store import find_weights
from dexman_pose.data.numbers import count
from dexman_pose.networks.device import device_named
from dexman_pose.segmentation.sam.library import segment_anything
from dexman_pose.segmentation.sam.network import load_network

_PURPOSE = "masks without prompts"


@dataclass(frozen=True)
class FoundMask:
    """A part of a picture that hangs together.

    Attributes:
        mask: (H, W) bool.
        box: (4,) x0, y0, x1, y1 in pixels, the first and last of them.
        score: in [0, 1], how well the network thinks it is cut out.
    """

    mask: Mask
    box: Array
    score: float


def masks_of_everything(
    picture: NDArray[np.uint8],
    *,
    weights: str | Path = "sam-vit-b",
    points_per_side: int = 32,
    least_pixels: int = 100,
    device: str = "auto",
    **options: Any,
) -> list[FoundMask]:
    """Cut a picture into whatever it shows, the largest first.

    An :class:`~dexman_pose.data.ObjectPrompt` takes any of the masks.

    Args:
        picture: (H, W, 3) RGB.
        weights: name of a model's card, or a ``.pth`` file.
        points_per_side: of the grid of clicks that is asked about.
        least_pixels: smaller masks are left out.
        device: ``auto``, ``cpu`` or ``cuda``.
        options: further ones of segment-anything's ``SamAutomaticMaskGenerator``.

    Raises:
        InputError: no picture, or weights that cannot be loaded.
        MissingExtraError: segment-anything is missing; the message holds the command that installs it.
        MissingModelError: the weights are missing; the message holds the command that fetches them.
    """
    rgb = as_picture(picture)
    library = segment_anything(_PURPOSE)
    network = load_network(find_weights(weights), _PURPOSE, device_named(device))
    maker = library.SamAutomaticMaskGenerator(
        network, points_per_side=count(points_per_side, "points_per_side", least=1), **options
    )
    found = [_found(one) for one in maker.generate(rgb)]
    found = [one for one in found if int(one.mask.sum()) >= least_pixels]
    return sorted(found, key=lambda one: -int(one.mask.sum()))


def _found(one: dict[str, Any]) -> FoundMask:
    mask = np.asarray(one["segmentation"], bool)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    ends = [columns[0], rows[0], columns[-1], rows[-1]] if mask.any() else [0, 0, 0, 0]
    return FoundMask(mask, np.array(ends, float), float(one["predicted_iou"]))
