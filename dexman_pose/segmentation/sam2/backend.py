"""Backends ``sam2`` and ``edgetam``: networks that remember what an object looked like in the frames before."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dexman_pose.data import Clip, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.data.model_store import find_weights
from dexman_pose.errors import InputError
from dexman_pose.networks.device import device_named
from dexman_pose.networks.hub import load_model, transformers_class
from dexman_pose.networks.pictures import picture_tensor, scaled_field
from dexman_pose.segmentation.checks import check_prompts
from dexman_pose.segmentation.prompted.options import DEFAULTS, PromptedOptions
from dexman_pose.segmentation.prompted.passes import follow_both_ways
from dexman_pose.segmentation.prompted.seen import Seen

if TYPE_CHECKING:
    import torch

    from dexman_pose.segmentation.sam2.memory import Memory


_TWINS = {
    "prompt_encoder.shared_embedding.positional_embedding": "shared_image_embedding.positional_embedding"
}
"""One matrix under two names, of clicks and of pictures; files that were written by older versions hold it once."""


def segment_by_sam2(
    clip: Clip,
    prompts: dict[str, ObjectPrompt],
    hands: HandObservations | None,
    weights: str | Path = "sam2.1-tiny",
    options: PromptedOptions = DEFAULTS,
    expected: MaskSequence | None = None,
) -> MaskSequence:
    """Make masks with SAM 2.

    Args:
        clip: the video; the camera may move.
        prompts: by object name.
        hands: 2D joints per frame, or None. Hands are followed as things of their own and taken out of the objects.
        weights: name of a model's card, or a folder with ``config.json`` and ``model.safetensors``.
        options: of the passes.
        expected: outlines of poses that were followed beside; where masks turn away from them, the object is shown
            again.

    Returns:
        One label image per frame, with a confidence (T, N); see ``segment_clip``.

    Raises:
        InputError: prompts or hands that do not fit the clip, or weights that cannot be loaded.
        MissingExtraError: transformers is missing; the message holds the command that installs it.
        MissingModelError: the weights are missing; the message holds the command that fetches them.
    """
    return _segment("Sam2Video", "sam2", clip, prompts, hands, weights, options, expected)


def segment_by_edgetam(
    clip: Clip,
    prompts: dict[str, ObjectPrompt],
    hands: HandObservations | None,
    weights: str | Path = "edgetam",
    options: PromptedOptions = DEFAULTS,
    expected: MaskSequence | None = None,
) -> MaskSequence:
    """Make masks with EdgeTAM; as :func:`segment_by_sam2`."""
    return _segment("EdgeTamVideo", "edgetam", clip, prompts, hands, weights, options, expected)


def _segment(
    kind: str,
    backend: str,
    clip: Clip,
    prompts: dict[str, ObjectPrompt],
    hands: HandObservations | None,
    weights: str | Path,
    options: PromptedOptions,
    expected: MaskSequence | None,
) -> MaskSequence:
    check_prompts(clip, prompts, hands)
    purpose = f"the segmentation backend {backend!r}"
    session = transformers_class(f"{kind}InferenceSession", purpose)
    device = device_named(options.device)
    network = load_model(f"{kind}Model", find_weights(weights), purpose, device, _TWINS)
    return follow_both_ways(
        clip,
        prompts,
        hands,
        lambda reverse: RememberingFollower(network, session, device, reverse),
        options,
        expected,
    )


class RememberingFollower:
    """Follows things through one pass; each has a memory of its own, all share the features of the picture.

    Args:
        network: of the kind of SAM 2.
        session: class of its sessions.
        device: where it runs.
        reverse: whether the pass goes back in time.
    """

    def __init__(self, network: Any, session: Any, device: str, reverse: bool) -> None:
        from dexman_pose.segmentation.sam2.memory import SharedFeatures

        self.network, self.session, self.device, self.reverse = network, session, device, reverse
        self.features = SharedFeatures()
        self.memories: dict[str, Memory] = {}
        self.index, self.size = -1, (0, 0)
        self.pixels: torch.Tensor | None = None

    def look(self, index: int, rgb: NDArray[np.uint8]) -> None:
        """Take the next picture of the pass."""
        side = _side(self.network.config.image_size)
        self.index, self.size = index, (rgb.shape[1], rgb.shape[0])
        self.pixels = picture_tensor(rgb, (side, side), self.device)
        self.features.clear_all()

    def start(self, name: str, prompt: ObjectPrompt) -> Seen:
        """See a thing where the prompt shows it; what was remembered of it is forgotten."""
        from dexman_pose.segmentation.sam2.memory import Memory

        assert self.pixels is not None, "look at a picture first"
        memory = Memory(self.network, self.session, self.features, self.device, self.reverse)
        self.memories[name] = memory
        return self._seen(*memory.start(self.index, self.pixels, prompt, self.size))

    def follow(self, name: str) -> Seen:
        """Find a thing again."""
        assert self.pixels is not None, "look at a picture first"
        return self._seen(*self.memories[name].follow(self.index, self.pixels))

    def _seen(self, logits: torch.Tensor, presence: float) -> Seen:
        trust = 1.0 / (1.0 + math.exp(-min(max(presence, -_SURE), _SURE)))
        return Seen(scaled_field(logits, self.size), trust)


_SURE = 30.0
"""Log odds beyond which the exponential says nothing more."""


def _side(size: int | list[int] | tuple[int, ...]) -> int:
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) != 1:
        raise InputError(f"the network wants pictures of {size} pixels, but only square ones are known here")
    return int(sides.pop())
