"""The stages in order, their artefacts on disk, resuming."""

from dexman_pose.pipeline.prompt_file import load_prompts
from dexman_pose.pipeline.prompts_from_mesh import sharpen_prompts
from dexman_pose.pipeline.reconstruction import reconstruct
from dexman_pose.pipeline.stage import StageEvent

__all__ = ["StageEvent", "load_prompts", "reconstruct", "sharpen_prompts"]
