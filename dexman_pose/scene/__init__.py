"""What is the same through a whole clip: the table that objects stand on, gravity, and the world frame."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names
from dexman_pose._optional import require_engine

if TYPE_CHECKING:
    from dexman_pose.scene.estimate import SceneEstimate, estimate_scene
    from dexman_pose.scene.options import SceneOptions

__all__ = ["SceneEstimate", "SceneOptions", "estimate_scene"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "SceneEstimate": "dexman_pose.scene.estimate",
        "SceneOptions": "dexman_pose.scene.options",
        "estimate_scene": "dexman_pose.scene.estimate",
    },
)

require_engine("finding the table")
