"""Prompts come from the true outline, and only where enough of it is in the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.data import Camera, PoseTrack
from dexman_pose.datasets.recording import Recording
from dexman_pose.errors import InputError
from dexman_pose.evaluation.predicting import prompts_of
from dexman_pose.evaluation.protocol import Protocol

PROTOCOL = Protocol("p", "t", "taco", prompt_margin=2.0)


def test_a_prompt_is_the_box_of_the_projected_object_and_its_margin(recording: Recording) -> None:
    prompts = prompts_of(recording, PROTOCOL)
    for name, prompt in prompts.items():
        o = recording.objects[name]
        pose = o.camera_from_object[prompt.frame]
        pixels = recording.camera.project(o.mesh.vertices @ pose[:3, :3].T + pose[:3, 3])
        expected = np.concatenate([pixels.min(0) - 2.0, pixels.max(0) + 2.0])
        assert prompt.frame == 0 and prompt.box is not None
        assert np.abs(prompt.box - expected).max() <= 1.0
        assert prompt.mesh is o.mesh


def test_no_mesh_is_given_where_the_protocol_wants_generated_ones(recording: Recording) -> None:
    prompts = prompts_of(recording, replace(PROTOCOL, mesh="generated"))
    assert all(p.mesh is None for p in prompts.values())


def test_the_first_frame_with_half_the_object_in_sight_is_taken(recording: Recording) -> None:
    objects = dict(recording.objects)
    poses = objects["tool"].camera_from_object.copy()
    poses[:7, 0, 3] = -0.6  # out of the picture to the left
    objects["tool"] = replace(objects["tool"], track=PoseTrack(poses, np.ones(20, bool), np.ones(20)))
    assert prompts_of(replace(recording, objects=objects), PROTOCOL)["tool"].frame == 7


def test_an_object_out_of_sight_is_an_error_that_names_it(recording: Recording) -> None:
    narrow = replace(
        recording, camera=Camera(np.array([[200.0, 0, -900], [0, 200, 60], [0, 0, 1]]), 160, 120)
    )
    with pytest.raises(InputError, match=r"20230101_001/22070938: tool is in sight in no frame"):
        prompts_of(narrow, PROTOCOL)
