"""Video of hands handling objects in, metric 6-DoF trajectories out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dexman_pose._optional import told_missing
from dexman_pose._version import __version__

if TYPE_CHECKING:
    from dexman_pose import (
        contact,
        data,
        datasets,
        errors,
        evaluation,
        exports,
        geometry,
        hands,
        meshing,
        metrics,
        pipeline,
        pose,
        render,
        scene,
        segmentation,
        symmetry,
        synthetic,
        viewer,
    )
    from dexman_pose.data import (
        Camera,
        Clip,
        Contacts,
        DepthSequence,
        HandTrack,
        MaskSequence,
        Mesh,
        ObjectPrompt,
        PoseTrack,
        RigidObject,
        Trajectory,
    )
    from dexman_pose.errors import DexmanError, EstimationError, InputError
    from dexman_pose.exports import export
    from dexman_pose.meshing import load_mesh
    from dexman_pose.pipeline import load_prompts, reconstruct

__all__ = [
    "Camera",
    "Clip",
    "Contacts",
    "DepthSequence",
    "DexmanError",
    "EstimationError",
    "HandTrack",
    "InputError",
    "MaskSequence",
    "Mesh",
    "ObjectPrompt",
    "PoseTrack",
    "RigidObject",
    "Trajectory",
    "__version__",
    "export",
    "load_mesh",
    "load_prompts",
    "reconstruct",
]

if TYPE_CHECKING:  # not for a star import, which would import everything
    __all__ += [
        "contact",
        "data",
        "datasets",
        "errors",
        "evaluation",
        "exports",
        "geometry",
        "hands",
        "meshing",
        "metrics",
        "pipeline",
        "pose",
        "render",
        "scene",
        "segmentation",
        "symmetry",
        "synthetic",
        "viewer",
    ]

_ROOMS = (
    "contact",
    "data",
    "datasets",
    "errors",
    "evaluation",
    "exports",
    "geometry",
    "hands",
    "meshing",
    "metrics",
    "pipeline",
    "pose",
    "render",
    "scene",
    "segmentation",
    "symmetry",
    "synthetic",
    "viewer",
)
"""Rooms that are there after ``import dexman_pose``; each is imported when it is first used."""

_ROOM_OF = {
    "DexmanError": "errors",
    "EstimationError": "errors",
    "InputError": "errors",
    "export": "exports",
    "load_mesh": "meshing",
    "load_prompts": "pipeline",
    "reconstruct": "pipeline",
}


def __getattr__(name: str) -> object:
    """Import a public name or room when it is first used, so that importing the package costs nothing."""
    if name in _ROOMS:
        return import_module(f"dexman_pose.{name}")
    if name not in __all__:
        raise AttributeError(f"module 'dexman_pose' has no attribute {name!r}")
    with told_missing(f"dexman_pose.{name}"):
        value: object = getattr(import_module(f"dexman_pose.{_ROOM_OF.get(name, 'data')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, *_ROOMS])
