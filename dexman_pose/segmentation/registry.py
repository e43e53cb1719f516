"""Segmentation backends by name: built in, or brought by another package through an entry point."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Protocol, cast

from dexman_pose.data import Clip, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.errors import InputError

GROUP = "dexman_pose.segmentation"
"""Entry point group in which other packages register a backend."""


class SegmentationBackend(Protocol):
    """What a backend is: a function from a clip and its prompts to masks."""

    def __call__(
        self, clip: Clip, prompts: dict[str, ObjectPrompt], hands: HandObservations | None
    ) -> MaskSequence: ...


def available_backends() -> tuple[str, ...]:
    """Names that :func:`load_backend` knows here."""
    return tuple(sorted({"grabcut", *(e.name for e in entry_points(group=GROUP))}))


def load_backend(name: str) -> SegmentationBackend:
    """The backend called ``name``.

    Raises:
        InputError: no such backend; the message lists those there are.
    """
    if name == "grabcut":
        from dexman_pose.segmentation.propagate import segment_by_propagation

        return segment_by_propagation
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            return cast(SegmentationBackend, entry.load())
    raise InputError(
        f"unknown segmentation backend {name!r}; available here: {', '.join(available_backends())}"
    )
