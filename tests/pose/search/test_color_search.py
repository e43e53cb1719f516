"""Masks that leak or miss a part suggest a pose; the mesh's colours refuse it and find another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from dexman_pose.data import Camera
from dexman_pose.pose.matching.color_agreement import ColorAgreement, color_agreement
from dexman_pose.pose.observation.view import ObjectView
from dexman_pose.pose.refinement.refiner import Refined, refiner_for
from dexman_pose.pose.search.color_search import (
    ColorSearchOptions,
    PoseJudge,
    colors_contradict,
    is_unexplained,
)
from dexman_pose.pose.search.hypotheses import Hypothesis
from dexman_pose.pose.search.search import search_pose


@pytest.fixture(scope="module")
def view(scene: Any) -> Any:
    true = scene.pose_at((0.4, 0.5, 0.2), (0.03, -0.02, 0.32))
    return true, *scene.picture(scene.mesh, true)


def test_colors_agree_at_the_true_pose_and_nowhere_else(scene: Any, view: Any) -> None:
    true, image, labels, _ = view
    rasterizer = refiner_for(scene.mesh).rasterizer
    turned = true.copy()
    turned[:3, :3] = true[:3, :3] @ np.diag([1.0, -1.0, -1.0])
    right, wrong = (
        color_agreement(rasterizer, pose, ObjectView(image, labels, 1, scene.camera))
        for pose in (true, turned)
    )
    assert right.value > 0.9 and right.contrast > 20.0
    assert wrong.value < 0.3


def test_neither_light_nor_the_mask_changes_the_agreement(scene: Any, view: Any) -> None:
    true, image, labels, _ = view
    rasterizer = refiner_for(scene.mesh).rasterizer
    ramp = np.linspace(0.5, 1.0, image.shape[1])[None, :, None] * [1.0, 0.9, 0.7]
    lit = (image * ramp).astype(np.uint8)
    assert color_agreement(rasterizer, true, ObjectView(lit, labels, 1, scene.camera)).value > 0.9
    half = labels.copy()
    half[:, : int(np.nonzero(labels)[1].mean())] = 0
    whole, cut = (
        color_agreement(rasterizer, true, ObjectView(image, m, 1, scene.camera)) for m in (labels, half)
    )
    assert cut == whole


def test_what_hides_the_object_is_not_compared(scene: Any, view: Any) -> None:
    true, image, labels, _ = view
    rasterizer = refiner_for(scene.mesh).rasterizer
    column = int(np.nonzero(labels)[1].mean())
    covered, hidden = image.copy(), labels.copy()
    covered[:, column:] = np.random.default_rng(0).integers(0, 255, covered[:, column:].shape, np.uint8)
    hidden[:, column:] = 255
    told = color_agreement(rasterizer, true, ObjectView(covered, hidden, 1, scene.camera))
    assert told.value > 0.9 and 0.3 < told.seen < 0.7
    assert color_agreement(rasterizer, true, ObjectView(covered, labels, 1, scene.camera)).value < 0.7


def test_less_contrast_asks_for_less_agreement() -> None:
    options = ColorSearchOptions()
    assert colors_contradict(ColorAgreement(0.4, 30.0, 1.0), options)
    assert not colors_contradict(ColorAgreement(0.4, 10.0, 1.0), options)
    assert not colors_contradict(ColorAgreement(-0.4, 3.0, 1.0), options)


@pytest.mark.parametrize("fault", ["a part is missing", "a box"])
def test_a_wrong_mask_does_not_lead_a_textured_mesh_astray(scene: Any, view: Any, fault: str) -> None:
    true, image, labels, _ = view
    v, u = np.nonzero(labels)
    mask = labels.copy()
    if fault == "a part is missing":
        mask[:, : int(np.quantile(u, 0.4))] = 0
    else:
        mask[v.min() : v.max() + 1, u.min() : u.max() + 1] = 1
    found = search_pose(refiner_for(scene.mesh, mask == 1), ObjectView(image, mask, 1, scene.camera))
    millimetres, degrees = scene.error(found[0].camera_from_object, true)
    assert millimetres < 3.0 and degrees < 2.0


def test_a_box_tells_what_a_mask_made_of_it_misses(scene: Any, view: Any) -> None:
    """Colours agree well enough with a pose on the rest of the mask; the box says that there is more."""
    true, image, labels, _ = view
    v, u = np.nonzero(labels)
    mask = labels.copy()
    mask[:, : int(np.quantile(u, 0.12))] = 0
    box = np.array([u.min() - 3.0, v.min() - 4.0, u.max() + 4.0, v.max() + 3.0])
    look = ObjectView(image, mask, 1, scene.camera, asked=box)
    refiner = refiner_for(scene.mesh, mask == 1)
    alone = search_pose(refiner, replace(look, asked=None))[0]
    found = search_pose(refiner, look)[0]
    millimetres, degrees = scene.error(found.camera_from_object, true)
    assert millimetres < 3.0 and degrees < 2.0
    assert found.iou <= alone.iou  # the mask is not explained better: the picture is
    assert np.linalg.eigvalsh(found.refined.hessian).max() > 0.0


def test_the_box_tells_a_pose_that_is_a_little_too_far_away(scene: Any, view: Any) -> None:
    true, image, labels, _ = view
    v, u = np.nonzero(labels)
    box = np.array([u.min() - 3.0, v.min() - 4.0, u.max() + 4.0, v.max() + 3.0])
    look = ObjectView(cv2.GaussianBlur(image, (0, 0), 1.2), labels, 1, scene.camera, asked=box)
    options, refiner = ColorSearchOptions(), refiner_for(scene.mesh, labels == 1)
    judge = PoseJudge(refiner, look, look.evidence(options.margin), options)
    far = true.copy()
    far[:3, 3] *= 1.035
    start = judge.at(far)
    found = judge.polished(start)
    assert found.agreed > start.agreed
    off = 1e3 * np.linalg.norm(found.refined.camera_from_object[:3, 3] - true[:3, 3])
    assert off < 4.0 < 1e3 * np.linalg.norm(far[:3, 3] - true[:3, 3])
    alone = PoseJudge(refiner, replace(look, asked=None), look.evidence(options.margin), options).at(far)
    assert alone.agreed == alone.colors == start.colors


def test_only_a_mask_that_a_box_made_is_searched_past() -> None:
    pose = np.eye(4)
    image, labels = np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.uint8)
    look = ObjectView(image, labels, 1, Camera.from_focal(9.0, 9, 9))
    boxed = replace(look, asked=np.array([1.0, 1.0, 7.0, 7.0]))
    half, well = (Hypothesis(pose, 1.0, iou, 0.7, Refined.unrefined(pose)) for iou in (0.85, 0.97))
    colors = ColorAgreement(0.7, 30.0, 1.0)
    assert is_unexplained(half, colors, boxed)
    assert not is_unexplained(half, colors, look)
    assert not is_unexplained(well, colors, boxed)
    assert not is_unexplained(half, ColorAgreement(0.92, 30.0, 1.0), boxed)
    assert not is_unexplained(half, ColorAgreement(0.7, 8.0, 1.0), boxed)


def test_without_colours_the_search_does_not_ask_them(scene: Any, view: Any) -> None:
    _, image, labels, _ = view
    plain = replace(scene.mesh, vertex_colors=None)
    found = search_pose(refiner_for(plain, labels == 1), ObjectView(image, labels, 1, scene.camera), keep=8)
    assert all(h.ncc == 0.0 for h in found)
