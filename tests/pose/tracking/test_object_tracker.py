"""The state machine: tracking, lost, found again."""

from __future__ import annotations

from typing import Any

import numpy as np

from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.tracking.object_tracker import ObjectTracker
from dexman_pose.pose.tracking.state import Phase
from dexman_pose.pose.tracking.tracked_frame import FramePicture, TrackedFrame
from dexman_pose.pose.tracking.tracked_object import TrackedObject
from dexman_pose.render import Rasterizer


def test_an_object_is_lost_without_a_mask_and_found_again(scene: Any) -> None:
    pose = scene.pose_at((0.4, 0.5, 0.1), (0.0, 0.0, 0.4))
    image, labels, _ = scene.picture(scene.mesh, pose)
    tracker = ObjectTracker(
        TrackedObject(PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center), scene.camera, 1)
    )

    def frame(shown: bool) -> TrackedFrame:
        seen = labels if shown else np.zeros_like(labels)
        view = image if shown else np.zeros_like(image)
        return TrackedFrame(FramePicture(view), seen, 1, scene.camera, None)

    assert tracker.start(pose, frame(True)).valid
    assert tracker.is_tracking and tracker.state.phase is Phase.TRACKING
    gone = tracker.step(frame(False))
    assert not gone.valid and gone.confidence == 0.0
    assert not tracker.is_tracking and tracker.state.phase is Phase.LOST and tracker.state.lost_for == 1
    assert tracker.step(frame(True)).valid
    assert tracker.is_tracking and tracker.state.phase is Phase.TRACKING
