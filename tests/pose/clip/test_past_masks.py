"""A known object is followed past masks that do not show it, and by its masks where they do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import OCCLUDER, Clip, MaskSequence
from dexman_pose.pose import track
from dexman_pose.pose.clip import past_masks as module
from dexman_pose.pose.clip.past_masks import PastMasksOptions, apart, best_begin, past_masks, without_own
from dexman_pose.pose.refinement.refiner import refiner_for
from dexman_pose.pose.tracking.track_record import TrackStart
from dexman_pose.pose.tracking.verdict import judged_again
from dexman_pose.render import Rasterizer

FRAMES = 7


@dataclass(frozen=True)
class Film:
    """The plain body through a few frames: true poses, its masks, and masks that hold paper beside it."""

    clip: Clip
    poses: NDArray[np.float64]
    good: MaskSequence
    leaking: MaskSequence


@pytest.fixture(scope="module")
def film(scene: Any) -> Film:
    poses = np.stack(
        [scene.pose_at((0.5, 0.4 - 0.02 * t, 0.1), (-0.02 + 0.005 * t, 0.0, 0.35)) for t in range(FRAMES)]
    )
    frames = [
        scene.filmed(scene.painted(scene.clutter(), scene.plain, pose, scene.plain_color), t)
        for t, pose in enumerate(poses)
    ]
    drawn = Rasterizer(scene.plain).render(poses, scene.camera.K, 320, 240).mask
    ones = np.ones((FRAMES, 1), np.float32)
    good, leaking = (MaskSequence(("thing",), 240, 320, FRAMES, ones) for _ in range(2))
    for t in range(FRAMES):
        labels = drawn[t].astype(np.uint8)
        good.set(t, labels)
        y, x = np.nonzero(drawn[t])
        rows, half = slice(y.min(), y.max() + 1), (x.min() + x.max()) // 2
        spoilt = labels.copy()
        spoilt[:, half:] = 0
        spoilt[rows, max(x.min() - 60, 0) : half] = 1
        leaking.set(t, spoilt)
    return Film(Clip.from_frames(np.stack(frames)), poses, good, leaking)


def errors(scene: Any, found: Any, film: Film) -> NDArray[np.float64]:
    """(T, 2) millimetres and degrees."""
    return np.array(
        [scene.error(p, true, scene.plain) for p, true in zip(found.camera_from_object, film.poses)]
    )


def test_masks_that_show_something_else_are_passed(scene: Any, film: Film) -> None:
    found = track(scene.plain, film.clip, film.leaking, scene.camera, start=film.poses[0])
    assert found.valid.all()
    assert (errors(scene, found, film) < [4.0, 2.0]).all()
    assert found.mask_iou is None and found.covariance is not None


def test_masks_that_show_it_are_followed(scene: Any, film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("followed without its masks")

    monkeypatch.setattr(module, "track_by_region", never)
    found = track(scene.plain, film.clip, film.good, scene.camera, start=film.poses[0])
    assert found.valid.all() and found.mask_iou is not None


def begin_of(scene: Any, film: Film, **fields: Any) -> TrackStart:
    refiner = refiner_for(scene.plain, film.good.mask(0, "thing"))
    return replace(TrackStart(refiner, 0, film.poses[0], given=True), **fields)


def test_a_start_in_doubt_is_left_to_its_masks(scene: Any, film: Film) -> None:
    by_masks = judged_again(track(scene.plain, film.clip, film.good, scene.camera), resized=False)
    nothing = replace(by_masks, valid=np.zeros(FRAMES, np.bool_))
    begin = begin_of(scene, film, doubt=("ambiguous",))
    assert past_masks(film.clip, film.good, scene.camera, "thing", begin, nothing) is nothing


def test_what_does_not_gain_is_left_as_it_was(scene: Any, film: Film) -> None:
    by_masks = track(scene.plain, film.clip, film.good, scene.camera, start=film.poses[0])
    begin = begin_of(scene, film)
    options = PastMasksOptions(enough=1.1, gain=0.1)
    assert (
        past_masks(film.clip, film.good, scene.camera, "thing", begin, by_masks, options=options) is by_masks
    )


def test_a_wrong_start_is_not_made_valid_without_masks(scene: Any, film: Film) -> None:
    far = film.poses[0].copy()
    far[0, 3] += 0.1
    found = track(scene.plain, film.clip, film.leaking, scene.camera, start=far)
    assert not (found.valid & (errors(scene, found, film)[:, 0] > 20.0)).any()


def test_it_begins_where_a_mask_is_explained_best(scene: Any, film: Film) -> None:
    by_masks = track(scene.plain, film.clip, film.good, scene.camera, start=film.poses[0])
    begin = begin_of(scene, film)
    overlap = np.array([0.95, 0.97, 0.91, 0.99, 0.2, 0.1, 0.92])
    swapped = replace(by_masks, mask_iou=overlap, valid=np.arange(FRAMES) < 3)
    there = best_begin(begin, swapped)
    assert there.frame == 1
    np.testing.assert_array_equal(there.camera_from_object, by_masks.camera_from_object[1])
    assert best_begin(begin, replace(swapped, mask_iou=0.9 * overlap)) is begin
    assert best_begin(begin, replace(swapped, valid=np.zeros(FRAMES, np.bool_))) is begin


def test_two_tracks_are_compared_where_masks_are_explained(scene: Any, film: Film) -> None:
    by_masks = track(scene.plain, film.clip, film.good, scene.camera, start=film.poses[0])
    moved = by_masks.camera_from_object.copy()
    moved[:4, 2, 3] += 0.009
    other = replace(by_masks, camera_from_object=moved)
    center = np.zeros(3)
    overlap = np.array([0.97, 0.98, 0.97, 0.5, 0.5, 0.5, 0.97])
    assert apart(replace(by_masks, mask_iou=overlap), other, center) == pytest.approx(0.009)
    assert apart(replace(by_masks, mask_iou=0.5 * overlap), other, center) == 0.0
    assert apart(replace(by_masks, mask_iou=None), other, center) == 0.0


def test_what_hides_the_object_is_kept() -> None:
    masks = MaskSequence(("one", "two"), 4, 5, 1)
    labels = np.array([[0, 1, 2, 255, 1]] * 4, np.uint8)
    masks.set(0, labels)
    out = without_own(masks, "one").labels(0)
    np.testing.assert_array_equal(out, [[0, 0, 2, OCCLUDER, 0]] * 4)
    np.testing.assert_array_equal(masks.labels(0), labels)
