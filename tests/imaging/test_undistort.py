"""Undistorted pictures, labels, depth and pixels against analytic scenes; filmed ones are made by OpenCV's inverse."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import (
    OCCLUDER,
    Camera,
    Clip,
    DepthSequence,
    HandObservations,
    MaskSequence,
    ObjectPrompt,
)
from dexman_pose.data.lenses.models import Lens
from dexman_pose.errors import InputError
from dexman_pose.imaging.undistort import Undistortion, pinhole_of, undistortion_of, without_harmless_skew
from dexman_pose.imaging.undistorted_inputs import (
    UndistortedClip,
    outside_marked,
    undistorted_clip,
    undistorted_depth,
    undistorted_hands,
    undistorted_masks,
    undistorted_prompt,
    undistorted_views,
)

K = np.array([[240.0, 0, 161.0], [0, 242.0, 118.0], [0, 0, 1]])
SIZE = (320, 240)
BARREL = Camera(K, *SIZE, [-0.28, 0.09, 0.001, -0.002])
PINCUSHION = Camera(K, *SIZE, [0.25, 0.0, 0.0, 0.0])
FISHEYE = Camera.with_lens(K, *SIZE, Lens("fisheye", np.array([0.05, -0.02, 0.003, -0.002])))
CAMERAS = {"barrel": BARREL, "pincushion": PINCUSHION, "fisheye": FISHEYE}


def _found(camera: Camera) -> Undistortion:
    found = undistortion_of(camera)
    assert found is not None
    return found


@cache
def _filmed_rays(name: str) -> NDArray[np.float64]:
    """(H, W, 2) rays of the filmed pixels by OpenCV."""
    camera = CAMERAS[name]
    v, u = np.indices((camera.height, camera.width)).astype(float)
    pixels = np.stack([u, v], -1).reshape(-1, 1, 2)
    assert camera.lens is not None
    if camera.lens.model == "fisheye":
        flat = cv2.fisheye.undistortPoints(pixels, K, camera.lens.coefficients)
    else:
        flat = (pixels - K[:2, 2]) / K[[0, 1], [0, 1]]
        for _ in range(15):  # until OpenCV's projection meets the pixels
            points = np.concatenate([flat, np.ones((len(flat), 1, 1))], -1)
            seen = cv2.projectPoints(points, np.zeros(3), np.zeros(3), K, camera.distortion)[0]
            flat = flat - (seen - pixels) / K[[0, 1], [0, 1]]
    return np.asarray(flat).reshape(camera.height, camera.width, 2)


def _straight_rays(found: Undistortion) -> NDArray[np.float64]:
    v, u = np.indices((found.camera.height, found.camera.width)).astype(float)
    return found.camera.unproject(np.stack([u, v], -1), np.ones(u.shape))[..., :2]


def _shade(rays: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A smooth picture that depends on the ray alone."""
    x, y = rays[..., 0], rays[..., 1]
    channels = [np.sin(6 * x) * np.cos(5 * y), np.cos(4 * x + 3 * y), np.sin(5 * x - 4 * y)]
    return np.round(127 + 100 * np.stack(channels, -1)).astype(np.uint8)


@pytest.mark.parametrize("name", CAMERAS)
def test_pictures_are_those_of_the_pinhole(name: str) -> None:
    camera = CAMERAS[name]
    found = _found(camera)
    got = found.picture(_shade(_filmed_rays(name))).astype(int)
    off = np.abs(got - _shade(_straight_rays(found)).astype(int))[~found.outside]
    assert off.max() <= 3 and off.mean() < 0.5
    assert (got[found.outside] == 0).all()
    assert found.camera.is_pinhole and (found.camera.width, found.camera.height) == SIZE


@pytest.mark.parametrize("name", CAMERAS)
def test_depth_and_labels_are_taken_from_the_nearest_pixel(name: str) -> None:
    camera = CAMERAS[name]
    found = _found(camera)
    wall = lambda rays: 1.0 / (1.6 + 0.5 * rays[..., 0] - 0.3 * rays[..., 1])  # noqa: E731
    got = found.depth(wall(_filmed_rays(name)).astype(np.float32))
    true = wall(_straight_rays(found))
    # Half the diagonal of a filmed pixel, which shows up to 1.8 times as much at the edge as in the middle.
    most = np.hypot(0.5, 0.3) * true**2 * 1.8 * np.sqrt(0.5) / 240
    assert (np.abs(got - true) < most)[~found.outside].all()
    assert (got[found.outside] == 0).all()
    disc = lambda rays: (np.hypot(rays[..., 0] - 0.2, rays[..., 1] + 0.1) < 0.15).astype(np.uint8)  # noqa: E731
    labels = found.labels(disc(_filmed_rays(name)))
    wrong = (labels != disc(_straight_rays(found))) & ~found.outside
    assert wrong.sum() < 0.5 * 2 * np.pi * 0.15 * 240  # half of the pixels of its edge
    assert (labels[found.outside] == OCCLUDER).all()
    assert found.mask(disc(_filmed_rays(name)).astype(bool)).sum() == (labels == 1).sum()


@pytest.mark.parametrize("name", ["barrel", "pincushion"])
def test_pixels_are_moved_as_opencv_does(name: str) -> None:
    camera = CAMERAS[name]
    found = _found(camera)
    pixels = np.random.default_rng(0).uniform(20, 220, (40, 2))
    expected = cv2.undistortPoints(pixels[:, None], K, camera.distortion, P=found.camera.K)[:, 0]
    np.testing.assert_allclose(found.pixels(pixels), expected, atol=0.05)


def test_the_middles_of_the_edges_stay_in_sight_and_wide_lenses_give_up_the_outermost() -> None:
    for camera in (BARREL, FISHEYE):
        found = _found(camera)
        middles = np.array([[-0.5, camera.cy], [319.5, camera.cy], [camera.cx, -0.5], [camera.cx, 239.5]])
        moved = found.pixels(middles)
        assert (moved > -0.6).all() and (moved < np.array(SIZE) - 0.4).all()
        assert 0.5 < found.camera.fx / camera.fx < 1
    assert pinhole_of(PINCUSHION).fx == PINCUSHION.fx
    wide = Camera.with_lens(
        np.diag([90.0, 90, 1]) + np.array([[0, 0, 160], [0, 0, 120], [0, 0, 0.0]]), *SIZE, FISHEYE.lens
    )
    assert pinhole_of(wide).fx == pytest.approx(45)


def test_a_pinhole_costs_nothing() -> None:
    pinhole = Camera(K, *SIZE)
    assert undistortion_of(pinhole) is None
    clip = Clip.from_frames(np.zeros((2, 240, 320, 3), np.uint8))
    masks = MaskSequence(("cup",), 240, 320, 2)
    given = (clip, masks, pinhole, None)
    assert all(a is b for a, b in zip(undistorted_views(*given), given))
    assert undistorted_clip(clip, pinhole) is clip and undistorted_clip(clip, None) is clip
    assert undistortion_of(BARREL) is undistortion_of(replace(BARREL))  # maps are made once


def test_skew_is_a_lens_too_unless_nobody_can_see_it() -> None:
    skewed = K.copy()
    skewed[0, 1] = 8.0
    camera = Camera(skewed, *SIZE)
    found = _found(camera)
    v, u = np.indices((240, 320)).astype(float)
    filmed = _shade(camera.unproject(np.stack([u, v], -1), np.ones(u.shape))[..., :2])
    off = np.abs(found.picture(filmed).astype(int) - _shade(_straight_rays(found)).astype(int))
    assert found.camera.K[0, 1] == 0 and off[~found.outside].max() <= 3
    skewed[0, 1] = 0.02
    assert without_harmless_skew(Camera(skewed, *SIZE)).K.tolist() == K.tolist()


def test_a_clip_is_undistorted_when_frames_are_asked_for() -> None:
    frames = np.random.default_rng(1).integers(0, 255, (3, 240, 320, 3)).astype(np.uint8)
    filmed = Clip.from_frames(frames, 10.0)
    clip = undistorted_clip(filmed, BARREL)
    assert isinstance(clip, UndistortedClip) and undistorted_clip(clip, BARREL) is clip
    expected = [_found(BARREL).picture(f) for f in frames]
    np.testing.assert_array_equal(clip.frame(2), expected[2])
    np.testing.assert_array_equal([f for _, f in clip.frames()], expected)
    assert [i for i, _ in clip.frames(reverse=True)] == [2, 1, 0]
    np.testing.assert_array_equal(next(clip.frames(reverse=True))[1], expected[2])
    np.testing.assert_array_equal(clip.frame_times, filmed.frame_times)
    assert len({filmed.sha256(), clip.sha256(), undistorted_clip(filmed, FISHEYE).sha256()}) == 3
    with pytest.raises(InputError, match="the clip is 320x240, but its camera is for 640x480"):
        undistorted_clip(filmed, Camera(K, 640, 480, BARREL.distortion))


def test_masks_depth_and_hands_go_along() -> None:
    found = _found(PINCUSHION)
    assert found.outside.any()
    masks = MaskSequence(("cup",), 240, 320, 2, np.ones((2, 1), np.float32))
    labels = np.zeros((240, 320), np.uint8)
    labels[100:140, 150:190] = 1
    masks.set(1, labels)
    moved = undistorted_masks(masks, found)
    np.testing.assert_array_equal(moved.labels(1), found.labels(labels))
    assert moved.confidence[1, 0] == 1
    masks.faults = np.array([[0], [3]], np.uint8)
    marked = outside_marked(
        masks, undistorted_clip(Clip.from_frames(np.zeros((2, 240, 320, 3), np.uint8)), PINCUSHION)
    )
    assert (marked.labels(1)[found.outside] == OCCLUDER).all() and (marked.labels(1) == 1).sum() == 1600
    assert marked.faults is not None and marked.faults.tolist() == [[0], [3]]
    depth = DepthSequence.from_arrays(np.full((2, 240, 320), 0.7, np.float32))
    straight = undistorted_depth(depth, found)
    assert straight is not None
    np.testing.assert_array_equal(straight.frame(1) > 0, ~found.outside)
    joints = np.full((2, 2, 21, 2), 100.0)
    seen = HandObservations(joints, np.zeros((2, 2, 21, 3)), *np.ones((2, 2, 2), bool), np.ones((2, 2)))
    np.testing.assert_allclose(
        undistorted_hands(seen, found).joints_2d, joints * 0 + found.pixels([100.0, 100.0])
    )


def test_prompts_are_moved() -> None:
    found = _found(BARREL)
    box = np.array([200.0, 150.0, 260.0, 200.0])
    mask = np.zeros((240, 320), bool)
    mask[150:201, 200:261] = True
    prompt = undistorted_prompt(
        "cup", ObjectPrompt(box, np.array([[230.0, 175, 1], [10, 10, 0]]), mask), found
    )
    assert prompt.box is not None and prompt.points is not None and prompt.mask is not None
    rows, columns = np.nonzero(prompt.mask)
    around = [columns.min(), rows.min(), columns.max(), rows.max()]
    np.testing.assert_allclose(prompt.box, around, atol=1.5)
    np.testing.assert_allclose(prompt.points[0, :2], found.pixels(np.array([230.0, 175.0])))
    wide = _found(
        Camera.with_lens(K * [[0.4], [0.4], [1]] + [[0, 0, 96], [0, 0, 71], [0, 0, 0]], *SIZE, FISHEYE.lens)
    )
    for gone in (
        ObjectPrompt(points=np.array([[1.0, 1.0]])),
        ObjectPrompt(box=np.array([0.0, 0.0, 9.0, 9.0])),
    ):
        with pytest.raises(
            InputError, match=r"object 'cup': .* the lens shows more than an undistorted picture"
        ):
            undistorted_prompt("cup", gone, wide)


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(InputError, match="an image of 64x48 does not belong to a camera of 320x240"):
        _found(BARREL).picture(np.zeros((48, 64, 3), np.uint8))
