"""Pictures with known camera motion, and pictures in which everything else happens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import Clip, MaskSequence
from dexman_pose.imaging.camera_motion import CameraMotion, detect_camera_motion, hand_boxes
from dexman_pose.imaging.camera_verdict import STATES

FRAMES, START = 16, 7
SIZE = (480, 640)
Picture = NDArray[np.uint8]


def world(seed: int) -> Picture:
    """A patterned wall, larger than the picture."""
    noise = np.random.default_rng(seed).normal(0, 1, (600, 800, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    return (127 + 40 * smooth / smooth.std()).clip(0, 255).astype(np.uint8)


WALL, OTHER = world(0), world(1)


def view(x: float = 0.0, y: float = 0.0, zoom: float = 1.0, wall: Picture = WALL) -> Picture:
    """The wall seen by a camera that turned by (x, y) pixels and zoomed, with noise as of a sensor."""
    height, width = SIZE
    matrix = np.array(
        [
            [1 / zoom, 0, 399.5 + x - (width - 1) / 2 / zoom],
            [0, 1 / zoom, 299.5 + y - (height - 1) / 2 / zoom],
        ]
    )
    seen = cv2.warpAffine(wall, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    noise = np.random.default_rng(int(1000 * (x + y + zoom)) % 2**31).normal(0, 3, seen.shape)
    return (seen + noise).clip(0, 255).astype(np.uint8)


def detect(make: Callable[[int], Picture], **options: Any) -> CameraMotion:
    return detect_camera_motion(Clip.from_frames([make(k) for k in range(FRAMES)]), **options)


@pytest.mark.parametrize("pixels", [1.2, 3.0, 25.0])
def test_a_step_is_found_in_its_frame_and_measured(pixels: float) -> None:
    found = detect(lambda k: view(pixels * (k >= START)))
    assert found.moves
    assert found.state == ("still",) * START + ("moved",) * (FRAMES - START)
    np.testing.assert_allclose(found.displacement[START:], pixels, atol=0.2)
    assert found.ranges == [(START, FRAMES - 1)]
    assert f"from frame {START} to {FRAMES - 1} (up to {pixels:.1f} px)" in found.summary


def test_less_than_the_threshold_is_still() -> None:
    found = detect(lambda k: view(0.4 * (k >= START)))
    assert not found.moves and set(found.state) == {"still"}


def test_a_pan_is_followed_out_of_the_first_view() -> None:
    pan = Clip.from_frames([view(-70 + 20.0 * k, wall=np.tile(WALL, (1, 2, 1))) for k in range(FRAMES)])
    found = detect_camera_motion(pan)
    assert found.moved[1:].all()
    np.testing.assert_allclose(found.displacement, 20.0 * np.arange(FRAMES), atol=1.5)


def test_a_zoom_and_a_shake_are_found() -> None:
    zoom = detect(lambda k: view(zoom=1 + 0.03 * (k >= START)))
    assert zoom.moved[START:].all() and not zoom.moved[:START].any()
    shake = detect(lambda k: view(3.0 * (k == START) - 3.0 * (k == START + 1)))
    assert np.flatnonzero(shake.moved).tolist() == [START, START + 1]


def test_a_cut_is_a_move_and_a_flash_is_not() -> None:
    cut = detect(lambda k: view(wall=OTHER if k >= START else WALL))
    assert cut.cuts == (START,) and cut.moved[START:].all() and not cut.moved[:START].any()
    assert cut.displacement[START] == pytest.approx(800.0)
    assert "cut" in cut.summary
    flash = detect(lambda k: view(wall=OTHER if START <= k < START + 3 else WALL))
    assert not flash.moves and flash.cuts == ()
    assert np.flatnonzero(flash.unknown).tolist() == [START, START + 1, START + 2]


def _flicker(k: int) -> Picture:
    return (view() * (1 + 0.25 * np.sin(2.0 * k))).clip(0, 255).astype(np.uint8)


def _lamp(k: int) -> Picture:
    light = np.linspace(0.4, 1.3, SIZE[1])[None, :, None] if k >= START else 1.0
    return (view() * light).clip(0, 255).astype(np.uint8)


def _jpeg(k: int) -> Picture:
    noisy = (view() + np.random.default_rng(k).normal(0, 8, (*SIZE, 3))).clip(0, 255).astype(np.uint8)
    return cv2.imdecode(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 20])[1], cv2.IMREAD_COLOR)


def _person(k: int, step: float, share: float = 0.5) -> Picture:
    out, width = view(), int(share * SIZE[1])
    out[:, :width] = view(step * k, wall=OTHER)[:, :width]
    return out


@pytest.mark.parametrize(
    "make",
    [
        _flicker,
        _lamp,
        _jpeg,
        lambda k: _person(k, 4.0),
        lambda k: _person(k, 0.5),
        lambda k: _person(k, 0.2),
        lambda k: _person(k, 1.0, 0.3),
    ],
)
def test_what_else_happens_is_no_motion_of_the_camera(make: Callable[[int], Picture]) -> None:
    found = detect(make)
    assert not found.moves
    assert found.unknown.mean() < 0.5


def test_nothing_to_follow_cannot_be_told() -> None:
    grey = np.full((*SIZE, 3), 120, np.uint8)

    def person_before_a_plain_wall(k: int) -> Picture:
        out = grey.copy()
        out[:, 150:450] = view(3.0 * k, wall=OTHER)[:, 150:450]
        return out

    plain = detect(lambda k: (grey + np.random.default_rng(k).normal(0, 3, grey.shape)).astype(np.uint8))
    assert plain.unknown[1:].all() and not plain.displacement.any()
    assert "nothing of the background" in plain.summary
    assert not detect(person_before_a_plain_wall).moves


def test_foreground_has_no_vote() -> None:
    def all_but_a_strip(k: int) -> Picture:
        return _person(k, 3.0, 0.9)

    masks = MaskSequence(("thing",), *SIZE, FRAMES)
    labels = np.zeros(SIZE, np.uint8)
    labels[:, : int(0.9 * SIZE[1])] = 1
    for k in range(FRAMES):
        masks.set(k, labels)
    assert not detect(all_but_a_strip, masks=masks).moves
    assert detect(lambda k: view(3.0 * (k >= START)), masks=MaskSequence(("thing",), *SIZE, FRAMES)).moves


def test_boxes_of_hands_are_foreground() -> None:
    joints = np.zeros((2, 2, 21, 2))
    joints[0, 1, :, 0], joints[0, 1, :, 1] = np.linspace(100, 140, 21), np.linspace(200, 220, 21)
    at = hand_boxes(joints, np.array([[False, True], [False, False]]), SIZE)
    rows, columns = np.nonzero(at(0))
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (80, 160, 190, 230)
    assert not at(1).any()


def test_the_same_clip_gives_the_same_answer() -> None:
    first, second = (detect(lambda k: view(1.5 * k, zoom=1 + 0.01 * k)) for _ in range(2))
    np.testing.assert_array_equal(first.displacement, second.displacement)
    np.testing.assert_array_equal(first.codes, second.codes)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("folder", ["cube", "generated", "hands", "taco", "whisking"])
def test_real_cameras_that_stand_still_are_never_said_to_move(data_dir: Path, folder: str) -> None:
    for path in sorted((data_dir / "clips" / folder).glob("*.mp4")):
        found = detect_camera_motion(Clip.open(path))
        assert not found.moves, f"{path.name}: {found.summary}"
        assert found.unknown.mean() < 0.05, path.name


@pytest.mark.data
def test_a_hand_held_camera_moves(data_dir: Path) -> None:
    frames = sorted((data_dir / "rgbd" / "rbt_cube").glob("color_image_*.png"))
    found = detect_camera_motion(Clip.from_images(frames))
    assert found.moves
    assert found.displaced.mean() > 0.8


@pytest.mark.parametrize(
    ("unknown", "sentence"),
    [
        (0, "the camera stands still"),
        (3, "the camera stands still; in 3 of 10 frames it cannot be told"),
        (7, "the camera stands still in 3 of 10 frames; in 7 it cannot be told"),
        (9, "nothing of the background can be followed; in 9 of 10 frames it cannot be told"),
    ],
)
def test_a_camera_is_called_still_only_where_that_was_seen(unknown: int, sentence: str) -> None:
    codes = np.full(10, STATES.index("still"), np.uint8)
    codes[10 - unknown :] = STATES.index("unknown")
    assert CameraMotion(np.zeros(10), codes).summary == sentence
