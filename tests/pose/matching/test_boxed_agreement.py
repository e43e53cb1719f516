"""A mesh drawn over a guess of the ground: both sides of its outline tell how far away it is."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from dexman_pose.pose.matching.boxed_agreement import BoxedPicture
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import refiner_for

FARTHER = (0.94, 0.97, 1.0, 1.03, 1.06)


@pytest.fixture(scope="module")
def view(scene: Any) -> Any:
    true = scene.pose_at((0.4, 0.5, 0.2), (0.03, -0.02, 0.32))
    return true, *scene.picture(scene.mesh, true)


def boxed(image: Any, labels: Any, camera: Any) -> ObjectView:
    v, u = np.nonzero(labels == 1)
    box = np.array([u.min() - 3.0, v.min() - 4.0, u.max() + 4.0, v.max() + 3.0])
    return ObjectView(image, labels, 1, camera, asked=box)


def agreements(scene: Any, look: ObjectView, true: Any) -> list[float]:
    around, rasterizer = BoxedPicture(look), refiner_for(scene.mesh).rasterizer
    out = []
    for share in FARTHER:
        pose = true.copy()
        pose[:3, 3] *= share
        out.append(around.agreement(rasterizer, pose))
    return out


def test_the_true_distance_agrees_best(scene: Any, view: Any) -> None:
    true, image, labels, _ = view
    soft = cv2.GaussianBlur(image, (0, 0), 1.2)
    found = agreements(scene, boxed(soft, labels, scene.camera), true)
    assert int(np.argmax(found)) == 2 and found[2] > 0.5
    assert found[2] - max(found[0], found[4]) > 0.05


def test_a_ground_that_grows_lighter_is_guessed(scene: Any, view: Any) -> None:
    true, image, labels, _ = view
    ramp = np.linspace(0.0, 90.0, image.shape[1])[None, :, None]
    lighter = np.where(labels[..., None] == 1, image, image * 0.4 + ramp).clip(0, 255).astype(np.uint8)
    assert int(np.argmax(agreements(scene, boxed(lighter, labels, scene.camera), true))) == 2


def test_what_hides_the_object_is_not_compared(scene: Any, view: Any) -> None:
    true, image, labels, _ = view
    look = boxed(image, labels, scene.camera)
    v, u = np.nonzero(labels)
    hidden, covered = labels.copy(), image.copy()
    hand = np.s_[v.min() - 10 : int(v.mean()), int(np.quantile(u, 0.6)) : u.max() + 10]
    hidden[hand] = 255
    covered[hand] = np.random.default_rng(0).integers(0, 255, covered[hand].shape, np.uint8)
    told = ObjectView(covered, hidden, 1, scene.camera, asked=look.asked)
    untold = ObjectView(covered, np.where(hidden == 255, 0, labels), 1, scene.camera, asked=look.asked)
    rasterizer = refiner_for(scene.mesh).rasterizer
    assert (
        BoxedPicture(told).agreement(rasterizer, true)
        > BoxedPicture(untold).agreement(rasterizer, true) + 0.1
    )
    assert int(np.argmax(agreements(scene, told, true))) == 2


def test_a_pose_out_of_sight_agrees_with_nothing(scene: Any, view: Any) -> None:
    true, image, labels, _ = view
    around, rasterizer = BoxedPicture(boxed(image, labels, scene.camera)), refiner_for(scene.mesh).rasterizer
    behind, beside = true.copy(), true.copy()
    behind[2, 3] = -0.3
    beside[0, 3] += 1.0
    assert around.agreement(rasterizer, behind) == 0.0
    assert around.agreement(rasterizer, beside) == 0.0
