"""Joints are those of the hand, and their derivatives those that differences show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.geometry import se3, se3_exp, so3_exp
from dexman_pose.hands.mano.file import ManoFile
from dexman_pose.hands.mano.hand import ManoHand
from dexman_pose.hands.mano.kinematics import mano_joints
from dexman_pose.hands.mano.rig import ManoRig

STEP = 1e-6


def _numeric(joints: Callable[[Array], Array], size: int) -> Array:
    return np.stack([(joints(STEP * u) - joints(-STEP * u)) / (2 * STEP) for u in np.eye(size)], -1)


@pytest.mark.parametrize("side", ["right", "left"])
def test_joints_and_derivatives(mano_files: dict[str, ManoFile], side: str) -> None:
    rng = np.random.default_rng(8)
    betas, pose = rng.normal(size=10), 0.5 * rng.normal(size=(3, 15, 3))
    pose[1] = 0.0
    places = se3(so3_exp(rng.normal(size=(3, 3))), rng.normal(size=(3, 3)))
    hand = ManoHand(mano_files[side], betas, flat_hand_mean=True, left_fixed=True)
    rig = ManoRig.of(mano_files[side], True).rows(hand.tips)
    found = mano_joints(rig, betas, pose, places)
    np.testing.assert_allclose(found.joints, hand.joints(pose, places), atol=1e-12)
    shape = _numeric(lambda d: mano_joints(rig, betas + d, pose, places).joints, 10)
    np.testing.assert_allclose(found.by_shape, shape, atol=1e-8)
    turned = _numeric(lambda d: mano_joints(rig, betas, pose + d.reshape(15, 3), places).joints, 45)
    np.testing.assert_allclose(found.by_pose, turned, atol=1e-8)
    moved = _numeric(lambda d: mano_joints(rig, betas, pose, places @ se3_exp(d)).joints, 6)
    np.testing.assert_allclose(found.by_place, moved, atol=1e-8)
