"""Hands of a clip: the backends by name, and the default one."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.data.tracks import HandObservations
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.data.clip import Clip

Backend = Callable[..., HandObservations]
ENTRY_POINTS = "dexman_pose.hands"


def _mediapipe(clip: Clip, *, model: str | Path | None = None, **options: Any) -> HandObservations:
    from dexman_pose.hands.mediapipe_backend import detect

    return detect(clip, model=model, **options)


_BUILT_IN: dict[str, Backend] = {"mediapipe": _mediapipe}


@lru_cache(maxsize=1)
def _installed() -> dict[str, Any]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def backends() -> list[str]:
    """Names that :func:`detect_hands` takes: built in, and registered by other packages."""
    return sorted({*_BUILT_IN, *_installed()})


def detect_hands(
    clip: Clip, *, backend: str = "mediapipe", model: str | Path | None = None, **options: Any
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
    if backend in _BUILT_IN:
        return _BUILT_IN[backend](clip, model=model, **options)
    if backend in _installed():
        function: Backend = _installed()[backend].load()
        return function(clip, model=model, **options)
    raise InputError(f"no hand detector is called {backend!r}; the ones known here: {', '.join(backends())}")
