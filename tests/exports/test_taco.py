"""TACO's files are read back by the reader of the data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dexman_pose.data import Trajectory
from dexman_pose.datasets.taco.files import open_root
from dexman_pose.datasets.taco.hands import read_hands
from dexman_pose.datasets.taco.models import read_objects
from dexman_pose.errors import InputError
from dexman_pose.exports import export
from dexman_pose.exports.scene import world_from_object, world_joints

CAN, BALL = "soup can / 1", "ball"
EXACT = 1e-9


def test_objects_and_hands(trajectory: Trajectory, tmp_path: Path) -> None:
    root = open_root(export(trajectory, "taco", tmp_path, sequence="20261129_007"))
    sequence = root.sequences["20261129_007"]
    notes: list[str] = []
    found = read_objects(root, sequence, notes)
    for role, name in (("tool", CAN), ("target", BALL)):
        obj = trajectory.objects[name]
        np.testing.assert_array_equal(found[role].valid, obj.valid)
        wanted = world_from_object(trajectory, name)
        np.testing.assert_allclose(found[role].world_from_object[obj.valid], wanted[obj.valid], atol=EXACT)
        np.testing.assert_allclose(found[role].mesh.vertices, obj.mesh.vertices, atol=EXACT)
    hands = read_hands(sequence, trajectory.num_frames, joint_order="manopth", expect_joints=True)
    notes += hands.notes
    for side, hand in trajectory.hands.items():
        np.testing.assert_array_equal(hands.valid[side], hand.valid)
        wanted = world_joints(trajectory, side)
        np.testing.assert_allclose(hands.joints[side][hand.valid], wanted[hand.valid], atol=EXACT)
    # What the layout has places for and a trajectory does not hold: parameters of MANO, poses of three frames.
    assert notes == [
        "tool_soup_can_1.npy: 3 of 12 frames have no pose",
        "left_hand.pkl is missing",
        "right_hand.pkl is missing",
    ]


def test_what_the_layout_has_no_place_for_is_refused(trajectory: Trajectory, tmp_path: Path) -> None:
    third = replace(trajectory.objects[BALL], name="third")
    many = replace(trajectory, objects={**trajectory.objects, "third": third})
    with pytest.raises(InputError, match="a tool and a target, but there are 3 objects"):
        export(many, "taco", tmp_path)
    with pytest.raises(InputError, match="a sequence is named by letters"):
        export(trajectory, "taco", tmp_path, sequence="../x")
