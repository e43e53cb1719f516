"""Objects followed before there are masks, and masks of them beside those of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dexman_pose.data import BACKGROUND, OCCLUDER, Clip, HandObservations, MaskSequence
from dexman_pose.pose.clip.followed import follow_known, joined_masks
from dexman_pose.pose.clip.options import FollowOptions
from dexman_pose.pose.clip.types import ObjectRequest
from dexman_pose.pose.tracking.hand_cover import hands_over

FRAMES = 6


@dataclass(frozen=True)
class Film:
    """A coloured body that moves beside a plain one that rests, labels of frame 2, true poses of both."""

    clip: Clip
    first: MaskSequence
    body: list[NDArray[np.float64]]
    rest: NDArray[np.float64]


@pytest.fixture(scope="module")
def film(scene: Any) -> Film:
    body = [scene.pose_at((0.5, 0.4 + 0.02 * t, 0.1), (-0.06 + 0.004 * t, 0.0, 0.35)) for t in range(FRAMES)]
    rest = scene.pose_at((0.5, 0.6, 0.1), (0.07, 0.02, 0.35))
    frames = []
    for t, pose in enumerate(body):
        behind = scene.painted(scene.clutter(1), scene.plain, rest, scene.plain_color)
        frames.append(scene.filmed(scene.painted(behind, scene.mesh, pose), t))
    first = MaskSequence(("body", "rest"), scene.camera.height, scene.camera.width, FRAMES)
    first.set(2, scene.mask(scene.mesh, body[2]) + np.uint8(2) * scene.mask(scene.plain, rest))
    return Film(Clip.from_frames(np.stack(frames)), first, body, rest)


def requests(scene: Any, *names: str) -> list[ObjectRequest]:
    meshes = {"body": scene.mesh, "rest": scene.plain}
    return [ObjectRequest(name, meshes[name], frame=2) for name in names]


def test_known_objects_are_found_in_one_frame_and_followed_through_all(scene: Any, film: Film) -> None:
    found = follow_known(film.clip, film.first, scene.camera, requests(scene, "body", "rest"))
    assert found is not None and set(found.tracks) == set(found.starts) == {"body", "rest"}
    assert all(start.frame == 2 and not start.doubt for start in found.starts.values())
    for t, pose in enumerate(film.body):
        assert found.tracks["body"].valid[t] and found.tracks["rest"].valid[t]
        assert scene.error(found.tracks["body"].camera_from_object[t], pose)[0] < 7.0
        assert scene.error(found.tracks["rest"].camera_from_object[t], film.rest, scene.plain)[0] < 7.0
        for name, mesh, true in (("body", scene.mesh, pose), ("rest", scene.plain, film.rest)):
            mask, drawn = found.masks.mask(t, name), scene.mask(mesh, true)
            assert (mask & drawn).sum() > 0.9 * (mask | drawn).sum()
            assert found.masks.confidence_of(t, name) > 0.5


def test_masks_are_cut_by_hands(scene: Any, film: Film) -> None:
    joints = np.zeros((FRAMES, 2, 21, 2))
    joints[:, 1] = np.random.default_rng(0).uniform([95, 100], [115, 200], (21, 2))
    joints[:, 1, 0], joints[:, 1, 9] = (105, 200), (105, 160)
    detected = np.zeros((FRAMES, 2), np.bool_)
    detected[5, 1] = True
    zeros = np.zeros_like(detected)
    hands = HandObservations(joints, np.zeros((FRAMES, 2, 21, 3)), detected, zeros, np.ones((FRAMES, 2)))
    found = follow_known(film.clip, film.first, scene.camera, requests(scene, "body"), hands=hands)
    assert found is not None
    covered = hands_over([joints[5, 1]], scene.camera)
    assert covered is not None
    np.testing.assert_array_equal(found.masks.labels(5) == OCCLUDER, covered)
    assert not (found.masks.labels(4) == OCCLUDER).any()
    assert (scene.mask(scene.mesh, film.body[5]) & covered).any()


def test_what_is_in_doubt_or_not_there_is_left_out(scene: Any, film: Film) -> None:
    elsewhere = MaskSequence(("body", "rest"), scene.camera.height, scene.camera.width, FRAMES)
    labels = film.first.labels(2).copy()
    labels[labels == 2] = 0
    labels[150:235, 200:310] = 2  # the ground, where the plain body is not
    elsewhere.set(2, labels)
    found = follow_known(film.clip, elsewhere, scene.camera, requests(scene, "body", "rest"))
    assert found is not None and set(found.tracks) == set(found.starts) == {"body"}
    assert found.masks.names == ("body",)
    nowhere = MaskSequence(("body", "rest"), scene.camera.height, scene.camera.width, FRAMES)
    assert follow_known(film.clip, nowhere, scene.camera, requests(scene, "body", "rest")) is None


def test_a_track_with_too_few_valid_frames_makes_no_masks(scene: Any, film: Film) -> None:
    empty = scene.filmed(scene.clutter(1))
    frames = [film.clip.frame(t) if t < 3 else empty for t in range(FRAMES)]
    clip = Clip.from_frames(np.stack(frames))
    most, half = FollowOptions(valid=0.6), FollowOptions(valid=0.5)
    assert follow_known(clip, film.first, scene.camera, requests(scene, "body"), options=most) is None
    found = follow_known(clip, film.first, scene.camera, requests(scene, "body"), options=half)
    assert found is not None and found.tracks["body"].valid.tolist() == [True] * 3 + [False] * 3
    assert found.masks.mask(2, "body").any() and not found.masks.labels(4).any()


def test_what_one_frame_leaves_in_doubt_is_begun_in_another(scene: Any, film: Film) -> None:
    """In frame 2 the body's mask is the ground; the masks of all frames show it in frame 4."""
    asked: list[list[str]] = []
    poor = MaskSequence(("body",), scene.camera.height, scene.camera.width, FRAMES)
    labels = np.zeros((scene.camera.height, scene.camera.width), np.uint8)
    labels[150:235, 200:310] = 1
    poor.set(2, labels)
    whole = MaskSequence(("body",), scene.camera.height, scene.camera.width, FRAMES)
    whole.set(2, labels)
    whole.set(4, np.uint8(1) * scene.mask(scene.mesh, film.body[4]))

    def segmented(names: Any) -> MaskSequence:
        asked.append(list(names))
        return whole

    wanted = requests(scene, "body")
    assert follow_known(film.clip, poor, scene.camera, wanted) is None
    found = follow_known(film.clip, poor, scene.camera, wanted, segmented=segmented)
    assert asked == [["body"]]
    assert found is not None and found.starts["body"].frame == 4
    assert found.tracks["body"].valid.all()
    assert scene.error(found.tracks["body"].camera_from_object[0], film.body[0])[0] < 7.0


def labelled(names: tuple[str, ...], rows: list[list[int]], confidence: float) -> MaskSequence:
    """Masks of a picture of one row, frame by frame."""
    out = MaskSequence(
        names, 1, len(rows[0]), len(rows), np.full((len(rows), len(names)), confidence, np.float32)
    )
    for t, row in enumerate(rows):
        out.set(t, np.array([row], np.uint8))
    return out


def test_masks_are_joined_in_the_order_of_the_names_and_followed_ones_count() -> None:
    o = OCCLUDER
    followed = labelled(("c", "a"), [[1, 2, 0, 0, o, o, 0], [0, 0, 0, 0, 0, 0, 0]], 0.75)
    segmented = labelled(("b",), [[1, 0, 1, 0, 1, 0, o], [1, 1, 1, o, 0, 0, 0]], 0.5)
    joined = joined_masks(["a", "b", "c"], [segmented], followed)
    assert joined.names == ("a", "b", "c")
    # Of both objects the followed one counts; what covers it may be the other object; else hands stay hands.
    assert joined.labels(0).tolist() == [[3, 1, 2, BACKGROUND, 2, o, o]]
    assert joined.labels(1).tolist() == [[2, 2, 2, o, 0, 0, 0]]
    np.testing.assert_array_equal(joined.confidence, [[0.75, 0.5, 0.75]] * 2)


def test_without_other_objects_the_masks_are_those_that_were_followed() -> None:
    followed = labelled(("a", "b"), [[1, 2, 0, OCCLUDER]], 0.75)
    joined = joined_masks(["b", "a"], [], followed)
    assert joined.labels(0).tolist() == [[2, 1, 0, OCCLUDER]]
    np.testing.assert_array_equal(joined.confidence, [[0.75, 0.75]])
