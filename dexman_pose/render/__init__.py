"""The rasteriser: mask, depth, normals and colour of posed meshes, on the CPU or a CUDA device."""

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
