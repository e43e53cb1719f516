from __future__ import annotations

import numpy as np

from dexman_pose.data import Clip, HandObservations
from dexman_pose.segmentation.grabcut.color import to_bins, to_lab
from dexman_pose.segmentation.grabcut.hands import HandModel

SKIN = (205, 150, 120)


def _open_hand(x: float, y: float) -> np.ndarray:
    """A hand seen from above: wrist at (x, y), fingers up."""
    joints = [(x, y)]
    for finger in range(5):
        fx = x - 20 + 10 * finger
        joints += [(fx, y - 30 - 8 * k) for k in range(4)]
    return np.array(joints)


def _observed(seen: bool = True) -> HandObservations:
    joints = np.zeros((3, 2, 21, 2))
    joints[:, 1] = _open_hand(60, 80)
    detected = np.zeros((3, 2), bool)
    detected[:, 1] = seen
    return HandObservations(joints, np.zeros((3, 2, 21, 3)), detected, np.zeros((3, 2), bool), detected * 1.0)


def _clip() -> Clip:
    image = np.full((120, 120, 3), (40, 90, 160), np.uint8)
    image[20:115, 30:90] = SKIN
    return Clip.from_frames([image] * 3)


def test_prior_is_high_on_the_hand_and_falls_away() -> None:
    model = HandModel.learn(_clip(), _observed(), 1.0, (120, 120))
    (field,) = model.fields(0, (120, 120))
    prior = field.through((slice(0, 120), slice(0, 120)))
    assert prior.shape == (120, 120)
    assert prior[50, 60] > 2
    assert prior[5, 5] == prior.min() < -4
    forearm, beyond_tips = prior[95, 60], prior[10, 60]
    assert forearm > 0
    assert beyond_tips < forearm
    part = field.through((slice(40, 60), slice(50, 70)))
    assert np.allclose(part, prior[40:60, 50:70])


def test_skin_is_learned_under_the_joints() -> None:
    model = HandModel.learn(_clip(), _observed(), 1.0, (120, 120))
    skin, cloth = (to_bins(to_lab(np.full((1, 1, 3), c, np.uint8))) for c in (SKIN, (40, 90, 160)))
    assert model.skin.density(skin)[0, 0] > 100 * model.skin.density(cloth)[0, 0]
    assert model.present(1)


def test_hand_never_seen_is_absent() -> None:
    model = HandModel.learn(_clip(), _observed(seen=False), 1.0, (120, 120))
    assert not model.present(0)
    assert model.fields(0, (120, 120)) == ()


def test_reach_holds_hand_and_forearm_inside_the_image() -> None:
    model = HandModel.learn(_clip(), _observed(), 1.0, (120, 120))
    (field,) = model.fields(0, (120, 120))
    rows, cols = field.window
    assert rows.start <= 26
    assert rows.stop == 120
    assert cols.start <= 40
    assert 80 <= cols.stop <= 120


def test_joints_scale_with_the_working_size() -> None:
    half = HandModel.learn(_clip(), _observed(), 0.5, (60, 60))
    (field,) = half.fields(0, (60, 60))
    assert field.through((slice(0, 60), slice(0, 60)))[25, 30] > 2
