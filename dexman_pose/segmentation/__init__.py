"""Masks of objects and hands through a clip."""

from __future__ import annotations

from dexman_pose.data import Clip, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.segmentation.registry import SegmentationBackend, available_backends, load_backend

__all__ = ["SegmentationBackend", "available_backends", "load_backend", "segment_clip"]


def segment_clip(
    clip: Clip,
    prompts: dict[str, ObjectPrompt],
    hands: HandObservations | None = None,
    *,
    backend: str = "grabcut",
) -> MaskSequence:
    """Masks of the visible part of each object, and of hands in front, in every frame of a clip.

    Args:
        clip: the video, from a camera that does not move.
        prompts: by object name, each with a box, clicks or a mask on a frame of its own choice.
        hands: 2D joints per frame; with them hands and forearms get the label
            :data:`~dexman_pose.data.OCCLUDER`. None works too: hands then are background.
        backend: name of the method, see :func:`available_backends`. ``"grabcut"`` needs no weights.

    Returns:
        One label image per frame, objects exclusive of each other, with ``confidence`` (T, N) in [0, 1], which is 0
        where an object is lost or out of sight.

    Raises:
        InputError: a prompt that does not fit the clip, no prompt, or an unknown backend.
        EstimationError: nothing could be told from its surroundings where a prompt points.
    """
    return load_backend(backend)(clip, prompts, hands)
