"""Backend ``sam``: Segment Anything on every frame; what one frame shows is asked for in the next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.arrays import Array, Mask
from dexman_pose.data import Clip, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.data.model_store import find_weights
from dexman_pose.networks.device import device_named
from dexman_pose.segmentation.checks import check_prompts
from dexman_pose.segmentation.prompted.passes import follow_both_ways
from dexman_pose.segmentation.prompted.seen import Seen
from dexman_pose.segmentation.sam.expected import box_around, clicks_inside, moved, overlap, step_between
from dexman_pose.segmentation.sam.library import segment_anything
from dexman_pose.segmentation.sam.network import load_network
from dexman_pose.segmentation.sam.options import DEFAULTS, SamOptions

PURPOSE = "the segmentation backend 'sam'"
_MANY = 2
"""From this many clicks, or with a box, a prompt means one thing: one answer is asked for, not three."""


def segment_by_sam(
    clip: Clip,
    prompts: dict[str, ObjectPrompt],
    hands: HandObservations | None,
    weights: str | Path = "sam-vit-b",
    options: SamOptions = DEFAULTS,
    expected: MaskSequence | None = None,
) -> MaskSequence:
    """Make masks with Segment Anything, frame by frame.

    It has no memory: each frame is shown the box and the inside of the mask found in the frame before, moved on as the
    object moved. An object that is lost stays lost until the clip ends.

    Args:
        clip: the video; the camera may move.
        prompts: by object name.
        hands: 2D joints per frame, or None. Hands are seen by themselves and taken out of the objects.
        weights: name of a model's card, or a ``.pth`` file.
        options: of the method.
        expected: outlines of poses that were followed beside; where masks turn away from them, the object is shown
            again.

    Returns:
        One label image per frame, with a confidence (T, N); see ``segment_clip``. A mask that was given is kept
        exactly.

    Raises:
        InputError: prompts or hands that do not fit the clip, or weights that cannot be loaded.
        MissingExtraError: segment-anything is missing; the message holds the command that installs it.
        MissingModelError: the weights are missing; the message holds the command that fetches them.
    """
    check_prompts(clip, prompts, hands)
    segment_anything(PURPOSE)
    network = load_network(find_weights(weights), PURPOSE, device_named(options.passes.device))
    return follow_both_ways(
        clip, prompts, hands, lambda reverse: FrameByFrame(network, options), options.passes, expected
    )


@dataclass
class _Track:
    """What the last frame showed of one thing: its mask, and that of the frame before."""

    mask: Mask
    before: Mask | None = None


class FrameByFrame:
    """Finds things in one picture after another, each by what the picture before showed.

    Args:
        network: of Segment Anything.
        options: of the method.
    """

    def __init__(self, network: Any, options: SamOptions = DEFAULTS) -> None:
        from segment_anything import SamPredictor

        self.predictor, self.options = SamPredictor(network), options
        self.tracks: dict[str, _Track] = {}
        self.shape = (0, 0)

    def look(self, index: int, rgb: NDArray[np.uint8]) -> None:
        """Take the next picture of the pass."""
        self.shape = (rgb.shape[0], rgb.shape[1])
        self.predictor.set_image(rgb)

    def start(self, name: str, prompt: ObjectPrompt) -> Seen:
        """See a thing where the prompt shows it."""
        if prompt.mask is not None:
            logit = self.options.confident
            seen = Seen(np.where(prompt.mask, logit, -logit).astype(np.float32), 1.0)
        else:
            seen = self.shown(prompt.box, prompt.points, None)
        self.tracks[name] = _Track(seen.mask)
        return seen

    def follow(self, name: str) -> Seen:
        """Find a thing again; where nothing like it is there, it is lost, and its last mask is not kept."""
        track = self.tracks[name]
        expected = moved(track.mask, step_between(track.before, track.mask, self.options))
        if not expected.any():
            return self._lost()
        seen = self.shown(box_around(expected, self.options), clicks_inside(expected, self.options), expected)
        if overlap(seen.mask, expected) < self.options.lost:
            track.mask = np.zeros_like(track.mask)
            return self._lost()
        track.before, track.mask = track.mask, seen.mask
        return seen

    def shown(self, box: Array | None, points: Array | None, expected: Mask | None) -> Seen:
        """What the network sees at a box and clicks of the picture.

        Args:
            box: (4,) x0, y0, x1, y1 in pixels, or None.
            points: (N, 3) x, y, label, or None.
            expected: (H, W) what is looked for, which the choice among several answers is led by; or None.
        """
        one = box is not None or (points is not None and len(points) >= _MANY)
        logits, scores, _ = self.predictor.predict(
            point_coords=None if points is None else self._places(points[:, :2]),
            point_labels=None if points is None else points[:, 2].astype(np.int64),
            box=None if box is None else self._places(box.reshape(2, 2)).reshape(4),
            multimask_output=expected is not None or not one,
            return_logits=True,
        )
        best = int(np.argmax(self._worth(logits, scores, expected)))
        return Seen(logits[best].astype(np.float32), float(np.clip(scores[best], 0.0, 1.0)))

    def _worth(self, logits: NDArray[Any], scores: NDArray[Any], expected: Mask | None) -> Array:
        if expected is None:
            return np.asarray(scores, float)
        share = self.options.agreement
        like = [overlap(one > 0, expected) for one in logits]
        return (1 - share) * np.asarray(scores, float) + share * np.array(like)

    def _places(self, pixels: Array) -> Array:
        """Pixels in the way the predictor takes them, which scales them from the corner and not from their centres."""
        height, width = self.shape
        new = self.predictor.transform.get_preprocess_shape(
            height, width, self.predictor.transform.target_length
        )
        scale = np.array([new[1] / width, new[0] / height])
        return pixels + 0.5 - 0.5 / scale

    def _lost(self) -> Seen:
        return Seen(np.full(self.shape, -self.options.confident, np.float32), 0.0)
