"""Which objects a run may follow before there are masks."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import dexman_pose as dp
from dexman_pose.given.masks import ObjectMasks
from dexman_pose.given.poses import GivenPoses
from dexman_pose.pipeline.before_masks.followable import followable
from dexman_pose.pipeline.given import Given
from dexman_pose.pipeline.inputs import Inputs
from tests.pipeline.before_masks.scenes import inputs_of


def test_an_object_of_known_shape_before_a_known_camera_may_be_followed(tiny_scene: Any) -> None:
    inputs = inputs_of(tiny_scene)
    assert followable(inputs, "grabcut") == inputs.prompts


@pytest.mark.parametrize(
    "changed",
    [
        {"camera": None},
        {"prompt": {"mesh": None}},
        {"prompt": {"mesh_scale": "unknown"}},
        {"given": Given(poses={"box": GivenPoses(np.eye(4)[None].repeat(4, 0), np.ones(4, bool))})},
        {"given": Given(masks=ObjectMasks({"box": {}}, {}, "no file"))},
    ],
    ids=["camera", "shape", "size", "poses", "masks"],
)
def test_without_any_of_these_it_is_not(tiny_scene: Any, changed: dict[str, Any]) -> None:
    assert followable(inputs_of(tiny_scene, **changed), "grabcut") == {}


def test_who_asks_for_another_segmentation_gets_its_masks(tiny_scene: Any) -> None:
    assert followable(inputs_of(tiny_scene), "other") == {}


def test_of_several_objects_those_that_may_be_are_followed(tiny_scene: Any) -> None:
    inputs = inputs_of(tiny_scene)
    made = dp.ObjectPrompt(box=np.array(tiny_scene.box))
    both = Inputs(
        inputs.clip, {"made": made, **inputs.prompts}, {"made": None, **inputs.meshes}, inputs.camera
    )
    assert list(followable(both, "grabcut")) == ["box"]


def test_asking_imports_no_engine() -> None:
    """It is asked before hands are looked for, beside which the engine is imported."""
    code = (
        "import sys, dexman_pose.pipeline.before_masks.followable, dexman_pose.pipeline.stages; "
        "print('warp' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
