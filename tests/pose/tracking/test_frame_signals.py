from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.tracking.frame_signals import ComparedCrop, frame_signals, hue_histogram, picture_crop
from dexman_pose.pose.tracking.options import SignalOptions
from dexman_pose.pose.tracking.signals import FrameSignals, TrackSignals
from dexman_pose.pose.tracking.tracked_frame import FramePicture, TrackedFrame
from dexman_pose.pose.tracking.tracked_object import TrackedObject
from dexman_pose.render import Rasterizer


@pytest.fixture(scope="module")
def seen(scene: Any) -> tuple[TrackedObject, TrackedFrame, np.ndarray]:
    pose = scene.pose_at((0.4, 0.5, 0.1), (0.0, 0.0, 0.4))
    image, labels, depth = scene.picture(scene.mesh, pose)
    tracked = TrackedObject(PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center), scene.camera, 1)
    frame = TrackedFrame(FramePicture(image), labels, 1, scene.camera, depth)
    return tracked, frame, pose


def look(
    tracked: TrackedObject, frame: TrackedFrame, seen_from: Any, pose: Any, overlap: float
) -> FrameSignals:
    evidence = tracked.evidence(frame, seen_from)
    return frame_signals(tracked, frame, evidence, pose, FrameSignals(overlap, points=7.0))


def test_a_right_pose_has_colours_edges_and_depth_on_its_side(seen: Any) -> None:
    tracked, frame, pose = seen
    found = look(tracked, frame, pose, pose, 1.0)
    assert found.colors > 0.7 and found.depth_agrees > 0.95 and found.depth_behind < 0.05
    assert found.edges > 0.4
    assert found.known == 1.0
    assert found.overlap == 1.0 and found.points == 7.0  # what was known before stays


def test_a_wrong_pose_has_not(seen: Any, scene: Any) -> None:
    tracked, frame, pose = seen
    right = look(tracked, frame, pose, pose, 1.0)
    away = pose.copy()
    away[:3, 3] += [0.03, 0.0, -0.06]
    found = look(tracked, frame, away, away, 0.5)
    assert found.depth_agrees < 0.3 and found.depth_behind > 0.5
    assert found.colors < 0.3
    assert found.edges < 0.8 * right.edges


def test_out_of_sight_says_nothing(seen: Any, scene: Any) -> None:
    tracked, frame, pose = seen
    behind = pose.copy()
    behind[0, 3] += 5.0
    found = look(tracked, frame, pose, behind, 0.0)
    assert np.isnan([found.colors, found.edges, found.depth_agrees]).all() and found.overlap == 0.0


def test_the_crop_is_the_same_part_of_the_picture_at_any_reduction(seen: Any) -> None:
    tracked, frame, pose = seen
    evidence = tracked.evidence(frame, pose)
    for side in (40, 80, 400):
        crop = ComparedCrop.of(evidence, side)
        assert max(crop.size) <= side
        mask = np.repeat(frame.mask[..., None] * np.uint8(255), 3, 2)
        cut = picture_crop(mask, crop)[..., 0] > 127
        assert np.mean(cut != crop.mask) < 0.05


def test_histograms_count_each_channel_once() -> None:
    picture = np.zeros((9, 9, 3), np.float32)
    picture[..., 1] = 255.0
    found = hue_histogram(picture, np.ones((9, 9), bool), SignalOptions())
    assert found.sum() == pytest.approx(3.0)
    assert found[0] == found[15] == found[16] == 1.0


def test_frames_stack() -> None:
    stacked = TrackSignals.of([FrameSignals(), FrameSignals(overlap=0.5)])
    assert stacked.hues.shape == (2, 24)
    assert np.isnan(stacked.overlap[0]) and stacked.overlap[1] == 0.5
