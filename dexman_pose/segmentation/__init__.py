"""Masks of objects and hands through a clip."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Protocol, cast

from dexman_pose._optional import require_engine
from dexman_pose.backends import SEGMENTATION
from dexman_pose.data import Clip, HandObservations, MaskSequence, ObjectPrompt
from dexman_pose.data.accept import ClipLike, as_clip, as_prompts
from dexman_pose.data.numbers import instance
from dexman_pose.errors import InputError

__all__ = ["SegmentationBackend", "available_backends", "load_backend", "segment_clip"]


require_engine("segmentation")


class SegmentationBackend(Protocol):
    """What a backend is: a function from a clip and its prompts to masks."""

    def __call__(
        self, clip: Clip, prompts: dict[str, ObjectPrompt], hands: HandObservations | None
    ) -> MaskSequence: ...


def fills(name: str) -> bool:
    """Whether a backend takes the keyword ``into``: masks to fill, each frame ``settled`` as soon as it is final."""
    return "into" in signature(load_backend(name)).parameters


def expects(name: str) -> bool:
    """Whether a backend takes the keyword ``expected``: outlines of poses, by which it may be shown objects again."""
    return "expected" in signature(load_backend(name)).parameters


def available_backends() -> tuple[str, ...]:
    """Names that :func:`load_backend` knows here."""
    return SEGMENTATION.names()


def load_backend(name: str) -> SegmentationBackend:
    """Import the backend called ``name``.

    Raises:
        InputError: no such backend; the message lists those there are.
    """
    return cast(SegmentationBackend, SEGMENTATION.load(name))


def segment_clip(
    clip: ClipLike,
    prompts: Mapping[str, ObjectPrompt],
    hands: HandObservations | None = None,
    *,
    backend: str = "grabcut",
    into: MaskSequence | None = None,
    expected: MaskSequence | None = None,
    gate: bool | None = None,
) -> MaskSequence:
    """Masks of the visible part of each object, and of hands in front, in every frame of a clip.

    Args:
        clip: the video; ``"grabcut"`` wants a camera that does not move.
        prompts: by object name, each with a box, clicks or a mask on a frame of its own choice.
        hands: 2D joints per frame; with them hands and forearms get the label
            :data:`~dexman_pose.data.OCCLUDER`. None works too: hands then are background.
        backend: name of the method, see :func:`available_backends`. ``"grabcut"`` needs no weights; for those that need
            some, a colon and the name of a model or a path may follow: ``"sam2:sam2.1-large"``.
        into: empty masks to fill, for those who read frames while later ones are made; of backends that :func:`fills`
            names.
        expected: outlines of poses that were followed beside, with confidence 0 where they are not known: a backend
            that :func:`expects` names is shown an object again where its masks turn away from them.
        gate: whether masks that leak, jump or flicker are taken away, and objects that change places are doubted
            (``dexman_pose.segmentation.gate``); None does so for backends that hand out all frames at once, which all
            networks are. ``"grabcut"`` judges its masks itself.

    Returns:
        One label image per frame, objects exclusive of each other, with ``confidence`` (T, N) in [0, 1], which is 0
        where an object is lost or out of sight.

    Raises:
        InputError: a prompt that does not fit the clip, no prompt, or an unknown backend.
        EstimationError: nothing could be told from its surroundings where a prompt points.
    """
    if hands is not None:
        instance(hands, HandObservations, "hands", "detect_hands(clip) gives one")
    if expected is not None:
        instance(expected, MaskSequence, "expected", "segment_clip(clip, prompts) gives one")
        if not expects(backend):
            raise InputError(f"the segmentation backend {backend!r} takes no expected masks; leave them out")
    more = {k: v for k, v in {"into": into, "expected": expected}.items() if v is not None}
    known = as_prompts(prompts, "prompts")
    masks = load_backend(backend)(as_clip(clip), known, hands, **more)
    if gate is False or (gate is None and fills(backend)) or into is not None:
        return masks
    from dexman_pose.segmentation.gate.apply import gated

    return gated(masks, {name: prompt.frame for name, prompt in known.items()})[0]
