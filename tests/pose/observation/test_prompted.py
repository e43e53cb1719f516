"""Which object of a picture is meant: a mask, a box, both, neither."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.errors import EstimationError, InputError
from dexman_pose.pose import estimate_pose
from dexman_pose.pose.observation.prompted import mask_or_box


def shot(scene: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Picture and labels of the scene at one pose, and the pose."""
    pose = scene.pose_at((0.4, -0.5, 0.2), (0.01, -0.005, 0.25))
    image, labels, _ = scene.picture(scene.mesh, pose)
    return image, labels, pose


def box_of(labels: np.ndarray, loose: int) -> tuple[int, int, int, int]:
    y, x = np.nonzero(labels == 1)
    return int(x.min()) - loose, int(y.min()) - loose, int(x.max()) + loose, int(y.max()) + loose


def test_a_mask_is_taken_as_it_is(scene: Any) -> None:
    image, labels, _ = shot(scene)
    found = mask_or_box(labels == 1, box_of(labels, 4), image, scene.camera)
    np.testing.assert_array_equal(found, labels == 1)


def test_a_box_leads_to_the_mask_in_it(scene: Any) -> None:
    image, labels, _ = shot(scene)
    found, own = mask_or_box(None, box_of(labels, 4), image, scene.camera), labels == 1
    assert (found & own).sum() > 0.9 * (found | own).sum()


def test_occluders_are_not_the_object(scene: Any) -> None:
    image, labels, _ = shot(scene)
    hidden = np.zeros(labels.shape, bool)
    hidden[:, : int(np.nonzero(labels == 1)[1].mean())] = True
    found = mask_or_box(None, box_of(labels, 4), image, scene.camera, occluders=hidden)
    assert found.any() and not (found & hidden).any()


def test_neither_mask_nor_box(scene: Any) -> None:
    image, _, _ = shot(scene)
    with pytest.raises(InputError, match="neither mask nor box"):
        estimate_pose(scene.mesh, image, camera=scene.camera)


def test_mask_and_box_of_different_things(scene: Any) -> None:
    image, labels, _ = shot(scene)
    x0, y0, _, _ = box_of(labels, 0)
    with pytest.raises(InputError, match="mask and box disagree"):
        estimate_pose(scene.mesh, image, labels == 1, scene.camera, box=(0, 0, x0 + 5, y0 + 5))


@pytest.mark.parametrize(
    ("box", "said"),
    [((50, 50, 20, 80), "x0 < x1"), ((900, 900, 950, 960), "outside"), ((1, 2, 3), "box")],
)
def test_boxes_that_are_none(scene: Any, box: tuple[int, ...], said: str) -> None:
    image, _, _ = shot(scene)
    with pytest.raises(InputError, match=said):
        estimate_pose(scene.mesh, image, box=box, camera=scene.camera)


def test_no_camera(scene: Any) -> None:
    image, labels, _ = shot(scene)
    with pytest.raises(InputError, match="needs the camera"):
        estimate_pose(scene.mesh, image, labels == 1)


def test_a_box_on_nothing(scene: Any) -> None:
    blank = np.full((scene.camera.height, scene.camera.width, 3), 90, np.uint8)
    with pytest.raises(EstimationError):
        estimate_pose(scene.mesh, blank, box=(40, 40, 90, 90), camera=scene.camera)


def test_a_box_is_enough_for_the_pose(scene: Any) -> None:
    image, labels, pose = shot(scene)
    found = estimate_pose(scene.mesh, image, box=box_of(labels, 5), camera=scene.camera)
    millimetres, degrees = scene.error(found.camera_from_object, pose)
    assert millimetres < 3.0 and degrees < 2.0 and found.valid
