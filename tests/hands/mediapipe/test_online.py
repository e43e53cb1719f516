from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.hands.mediapipe import online
from dexman_pose.hands.mediapipe import roi as regions
from dexman_pose.hands.mediapipe.landmarks import Sighting
from dexman_pose.hands.mediapipe.online import OnlineHands
from dexman_pose.hands.mediapipe.palm import Palms
from dexman_pose.hands.mediapipe.roi import Roi
from dexman_pose.hands.mediapipe.tracking import Detectors, Tracklet, centre

PICTURE = np.zeros((4, 4, 3), np.uint8)
Hands = list[tuple[np.ndarray, float]]  # joints, probability of right


class _Scene:
    """Networks that see the hands they are told."""

    def __init__(self) -> None:
        self.hands: Hands = []

    def palms(self, image: np.ndarray, least: float) -> Palms:
        boxes, points = np.zeros((len(self.hands), 4)), np.zeros((len(self.hands), 7, 2))
        for i, (joints, _) in enumerate(self.hands):
            half = 0.45 * regions.hand_size(joints)
            boxes[i] = [*(centre(joints) - half), *(centre(joints) + half)]
            points[i, 0], points[i, 2] = joints[0], joints[9]
        return Palms(boxes, points, np.full(len(self.hands), 0.9))

    def landmarks(self, image: np.ndarray, roi: Roi) -> Sighting:
        here = [(np.hypot(*(centre(j) - [roi.x, roi.y])), j, right) for j, right in self.hands]
        distance, joints, right = min(here, key=lambda h: h[0], default=(np.inf, np.zeros((21, 2)), 0.5))
        return Sighting(joints, np.zeros((21, 3)), 1.0 if distance < 0.5 * roi.size else 0.0, right, roi)

    def detectors(self) -> Detectors:
        return Detectors(self.palms, lambda image, rois: [self.landmarks(image, roi) for roi in rois])


def test_both_hands_get_their_side_after_a_few_pictures_and_keep_it(open_hand: np.ndarray) -> None:
    scene = _Scene()
    hands = OnlineHands(scene.detectors())
    found = []
    for i in range(30):
        scene.hands = [(open_hand + [200 + 4 * i, 300], 0.95), (open_hand + [700, 300], 0.05)]
        found.append(hands(3 * i, PICTURE))
    assert all(set(f) == {"left", "right"} for f in found[6:])
    assert all(f["right"].frame == 3 * i for i, f in enumerate(found) if i >= 6)
    assert np.allclose(found[-1]["right"].joints_2d, open_hand + [200 + 4 * 29, 300])
    assert np.allclose(found[-1]["left"].joints_2d, open_hand + [700, 300])


def test_a_hand_that_is_gone_is_no_longer_told(open_hand: np.ndarray) -> None:
    scene = _Scene()
    hands = OnlineHands(scene.detectors())
    scene.hands = [(open_hand + [200, 300], 0.95)]
    assert set([hands(i, PICTURE) for i in range(8)][-1]) == {"right"}
    scene.hands = []
    assert hands(8, PICTURE) == {}


def test_what_is_kept_does_not_grow(open_hand: np.ndarray) -> None:
    scene = _Scene()
    hands = OnlineHands(scene.detectors())
    scene.hands = [(open_hand + [200, 300], 0.95)]
    for i in range(4 * online.MEMORY):
        seen = hands(i, PICTURE)
    assert set(seen) == {"right"}
    (tracklet,) = hands._known
    assert len(tracklet.seen) <= online.MEMORY + online.RECONSIDERED + 1
    assert np.isclose(tracklet.mean_right(), 0.95)


def test_palms_are_not_looked_for_in_every_picture_while_a_hand_is_followed(open_hand: np.ndarray) -> None:
    scene = _Scene()
    looked: list[int] = []
    detectors = scene.detectors()
    palms = detectors.palms

    def counted(image: np.ndarray, least: float) -> Palms:
        looked.append(1)
        return palms(image, least)

    detectors.palms = counted
    hands = OnlineHands(detectors)
    scene.hands = []
    for i in range(6):
        hands(i, PICTURE)
    assert len(looked) == 6  # in each one while none is seen
    scene.hands = [(open_hand + [200, 300], 0.95)]
    hands(6, PICTURE)
    looked.clear()
    for i in range(7, 19):
        seen = hands(i, PICTURE)
    assert set(seen) == {"right"}
    assert len(looked) == 4
    scene.hands.append((open_hand + [700, 300], 0.05))  # a second hand comes
    for i in range(19, 26):
        seen = hands(i, PICTURE)
    assert set(seen) == {"left", "right"}


def test_a_hand_without_a_side_is_not_decided_on_in_every_picture(
    open_hand: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = _Scene()
    decided: list[int] = []
    assign = online.assign_sides

    def counted(tracklets: list[Tracklet]) -> list[int]:
        decided.append(len(tracklets))
        return assign(tracklets)

    monkeypatch.setattr(online, "assign_sides", counted)
    hands = OnlineHands(scene.detectors())
    # Three right hands: only two sides are to be had.
    scene.hands = [(open_hand + [300 * k, 300], 0.95) for k in range(1, 4)]
    for i in range(8):
        hands(i, PICTURE)
    assert -1 in hands._sides
    decided.clear()
    for i in range(8, 20):
        hands(i, PICTURE)
    assert len(decided) == 12 // online.UNSETTLED
