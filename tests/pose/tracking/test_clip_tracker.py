from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Clip, MaskSequence
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.pose import estimate_pose, refine_pose, track

FRAMES = 14


@pytest.fixture(scope="module")
def moving(scene: Any) -> tuple[Clip, MaskSequence, np.ndarray]:
    """A clip of a mesh that slides and turns, its masks and its true poses; frames 6 and 7 show nothing."""
    poses = np.stack(
        [
            se3(
                so3_exp([0.4 + 0.05 * t, 0.5 - 0.04 * t, 0.03 * t]),
                [-0.04 + 0.006 * t, 0.01, 0.34 + 0.003 * t],
            )
            for t in range(FRAMES)
        ]
    )
    frames = []
    masks = MaskSequence(("wedge",), scene.camera.height, scene.camera.width, FRAMES)
    for t, pose in enumerate(poses):
        hidden = t in (6, 7)
        away = se3(np.eye(3), [5.0, 0.0, 1.0])
        image, labels, _ = scene.picture(scene.mesh, away if hidden else pose)
        frames.append(image)
        masks.set(t, labels)
        masks.confidence[t] = 0.0 if hidden else 1.0
    return Clip.from_frames(np.stack(frames)), masks, poses


def test_track_follows_forwards_and_backwards(scene: Any, moving: Any) -> None:
    clip, masks, poses = moving
    found = track(scene.mesh, clip, masks, scene.camera, start=poses[4], start_frame=4)
    errors = np.array([scene.error(found.camera_from_object[t], poses[t]) for t in range(FRAMES)])
    seen = np.setdiff1d(np.arange(FRAMES), [6, 7])
    assert found.valid[seen].all()
    assert errors[seen, 0].max() < 3.0
    assert errors[seen, 1].max() < 3.5
    assert found.confidence[seen].min() > 0.5


def test_frames_without_the_object_are_flagged(scene: Any, moving: Any) -> None:
    clip, masks, poses = moving
    found = track(scene.mesh, clip, masks, scene.camera, start=poses[0])
    assert not found.valid[[6, 7]].any()
    assert found.confidence[[6, 7]].max() == 0.0
    assert np.isfinite(found.camera_from_object).all()


def test_refine_and_estimate_agree_with_the_truth(scene: Any, moving: Any) -> None:
    clip, masks, poses = moving
    image, mask = clip.frame(2), masks.mask(2, "wedge")
    refined = refine_pose(scene.mesh, poses[0], mask, scene.camera, image=image)
    millimetres, degrees = scene.error(refined.camera_from_object, poses[2])
    assert millimetres < 2.0
    assert degrees < 1.5
    estimate = estimate_pose(scene.mesh, image, mask, scene.camera)
    millimetres, degrees = scene.error(estimate.camera_from_object, poses[2])
    assert millimetres < 2.0
    assert degrees < 1.5
    assert estimate.covariance.shape == (6, 6)
    assert np.linalg.eigvalsh(estimate.covariance).min() > 0


def test_wrong_sizes_are_told(scene: Any) -> None:
    from dexman_pose.errors import InputError

    mask = np.ones((10, 10), bool)
    with pytest.raises(InputError, match=r"mask must have shape \(240, 320\)"):
        refine_pose(scene.mesh, np.eye(4), mask, scene.camera)
