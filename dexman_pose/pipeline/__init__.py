"""The stages in order, their artefacts on disk, resuming."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dexman_pose.pipeline.prompt_file import load_prompts
from dexman_pose.pipeline.reconstruction import reconstruct
from dexman_pose.pipeline.stage import StageEvent

if TYPE_CHECKING:
    from dexman_pose.pipeline.prompts_from_mesh import sharpen_prompts

__all__ = ["StageEvent", "load_prompts", "reconstruct", "sharpen_prompts"]


def __getattr__(name: str) -> object:
    """Import what needs the engine when it is first used, so that the command line starts at once."""
    if name != "sharpen_prompts":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dexman_pose.pipeline.prompts_from_mesh import sharpen_prompts

    globals()[name] = sharpen_prompts
    return sharpen_prompts
