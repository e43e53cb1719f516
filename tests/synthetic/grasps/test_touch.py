"""Skin brought to the surface: fingers that hold touch, nothing goes deep, free fingers stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dexman_pose.hands.model.fit import fit_joints
from dexman_pose.synthetic.demo.tin import tin_distance
from dexman_pose.synthetic.grasps.recorded import RecordedGrasp
from dexman_pose.synthetic.grasps.touch import PARTS, brought_to_touch, holding, skin_gaps


def test_gaps_are_those_of_the_tin(recorded: RecordedGrasp) -> None:
    fit = fit_joints(recorded.joints, recorded.side, recorded.valid)
    hand = fit.model(resolution=0.005)
    gaps = skin_gaps(hand, fit.angles, fit.frame_from_hand, recorded.mesh, recorded.camera_from_object)
    assert gaps.distance.shape == (recorded.num_frames, len(PARTS))
    t = recorded.num_frames - 1
    place = np.linalg.inv(recorded.camera_from_object[t]) @ fit.frame_from_hand[t]
    skin = hand.vertices(hand.pose_from_angles(fit.angles[t]), place)
    thumb = skin[hand.weights[:, 2:4].sum(1) > 0.5]
    assert abs(gaps.distance[t, 0] - tin_distance(thumb).min()) < 5e-4
    np.testing.assert_allclose(np.linalg.norm(gaps.away, axis=-1), 1.0, atol=1e-3)


def test_a_hand_that_is_off_is_brought_to_touch(recorded: RecordedGrasp) -> None:
    """All joints measured 4 mm too far along one axis: fingers on one side float, on the other they sink in."""
    off = replace(recorded, joints=recorded.joints + [0.004, 0.0, 0.0])
    fit = fit_joints(off.joints, off.side, off.valid)
    before = skin_gaps(
        fit.model(resolution=0.004), fit.angles, fit.frame_from_hand, off.mesh, off.camera_from_object
    ).distance
    touched = brought_to_touch(fit, off.mesh, off.camera_from_object)
    after = skin_gaps(
        touched.model(resolution=0.004),
        touched.angles,
        touched.frame_from_hand,
        off.mesh,
        off.camera_from_object,
    ).distance
    held = holding(off.camera_from_object)
    assert held.any() and not held[:3].any()
    assert np.abs(before[held][:, :5]).max() > 2.5e-3
    assert np.abs(np.median(after[held], axis=0)[:5] + 0.0008).max() < 1.2e-3
    assert after[off.valid].min() > -4e-3
    assert touched.errors(off.joints).mean() < 6e-3


def test_nothing_is_held_that_does_not_move() -> None:
    still = np.tile(np.eye(4), (5, 1, 1))
    assert not holding(still).any()
