"""Grips, stretch by stretch: frames in which nothing is known of the object are no break."""

from __future__ import annotations

import numpy as np
import trimesh

from dexman_pose.data import Mesh, PoseTrack, RigidObject
from dexman_pose.interaction.along_sight import Grip


def test_frames_without_the_object_are_no_break_and_frames_without_the_grip_are() -> None:
    box = trimesh.creation.box((0.05, 0.05, 0.05))
    valid = np.ones(30, np.bool_)
    valid[8:12] = False
    track = PoseTrack(np.tile(np.eye(4), (30, 1, 1)), valid, valid.astype(float))
    thing = RigidObject("box", Mesh(np.asarray(box.vertices), np.asarray(box.faces)), track)
    gripped = np.zeros(30, np.bool_)
    gripped[5:8] = gripped[12:15] = gripped[20:25] = True
    first, second = Grip(thing, gripped, np.ones(30)).stretches(np.arange(30))
    assert first.tolist() == [5, 6, 7, 12, 13, 14]
    assert second.tolist() == [20, 21, 22, 23, 24]
    (some,) = Grip(thing, gripped[10:18], np.ones(8)).stretches(np.arange(10, 18))
    assert some.tolist() == [2, 3, 4]
