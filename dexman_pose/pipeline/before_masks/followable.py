"""Which objects may be followed before there are masks; asked before anything else: nothing large is imported here."""

from __future__ import annotations

from dexman_pose.data.prompts import ObjectPrompt
from dexman_pose.pipeline.inputs import Inputs

SEGMENTATION = "grabcut"
"""The backend in whose place objects may be followed: a user who asks for another wants its masks."""


def followable(inputs: Inputs, segmentation: str) -> dict[str, ObjectPrompt]:
    """Objects that may be followed in place of being segmented: see :func:`of_known_shape`."""
    return of_known_shape(inputs) if segmentation == SEGMENTATION else {}


def of_known_shape(inputs: Inputs) -> dict[str, ObjectPrompt]:
    """Objects of known shape and size, seen by a known camera, without masks or poses of their own."""
    if inputs.camera is None or inputs.given.masks is not None:
        return {}
    return {
        name: prompt
        for name, prompt in inputs.prompts.items()
        if inputs.meshes.get(name) is not None
        and prompt.mesh_scale == "known"
        and name not in inputs.given.poses
    }
