"""The stage of the contacts: objects whose tracks trembled are touched across the usual gaps."""

from __future__ import annotations

import numpy as np
import trimesh

from dexman_pose.contact.detect import JOINT_RADIUS
from dexman_pose.data import HandTrack, Mesh, PoseTrack, RigidObject
from dexman_pose.geometry.se3 import se3
from dexman_pose.pipeline.with_contact.contacts import TOUCH_OFF, contacts_stage
from dexman_pose.pipeline.with_contact.stage import GrippingHands

FRAMES, GAP = 8, 0.009


def _box(name: str, x: float) -> RigidObject:
    box = trimesh.creation.box((0.06, 0.06, 0.06))
    poses = se3(np.tile(np.eye(3), (FRAMES, 1, 1)), np.tile([x, 0.0, 0.6], (FRAMES, 1)))
    track = PoseTrack(poses, np.ones(FRAMES, bool), np.ones(FRAMES))
    return RigidObject(
        name, Mesh(np.asarray(box.vertices), np.asarray(box.faces)), track, scale_source="given"
    )


def test_what_trembled_is_touched_across_the_usual_gap() -> None:
    things = {"left_box": _box("left_box", -0.2), "right_box": _box("right_box", 0.2)}
    joints = np.full((FRAMES, 21, 3), [0.0, 0.5, 0.6])
    for tip, x in ((8, -0.2), (12, 0.2)):
        joints[:, tip] = [x, -0.03 - JOINT_RADIUS[tip] - GAP, 0.6]
    joints += np.array([0.0, 0.0, 1e-4]) * np.sin(np.arange(FRAMES))[:, None, None]
    ok = np.ones(FRAMES, bool)
    hand = HandTrack("right", joints, np.zeros((FRAMES, 21, 2)), ok, ~ok, ok * 1.0, np.full(21, 0.03))
    times = np.arange(FRAMES) / 30.0
    gripped = [{"side": "right", "object": name, "held": [], "gripped": [[0, FRAMES - 1]]} for name in things]
    report = {"handled": gripped}
    steady = contacts_stage(things, GrippingHands({"right": hand}, report), times).compute()
    assert GAP > TOUCH_OFF and not steady.touching.any()
    moved = {"right_box": things["right_box"]}
    found = contacts_stage(things, GrippingHands({"right": hand}, report, moved), times).compute()
    assert found.touching[found.pairs.index(("right", "right_box"))][:, 12].all()
    assert not found.touching[found.pairs.index(("right", "left_box"))].any()
    np.testing.assert_array_equal(found.distance, steady.distance)
