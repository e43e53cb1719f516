"""Hands of a clip: the backends by name, and the default one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dexman_pose.backends import HANDS
from dexman_pose.data.accept import ClipLike, as_clip
from dexman_pose.data.tracks import HandObservations


def backends() -> list[str]:
    """Names that :func:`detect_hands` takes: built in, and registered by other packages."""
    return list(HANDS.names())


def detect_hands(
    clip: ClipLike, *, backend: str = "mediapipe", model: str | Path | None = None, **options: Any
) -> HandObservations:
    """Find the person's two hands in every frame of a clip, identities kept over time.

    Args:
        clip: the video.
        backend: a name of :func:`backends`. Another package adds one through the entry point group
            ``dexman_pose.hands``: a function of the clip and the keyword ``model`` that returns
            :class:`HandObservations`.
        model: path of the backend's weights; None takes them from the model store.
        options: further keywords of the backend.

    Returns:
        Joints in pixels and the detector's own metric guess; frames without a hand are marked, not filled.

    Raises:
        InputError: no such backend.
        MissingModelError: the weights are not on this machine; the message holds the command that gets them.
        MissingExtraError: a package is missing; likewise.
    """
    found: HandObservations = HANDS.load(backend)(as_clip(clip), model=model, **options)
    return found
