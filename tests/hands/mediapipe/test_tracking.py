"""Following hands with detectors that know the truth: gaps, crossings, doubles, late finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from dexman_pose.hands.mediapipe import roi as regions
from dexman_pose.hands.mediapipe import tracking
from dexman_pose.hands.mediapipe.landmarks import Sighting
from dexman_pose.hands.mediapipe.palm import Palms
from dexman_pose.hands.mediapipe.roi import Roi
from dexman_pose.hands.mediapipe.tracking import Detectors

Scene = list[list[tuple[np.ndarray, float, bool]]]  # per frame: joints, probability of right, palm visible


class FakeNetworks:
    """Sees what the scene holds: palms that are visible, and the hand nearest to a region's centre."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.looks = scene, 0
        self.palms_in: list[int] = []

    def frames(self, order: range) -> Iterator[tuple[int, np.ndarray]]:
        """Pictures that hold nothing but their number: they may be looked at before their turn."""
        for frame in order:
            yield frame, np.full((4, 4, 3), frame, dtype=np.uint8)

    def palms(self, image: np.ndarray, min_score: float) -> Palms:
        self.palms_in.append(int(image[0, 0, 0]))
        visible = [j for j, _, palm in self.scene[image[0, 0, 0]] if palm]
        boxes, points = np.zeros((len(visible), 4)), np.zeros((len(visible), 7, 2))
        for i, joints in enumerate(visible):
            half = 0.45 * regions.hand_size(joints)
            middle = tracking.centre(joints)
            boxes[i] = [*(middle - half), *(middle + half)]
            points[i, 0], points[i, 2] = joints[0], joints[9]
        return Palms(boxes, points, np.full(len(visible), 0.9))

    def landmarks(self, image: np.ndarray, rois: Sequence[Roi]) -> list[Sighting]:
        return [self._sighting(self.scene[image[0, 0, 0]], roi) for roi in rois]

    def _sighting(self, present: list[tuple[np.ndarray, float, bool]], roi: Roi) -> Sighting:
        self.looks += 1
        here = [(np.hypot(*(tracking.centre(j) - [roi.x, roi.y])), j, right) for j, right, _ in present]
        distance, joints, right = min(here, key=lambda h: h[0], default=(np.inf, np.zeros((21, 2)), 0.5))
        return Sighting(joints, np.zeros((21, 3)), 1.0 if distance < 0.5 * roi.size else 0.0, right, roi)

    def detectors(self) -> Detectors:
        return Detectors(self.palms, self.landmarks)


def _forward(scene: Scene) -> list[tracking.Tracklet]:
    fake = FakeNetworks(scene)
    return tracking.track_forward(fake.frames(range(len(scene))), fake.detectors())


def test_two_hands_are_two_tracklets(open_hand: np.ndarray) -> None:
    scene: Scene = [
        [(open_hand + [200 + 4 * i, 300], 0.9, True), (open_hand + [600, 300], 0.1, True)] for i in range(20)
    ]
    tracklets = _forward(scene)
    assert [(t.first, t.last, len(t.seen)) for t in tracklets] == [(0, 19, 20)] * 2
    assert sorted(t.mean_right() for t in tracklets) == pytest.approx([0.1, 0.9])


def test_a_hand_is_followed_without_its_palm_and_through_a_short_gap(open_hand: np.ndarray) -> None:
    scene: Scene = [[(open_hand + [200 + 2 * i, 300], 0.9, i == 0)] for i in range(20)]
    scene[8], scene[9] = [], []
    (tracklet,) = _forward(scene)
    assert sorted(set(range(20)) - set(tracklet.seen)) == [8, 9]


def test_a_jump_starts_a_new_tracklet(open_hand: np.ndarray) -> None:
    far = [(open_hand + [700, 300], 0.9, True)]
    scene: Scene = [[(open_hand + [200, 300], 0.9, True)]] * 10 + [far] * 10
    assert [(t.first, t.last) for t in _forward(scene)] == [(0, 9), (10, 19)]


def test_when_hands_merge_the_one_whose_side_fits_stays(open_hand: np.ndarray) -> None:
    scene: Scene = [
        [(open_hand + [200 + 15 * i, 300], 0.05, True), (open_hand + [500, 300], 0.95, True)]
        for i in range(20)
    ]
    for _ in range(20, 30):  # the left hand is behind the right one
        scene.append([(open_hand + [500, 300], 0.95, True)])
    tracklets = _forward(scene)
    right = next(t for t in tracklets if t.mean_right() > 0.5)
    assert (right.first, right.last) == (0, 29)
    assert max(t.last for t in tracklets if t is not right) < 22


def test_a_hand_found_late_is_followed_back(open_hand: np.ndarray) -> None:
    scene: Scene = [[(open_hand + [200 + 3 * i, 300], 0.9, i >= 12)] for i in range(20)]
    fake = FakeNetworks(scene)
    tracklets = tracking.track_forward(fake.frames(range(20)), fake.detectors())
    assert tracklets[0].first == 12
    tracking.track_backward(lambda n: fake.frames(range(n - 1, -1, -1)), fake.detectors(), tracklets)
    assert (tracklets[0].first, len(tracklets[0].seen)) == (0, 20)


def test_going_back_stops_at_another_tracklet(open_hand: np.ndarray) -> None:
    scene: Scene = [[(open_hand + [200, 300], 0.9, True)] for _ in range(20)]
    fake = FakeNetworks(scene)
    sighting = Sighting(open_hand + [200, 300], np.zeros((21, 3)), 1.0, 0.9, Roi(200, 300, 100, 0))
    early = tracking.Tracklet(dict.fromkeys(range(10), sighting))
    late = tracking.Tracklet(dict.fromkeys(range(13, 20), sighting))
    tracking.track_backward(lambda n: fake.frames(range(n - 1, -1, -1)), fake.detectors(), [early, late])
    assert (late.first, late.last) == (10, 19) and len(early.seen) == 10


def test_what_is_no_hand_is_not_looked_at_again_at_once(open_hand: np.ndarray) -> None:
    scene: Scene = [[(open_hand + [200, 300], 0.9, True)] for _ in range(6)]
    fake = FakeNetworks(scene)
    detectors = Detectors(fake.palms, lambda image, rois: [_no_hand(fake, r) for r in rois])
    assert tracking.track_forward(fake.frames(range(6)), detectors) == []
    assert fake.looks == 1


def _no_hand(fake: FakeNetworks, roi: Roi) -> Sighting:
    fake.looks += 1
    return Sighting(np.zeros((21, 2)), np.zeros((21, 3)), 0.01, 0.5, roi)


def test_box_overlap_and_same_hand(open_hand: np.ndarray) -> None:
    assert tracking.box_overlap(open_hand, open_hand) == pytest.approx(1.0)
    assert tracking.box_overlap(open_hand, open_hand + 1000.0) == 0.0
    assert tracking.same_hand(open_hand, open_hand + 2.0)
    assert not tracking.same_hand(open_hand, open_hand + [90.0, 0.0])


def test_palms_are_looked_for_in_every_frame_until_two_hands_are_followed_then_in_every_third(
    open_hand: np.ndarray,
) -> None:
    both = [(open_hand + [200, 300], 0.9, True), (open_hand + [600, 300], 0.1, True)]
    fake = FakeNetworks([both[:1]] * 7 + [both] * 24)
    tracklets = tracking.track_forward(fake.frames(range(31)), fake.detectors())
    assert [(t.first, t.last) for t in tracklets] == [(0, 30), (7, 30)]
    assert fake.palms_in[:8] == list(range(8))
    late = [
        index for index in fake.palms_in if index > 12
    ]  # those just before were begun when they seemed needed
    assert late == [15, 18, 21, 24, 27, 30]


def test_beside_a_hand_that_is_long_alone_palms_are_looked_for_in_every_third_frame_and_none_is_missed(
    open_hand: np.ndarray,
) -> None:
    both = [(open_hand + [200, 300], 0.9, True), (open_hand + [600, 300], 0.1, True)]
    come = 2 * tracking.ALONE + 1
    while come % tracking.PALM_EVERY != 1:
        come += 1  # the worst frame to come in
    count = come + 10
    fake = FakeNetworks([both[:1]] * come + [both] * 10)
    tracklets = tracking.track_forward(fake.frames(range(count)), fake.detectors())
    asked = [index for index in fake.palms_in if tracking.ALONE + 5 < index < come]
    assert asked and all(index % tracking.PALM_EVERY == 0 for index in asked)
    assert set(range(tracking.ALONE)) <= set(fake.palms_in)
    assert [t.first for t in tracklets] == [0, come + 2]
    tracking.track_backward(lambda n: fake.frames(range(n - 1, -1, -1)), fake.detectors(), tracklets)
    assert [t.first for t in tracklets] == [0, come]
