from __future__ import annotations

from typing import Any

import numpy as np

from dexman_pose.pose.tracking.tracked_frame import FramePicture, TrackedFrame


def test_own_pixels_and_box_are_those_of_the_label(scene: Any) -> None:
    labels = np.zeros((scene.camera.height, scene.camera.width), np.uint8)
    labels[10:20, 30:50], labels[40:50, :10] = 2, 255
    image = np.zeros((*labels.shape, 3), np.uint8)
    frame = TrackedFrame(FramePicture(image), labels, 2, scene.camera, None)
    assert frame.box is not None
    np.testing.assert_array_equal(frame.box, [30, 10, 49, 19])
    assert int(frame.own(beyond_mask=False).sum()) == 200
    np.testing.assert_array_equal(frame.own(beyond_mask=True), labels != 255)
    empty = TrackedFrame(FramePicture(image), labels, 1, scene.camera, None)
    assert empty.box is None and empty.evened is None
    assert empty.view.mask_box is None


def test_the_grey_picture_is_made_once_for_all_objects(scene: Any) -> None:
    image = np.random.default_rng(0).integers(0, 255, (scene.camera.height, scene.camera.width, 3), np.uint8)
    picture, labels = FramePicture(image), np.zeros(image.shape[:2], np.uint8)
    first, second = (TrackedFrame(picture, labels, label, scene.camera, None) for label in (1, 2))
    assert first.gray is second.gray and first.image is image
    np.testing.assert_allclose(first.gray, image @ [0.299, 0.587, 0.114], atol=1.0)
