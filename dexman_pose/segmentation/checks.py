"""Whether prompts and hands fit a clip: asked by every method before it begins."""

from __future__ import annotations

from collections.abc import Mapping

from dexman_pose.data import Clip, HandObservations, ObjectPrompt
from dexman_pose.errors import InputError


def check_prompts(clip: Clip, prompts: Mapping[str, ObjectPrompt], hands: HandObservations | None) -> None:
    """Raise :class:`InputError` for prompts or hands that do not fit the clip."""
    if not prompts:
        raise InputError("segmentation needs at least one object prompt, but none was given")
    for name, prompt in prompts.items():
        prompt.check_inside(name, clip.width, clip.height, clip.num_frames)
    if hands is not None and len(hands.joints_2d) != clip.num_frames:
        raise InputError(
            f"hand observations hold {len(hands.joints_2d)} frames, but the clip has {clip.num_frames}; "
            "detect the hands on the same clip"
        )
