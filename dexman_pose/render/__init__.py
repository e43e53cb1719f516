"""The rasteriser: mask, depth, normals and colour of posed meshes, on the CPU or a CUDA device."""

from typing import TYPE_CHECKING

from dexman_pose._lazy import lazy_names
from dexman_pose._optional import require_engine

if TYPE_CHECKING:
    from dexman_pose.render.functional import Images, rasterizer_of, render
    from dexman_pose.render.rasterizer import Rasterizer, Rendering
    from dexman_pose.render.scene import SceneRendering, render_scene

__all__ = [
    "Images",
    "Rasterizer",
    "Rendering",
    "SceneRendering",
    "rasterizer_of",
    "render",
    "render_scene",
]

# What gives torch images imports torch, which takes longer than a search: the rasteriser does not wait for it.
__getattr__, __dir__ = lazy_names(
    __name__,
    dict.fromkeys(("Images", "rasterizer_of", "render"), "dexman_pose.render.functional")
    | dict.fromkeys(("Rasterizer", "Rendering"), "dexman_pose.render.rasterizer")
    | dict.fromkeys(("SceneRendering", "render_scene"), "dexman_pose.render.scene"),
)

require_engine("rendering")
