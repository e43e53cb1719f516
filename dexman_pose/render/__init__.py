"""The rasteriser: mask, depth, normals and colour of posed meshes, on the CPU or a CUDA device."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dexman_pose.render.rasterizer import Rasterizer, Rendering
from dexman_pose.render.scene import SceneRendering, render_scene

if TYPE_CHECKING:
    from dexman_pose.render.functional import Images, rasterizer_of, render

__all__ = [
    "Images",
    "Rasterizer",
    "Rendering",
    "SceneRendering",
    "rasterizer_of",
    "render",
    "render_scene",
]

_WITH_GRADIENTS = ("Images", "rasterizer_of", "render")
"""Names whose module imports torch, which takes longer than everything else and which a run never needs."""


def __getattr__(name: str) -> object:
    """Import what needs torch when it is first asked for."""
    if name not in _WITH_GRADIENTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module("dexman_pose.render.functional"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
