"""A lost object is looked for from a few starts a frame, from all of them in turn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.tracking.region_options import RegionRecoveryOptions, RegionTrackOptions
from dexman_pose.pose.tracking.region_tracker import RegionFrame, RegionTracker
from dexman_pose.pose.tracking.tracked_object import TrackedObject
from dexman_pose.render import Rasterizer


def tracker_of(scene: Any, recovery: RegionRecoveryOptions) -> RegionTracker:
    refiner = PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center)
    return RegionTracker(TrackedObject(refiner, scene.camera, 1), RegionTrackOptions(recovery=recovery))


@pytest.mark.parametrize(("tries", "every"), [(6, 1), (5, 2), (100, 1)])
def test_every_start_is_tried_in_turn_and_no_more_than_a_few_a_frame(
    scene: Any, monkeypatch: pytest.MonkeyPatch, tries: int, every: int
) -> None:
    tracker = tracker_of(scene, RegionRecoveryOptions(tries=tries, every=every))
    pose = scene.pose_at((0.5, 0.4, 0.1), (0.0, 0.0, 0.35))
    tracker.start(pose, RegionFrame(scene.picture(scene.mesh, pose)[0]))
    assert tracker.is_tracking
    starts = tracker._starts()
    grey = np.full((scene.camera.height, scene.camera.width, 3), 90, np.uint8)
    counts = np.zeros(len(starts), int)
    refined = RegionTracker._refined

    def counted(self: RegionTracker, start: Any, frame: RegionFrame) -> Any:
        counts[[np.array_equal(start, s) for s in self._starts()]] += 1
        return refined(self, start, frame)

    monkeypatch.setattr(RegionTracker, "_refined", counted)
    searches = -(-len(starts) // min(tries, len(starts)))
    for _ in range(searches * every):
        before = counts.sum()
        assert not tracker.step(RegionFrame(grey)).valid
        assert counts.sum() - before <= tries
    assert (counts >= 1).all()


def test_an_object_is_found_again_beside_its_last_place(scene: Any) -> None:
    tracker = tracker_of(scene, RegionRecoveryOptions())
    pose = scene.pose_at((0.5, 0.4, 0.1), (0.0, 0.0, 0.35))
    tracker.start(pose, RegionFrame(scene.picture(scene.mesh, pose)[0]))
    grey = np.full((scene.camera.height, scene.camera.width, 3), 90, np.uint8)
    for _ in range(3):
        tracker.step(RegionFrame(grey))
    assert tracker.lost_for == 3
    there = scene.pose_at((0.5, 0.4, 0.1), (0.03, 0.0, 0.35))
    image = scene.picture(scene.mesh, there)[0]
    found = [tracker.step(RegionFrame(image)) for _ in range(6)]
    assert found[-1].valid
    shift, turn = scene.error(found[-1].camera_from_object, there)
    assert shift < 3.0
    assert turn < 3.0
