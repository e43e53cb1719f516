from __future__ import annotations

import numpy as np

from dexman_pose.geometry import rotation_angle, se3, so3_exp
from dexman_pose.pose.refinement.refiner import is_converged
from dexman_pose.pose.tracking.motion_model import predict, same_face


def test_prediction_continues_the_motion_of_the_centre() -> None:
    center = np.array([0.02, 0.0, 0.01])
    poses = [se3(so3_exp([0, 0.1 * t, 0]), [0.01 * t, 0, 0.5]) for t in range(2)]
    out = predict(poses[1], poses[0], center)
    was = [p[:3, :3] @ center + p[:3, 3] for p in poses]
    np.testing.assert_allclose(
        out[:3, :3] @ center + out[:3, 3], was[1] + 0.8 * (was[1] - was[0]), atol=1e-12
    )
    assert abs(rotation_angle(out[:3, :3] @ poses[1][:3, :3].T) - 0.07) < 1e-9


def test_same_face_keeps_the_turn_in_the_image() -> None:
    first = se3(so3_exp([0.3, 0.2, 0.1]), [0, 0, 0.5])
    rolled = se3(so3_exp([0, 0, 0.7]) @ first[:3, :3], [0, 0, 0.5])
    plain, turned = same_face(rolled, first)
    np.testing.assert_allclose(plain, first[:3, :3])
    np.testing.assert_allclose(turned, rolled[:3, :3], atol=1e-9)


def test_hardly_moved() -> None:
    pose = se3(np.eye(3), [0, 0, 0.5])
    near, far = pose.copy(), pose.copy()
    near[0, 3], far[0, 3] = 0.0005, 0.005
    assert is_converged(pose, near)
    assert not is_converged(pose, far)
