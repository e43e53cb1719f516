"""Finding palms in a whole image: anchors, decoding and suppression around the MediaPipe palm network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array
from dexman_pose.hands.mediapipe.network import Network

INPUT_SIZE = 192
NUM_KEYPOINTS = 7
SCORE_CLIP = 100.0
# Feature maps of the network: stride in pixels, anchors per cell. All anchors are unit squares.
LAYERS = ((8, 2), (16, 6))


@dataclass(frozen=True)
class Palms:
    """Palms found in one image, best first.

    Attributes:
        boxes: (N, 4) x0, y0, x1, y1.
        keypoints: (N, 7, 2); 0 is the wrist, 2 the middle finger's knuckle.
        scores: (N,) in [0, 1].
    """

    boxes: Array
    keypoints: Array
    scores: Array

    def __len__(self) -> int:
        return len(self.scores)


@lru_cache(maxsize=1)
def anchors() -> Array:
    """(2016, 2) centres of the anchors in [0, 1], row by row: 24x24 cells of 2, then 12x12 cells of 6."""
    rows = []
    for stride, per_cell in LAYERS:
        n = INPUT_SIZE // stride
        line = (np.arange(n) + 0.5) / n
        y, x = np.meshgrid(line, line, indexing="ij")
        rows.append(np.repeat(np.stack([x.ravel(), y.ravel()], -1), per_cell, axis=0))
    out = np.concatenate(rows)
    out.setflags(write=False)
    return out


def decode(regressors: NDArray[np.float32], logits: NDArray[np.float32], min_score: float) -> Palms:
    """Boxes and keypoints, in [0, 1] of the network's input, of every anchor that scores ``min_score`` or more.

    Args:
        regressors: (2016, 18): centre x, y, width, height, then 7 keypoints x, y; pixels relative to the anchor.
        logits: (2016,) or (2016, 1) before the sigmoid.
        min_score: in [0, 1].
    """
    clipped = np.clip(np.asarray(logits, dtype=np.float64).reshape(-1), -SCORE_CLIP, SCORE_CLIP)
    scores = 1.0 / (1.0 + np.exp(-clipped))
    keep = np.flatnonzero(scores >= min_score)
    values = np.asarray(regressors, dtype=np.float64).reshape(-1, 4 + 2 * NUM_KEYPOINTS)[keep] / INPUT_SIZE
    centre = anchors()[keep]
    middle, half = values[:, :2] + centre, values[:, 2:4] / 2
    keypoints = values[:, 4:].reshape(-1, NUM_KEYPOINTS, 2) + centre[:, None]
    return Palms(np.concatenate([middle - half, middle + half], 1), keypoints, scores[keep])


def iou(box: Array, boxes: Array) -> Array:
    """Overlap over union (N,) of one box (4,) with boxes (N, 4)."""
    inner = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = np.prod(np.maximum(inner, 0.0), axis=1)
    area = np.prod(box[2:] - box[:2]) + np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) - shared
    overlap: Array = shared / np.maximum(area, 1e-12)
    return overlap


def merge(palms: Palms, max_overlap: float = 0.3) -> Palms:
    """Weighted non-maximum suppression: every group of overlapping palms becomes its score-weighted mean.

    The group's score is that of its best member, as in MediaPipe.
    """
    order = np.argsort(-palms.scores, kind="stable")
    boxes, points, scores = [], [], []
    while len(order):
        best = order[0]
        overlapping = iou(palms.boxes[best], palms.boxes[order]) > max_overlap
        overlapping[0] = True  # a degenerate box overlaps nothing, not even itself
        group, order = order[overlapping], order[~overlapping]
        weight = palms.scores[group] / palms.scores[group].sum()
        boxes.append(weight @ palms.boxes[group])
        points.append(np.tensordot(weight, palms.keypoints[group], 1))
        scores.append(palms.scores[best])
    if not scores:
        return palms
    return Palms(np.array(boxes), np.array(points), np.array(scores))


class PalmDetector:
    """The palm network behind a plain function: image in, palms in image pixels out."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def __call__(self, image: NDArray[np.uint8], min_score: float = 0.5) -> Palms:
        """Palms of an RGB image (H, W, 3), merged, in pixels, best first."""
        tensor, image_from_input = letterbox(image)
        outputs = self._network(tensor[None])
        palms = merge(decode(outputs[0][0], outputs[1][0], min_score))
        scale, offset = image_from_input
        corners = palms.boxes.reshape(-1, 2, 2) * scale + offset
        return Palms(corners.reshape(-1, 4), palms.keypoints * scale + offset, palms.scores)


def letterbox(image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], tuple[float, Array]]:
    """The network's input (192, 192, 3) in [0, 1], the image centred in a black square, and the way back.

    Returns:
        The tensor, and (scale, offset): image pixels = coordinates in [0, 1] * scale + offset.
    """
    import cv2

    height, width = image.shape[:2]
    side = float(max(height, width))
    offset = np.array([(width - side) / 2 - 0.5, (height - side) / 2 - 0.5])
    step = side / INPUT_SIZE
    first = offset + 0.5 * step
    warp = np.array([[step, 0.0, first[0]], [0.0, step, first[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    small = cv2.warpAffine(image, warp, (INPUT_SIZE, INPUT_SIZE), flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return small.astype(np.float32) / np.float32(255.0), (side, offset)
