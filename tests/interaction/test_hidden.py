"""Joints behind the hand itself or behind an object count as hidden, those before them do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dexman_pose.hands.model.kinematics import SHAPE_NAMES, hand_joints
from dexman_pose.interaction.hidden import HidingOptions, hidden_by_hand, hidden_by_objects

OPTIONS = HidingOptions()


def _place(turn: list[list[float]]) -> np.ndarray:
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = turn, [0.0, 0.0, 0.6]
    return out[None]


def test_a_flat_hand_hides_nothing_and_a_fist_from_behind_its_tips() -> None:
    shape, flat = np.zeros(len(SHAPE_NAMES)), np.zeros((1, 21))
    back_to_camera = _place([[1, 0, 0], [0, -1, 0], [0, 0, -1]])
    assert not hidden_by_hand(hand_joints(shape, flat, back_to_camera), OPTIONS).any()
    fist = flat.copy()
    fist[:, [5, 9, 13, 17]] = 1.4
    fist[:, [7, 11, 15, 19]] = 1.7
    hidden = hidden_by_hand(hand_joints(shape, fist, back_to_camera), OPTIONS)[0]
    assert hidden[[12, 16]].all() and not hidden[[0, 5, 9, 13]].any()


def test_objects_hide_what_lies_behind_them(grasp: Callable[..., Any]) -> None:
    scene = grasp(frames=4)
    middle = scene.bar.camera_from_object[:, :3, 3]
    behind = np.tile(middle[:, None] * 1.09, (1, 21, 1))
    before = np.tile(middle[:, None] * 0.9, (1, 21, 1))
    frames = np.arange(4)
    assert hidden_by_objects(behind, [scene.bar], frames, OPTIONS).all()
    assert not hidden_by_objects(before, [scene.bar], frames, OPTIONS).any()
    assert not hidden_by_objects(behind, [], frames, OPTIONS).any()
