"""A mesh drawn in the light of its clip, and that light."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.pose.matching.lit_drawing import LitWindow, fitted_light
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.render import Rasterizer

LIGHT = np.array([0.5, 0.15, -0.2, -0.3])


@pytest.fixture(scope="module")
def seen(scene: Any) -> tuple[Rasterizer, Any, ObjectView]:
    """The object lit from one side, over a noisy ground."""
    pose = scene.pose_at((0.5, 0.6, 0.2), (0.02, -0.01, 0.4))
    image, labels, _ = scene.picture(scene.mesh, pose)
    rasterizer, c = Rasterizer(scene.mesh), scene.camera
    drawn = rasterizer.render(pose[None], c.K, c.width, c.height, attributes=("depth", "color", "normal"))
    assert drawn.normal is not None and drawn.color is not None
    bright = LIGHT[0] + drawn.normal[0] @ LIGHT[1:]
    lit = (255.0 * drawn.color[0] * bright[..., None]).clip(0, 255)
    image = np.where(drawn.mask[0][..., None], lit, image).astype(np.uint8)
    return rasterizer, pose, ObjectView(image, labels, 1, c)


def test_the_light_is_found_and_the_drawing_is_the_picture(seen: Any) -> None:
    rasterizer, pose, look = seen
    window = LitWindow(look, look.own)
    found = fitted_light([window], rasterizer, [pose])
    assert found is not None
    light, spread = found
    c = look.camera
    normals = rasterizer.render(pose[None], c.K, c.width, c.height, attributes=("normal",)).normal
    assert normals is not None
    sides = normals[0][look.own]
    np.testing.assert_allclose(light[0] + sides @ light[1:], LIGHT[0] + sides @ LIGHT[1:], atol=0.03)
    assert spread < 4.0
    drawn = window.drawn(rasterizer, pose, light)
    assert drawn is not None
    whole = (drawn.share[..., 0] == 1.0) & window.compared
    assert np.abs(window.model(drawn) - window.picture)[whole].mean() < 5.0


def test_what_cannot_be_drawn_is_told(seen: Any, scene: Any) -> None:
    rasterizer, pose, look = seen
    window = LitWindow(look, look.own)
    behind, beside = pose.copy(), pose.copy()
    behind[2, 3], beside[0, 3] = -0.4, 0.5
    assert window.drawn(rasterizer, behind, LIGHT) is None
    assert window.drawn(rasterizer, beside, LIGHT) is None
    assert fitted_light([window], rasterizer, [beside]) is None
    assert fitted_light([], rasterizer, []) is None


def test_what_covers_the_object_is_not_compared(seen: Any) -> None:
    _, _, look = seen
    labels = look.labels.copy()
    labels[:, : look.labels.shape[1] // 2] = 255
    window = LitWindow(ObjectView(look.image, labels, 1, look.camera), look.own)
    x0 = round(look.camera.cx - window.camera.cx)
    middle = look.labels.shape[1] // 2 - x0
    assert not window.compared[:, : middle + 1].any()
    assert window.compared[:, middle + 2 :].any()
