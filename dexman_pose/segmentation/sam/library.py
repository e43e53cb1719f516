"""The package segment-anything, imported where torchvision is missing or broken too.

It uses four small functions of torchvision. Where that cannot be imported, these stand in for them while
segment-anything is imported, and for nobody else: others who look for torchvision still find none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dexman_pose.errors import MissingExtraError

if TYPE_CHECKING:
    import torch

INSTALL = "pip install 'dexman-pose[sam]'"
_LENT = "torchvision"


def segment_anything(purpose: str) -> ModuleType:
    """The package segment-anything.

    Args:
        purpose: what needs it, for messages.

    Raises:
        MissingExtraError: it is not installed, or cannot be imported.
    """
    if "segment_anything" in sys.modules:
        return sys.modules["segment_anything"]
    if find_spec("segment_anything") is None:
        raise MissingExtraError(
            f"{purpose} needs the package 'segment_anything', which is not installed. Install it with: {INSTALL}"
        )
    try:
        if _works():
            return import_module("segment_anything")
        with _standing_in():
            return import_module("segment_anything")
    except (ImportError, RuntimeError) as error:
        _forget("segment_anything")
        why = " ".join(str(error).split())[:200]
        raise MissingExtraError(
            f"{purpose}: segment_anything cannot be imported ({why}). Install it again with: {INSTALL}"
        ) from error


def _works() -> bool:
    """Whether torchvision can be imported; what a broken one left behind is cleared away."""
    before = set(sys.modules)
    if _LENT in before:
        return True
    if find_spec(_LENT) is None:
        return False
    try:
        import_module("torchvision.ops.boxes")
    except Exception:  # a build for another torch raises RuntimeError, OSError or ImportError
        _forget(_LENT)
        return False
    return True


def _forget(package: str) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == package]:
        del sys.modules[name]


@contextmanager
def _standing_in() -> Iterator[None]:
    functions: dict[str, dict[str, Any]] = {
        "torchvision": {},
        "torchvision.ops": {},
        "torchvision.ops.boxes": {"batched_nms": batched_nms, "box_area": box_area},
        "torchvision.transforms": {},
        "torchvision.transforms.functional": {"resize": resize, "to_pil_image": to_pil_image},
    }
    lent = {}
    for name, content in functions.items():
        lent[name] = ModuleType(name)
        lent[name].__dict__.update(content)
    sys.modules.update(lent)
    try:
        yield
    finally:
        _forget(_LENT)


def to_pil_image(picture: NDArray[np.uint8]) -> Image.Image:
    """A picture (H, W, 3) uint8 as one of PIL."""
    return Image.fromarray(picture)


def resize(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A picture of PIL at a size (height, width): bilinear, the mean over areas where it shrinks."""
    return picture.resize((size[1], size[0]), Image.Resampling.BILINEAR)


def box_area(boxes: torch.Tensor) -> torch.Tensor:
    """Areas (N,) of boxes (N, 4) x0, y0, x1, y1."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def batched_nms(
    boxes: torch.Tensor, scores: torch.Tensor, categories: torch.Tensor, iou_threshold: float
) -> torch.Tensor:
    """Which boxes are the best of those that overlap much, within a category.

    Args:
        boxes: (N, 4) x0, y0, x1, y1.
        scores: (N,).
        categories: (N,) boxes of two categories never stand in each other's way.
        iou_threshold: overlap above which the lower score goes.

    Returns:
        (K,) indices of the boxes that stay, by falling score.
    """
    import torch

    order = torch.argsort(scores.to(boxes.device), descending=True, stable=True)
    kind = categories.to(boxes.device)
    areas = box_area(boxes)
    stay: list[int] = []
    while len(order):
        best, rest = order[0], order[1:]
        stay.append(int(best))
        low = torch.maximum(boxes[best, :2], boxes[rest, :2])
        high = torch.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = (high - low).clamp(min=0).prod(1)
        overlap = shared / (areas[best] + areas[rest] - shared)
        order = rest[(overlap <= iou_threshold) | (kind[rest] != kind[best])]
    return torch.tensor(stay, dtype=torch.int64, device=boxes.device)
