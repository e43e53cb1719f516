"""Inputs of a run on a small rendered scene."""

from __future__ import annotations

from typing import Any

import numpy as np

import dexman_pose as dp
from dexman_pose.pipeline.inputs import Inputs


def inputs_of(scene: Any, **changed: Any) -> Inputs:
    """Of a scene, but for what is changed."""
    prompt = {"box": np.array(scene.box), "mesh": scene.mesh, **changed.pop("prompt", {})}
    prompts = {"box": dp.ObjectPrompt(**prompt)}
    meshes = changed.pop("meshes", {"box": prompt["mesh"]})
    clip = dp.Clip.from_frames(np.stack(changed.pop("frames", scene.frames)))
    return Inputs(clip, prompts, meshes, changed.pop("camera", scene.camera), **changed)
