"""The stage that follows objects: what it depends on, and what becomes of its result in a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dexman_pose as dp
from dexman_pose.data import HandObservations
from dexman_pose.pipeline.backends import Backends
from dexman_pose.pipeline.before_masks.stage import follow_stage
from dexman_pose.pipeline.inputs import Fingerprints, Inputs
from dexman_pose.pipeline.stages import Stages

NOTICE = "Masks of box are the outlines of the poses that were followed, less what hands cover."


def inputs_of(scene: Any, **prompt: Any) -> Inputs:
    prompts = {"box": dp.ObjectPrompt(box=np.array(scene.box), mesh=scene.mesh, **prompt)}
    return Inputs(dp.Clip.from_frames(np.stack(scene.frames)), prompts, {"box": scene.mesh}, scene.camera)


def nobody() -> HandObservations:
    none = np.zeros((4, 2), np.bool_)
    return HandObservations(np.zeros((4, 2, 21, 2)), np.zeros((4, 2, 21, 3)), none, none, np.zeros((4, 2)))


def test_it_depends_on_everything_it_reads(tiny_scene: Any) -> None:
    inputs = inputs_of(tiny_scene)
    marks = Fingerprints.of(inputs)
    stage = follow_stage(inputs, marks, "grabcut", inputs.prompts, None, engine=("pose", "render"))
    assert stage.name == "follow" and stage.artefact == "stages/follow.npz"
    assert stage.after == ("prompts",)
    assert set(stage.rooms) == {"segmentation", "pipeline", "pose", "render"}
    assert stage.settings == {
        "clip": marks.clip,
        "prompts": marks.prompts,
        "meshes": marks.meshes,
        "camera": marks.camera,
        "depth": None,
        "objects": ["box"],
    }
    with_hands = follow_stage(inputs, marks, "grabcut", inputs.prompts, nobody(), engine=())
    assert with_hands.after == ("prompts", "hands")


def test_its_result_is_computed_saved_and_loaded(tiny_scene: Any, tmp_path: Path) -> None:
    inputs = inputs_of(tiny_scene)
    stage = follow_stage(inputs, Fingerprints.of(inputs), "grabcut", inputs.prompts, None, engine=("pose",))
    found = stage.compute()
    assert found.tracks["box"].valid.all()
    stage.save(found, tmp_path / "follow.npz")
    back = stage.load(tmp_path / "follow.npz")
    np.testing.assert_array_equal(
        back.tracks["box"].camera_from_object, found.tracks["box"].camera_from_object
    )


@pytest.mark.parametrize(
    ("prompt", "segmentation", "follows"),
    [({}, "grabcut", True), ({"mesh_scale": "unknown"}, "grabcut", False), ({}, "other", False)],
)
def test_a_run_has_the_stage_only_where_something_may_be_followed(
    tiny_scene: Any, prompt: dict[str, Any], segmentation: str, follows: bool
) -> None:
    inputs = inputs_of(tiny_scene, **prompt)
    stages = Stages(inputs, Fingerprints.of(inputs), Backends(None, segmentation, "silhouette"))
    assert stages.follows() is follows


def test_a_run_tells_that_its_masks_are_outlines_of_poses(tiny_scene: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"camera": tiny_scene.camera, "hands": None, "overlay": False}
    clip = dp.Clip.from_frames(tiny_scene.frames)
    prompt = dp.ObjectPrompt(box=np.array(tiny_scene.box), mesh=tiny_scene.mesh)
    result = dp.reconstruct(clip, {"box": prompt}, out=tmp_path, **options)
    assert NOTICE in result.provenance["notices"]
    assert result.objects["box"].track.mask_iou is None
    kept = dp.Trajectory.load(tmp_path / "trajectory.npz")
    assert NOTICE in kept.provenance["notices"] and kept.objects["box"].track.mask_iou is None
    unknown = dp.ObjectPrompt(box=np.array(tiny_scene.box), mesh=tiny_scene.mesh, mesh_scale="unknown")
    other = dp.reconstruct(clip, {"box": unknown}, **options)
    assert NOTICE not in other.provenance["notices"]
    assert other.objects["box"].track.mask_iou is not None
