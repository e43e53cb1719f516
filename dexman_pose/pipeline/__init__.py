"""The stages in order, their artefacts on disk, resuming."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names

if TYPE_CHECKING:
    from dexman_pose.pipeline.prompt_file import load_prompts
    from dexman_pose.pipeline.prompts_from_mesh import sharpen_prompts
    from dexman_pose.pipeline.reconstruction import reconstruct
    from dexman_pose.pipeline.stage import StageEvent

__all__ = ["StageEvent", "load_prompts", "reconstruct", "sharpen_prompts"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "StageEvent": "dexman_pose.pipeline.stage",
        "load_prompts": "dexman_pose.pipeline.prompt_file",
        "reconstruct": "dexman_pose.pipeline.reconstruction",
        "sharpen_prompts": "dexman_pose.pipeline.prompts_from_mesh",
    },
)
