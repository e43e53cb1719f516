"""What is the same through a whole clip: the table that objects stand on, gravity, and the world frame."""

from dexman_pose.scene.estimate import SceneEstimate, estimate_scene
from dexman_pose.scene.options import SceneOptions

__all__ = ["SceneEstimate", "SceneOptions", "estimate_scene"]
