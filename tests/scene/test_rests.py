"""Objects at rest: hands that hold something still do not put it on a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dexman_pose.arrays import Array
from dexman_pose.geometry import inverse, transform_points
from dexman_pose.scene.faces import standing_faces
from dexman_pose.scene.options import PriorOptions, SceneOptions
from dexman_pose.scene.rests import object_rests
from tests.scene.staged import CAMERA, CAMERA_FROM_WORLD, OFFSET, UP, degrees_between, hand, still

BOX = still("box", 0.1, 0.0)
TIMES = np.arange(60) / 30.0
FACES = standing_faces(BOX.mesh)


def _joints(places: Array) -> Array:
    """(T, 21, 3) joints of a hand at places (T, 3) of the world."""
    spread = 0.01 * np.random.default_rng(3).standard_normal((21, 3))
    return places[:, None] + spread


def test_a_rest_tells_the_normal_and_the_foot() -> None:
    (rest,) = object_rests(BOX, FACES, CAMERA, {}, TIMES)
    assert min(degrees_between(up, UP) for up in rest.up) < 1e-4
    assert rest.lowest(UP) @ UP + OFFSET == pytest.approx(0.0, abs=1e-9)
    assert rest.wrong == PriorOptions().unknown


def test_a_hand_far_away_and_one_that_comes_make_it_free() -> None:
    far = np.tile([-0.2, 0.1, 0.1], (60, 1))
    coming = np.linspace([-0.3, 0.0, 0.1], [0.1, 0.0, 0.1], 60)
    for places in (far, coming):
        (rest,) = object_rests(BOX, FACES, CAMERA, {"right": hand(_joints(places))}, TIMES)
        assert rest.wrong == PriorOptions().wrong


def test_a_still_hand_at_a_still_object_may_hold_it() -> None:
    holding = {"right": hand(_joints(np.tile([0.1, 0.0, 0.09], (60, 1))))}
    assert object_rests(BOX, FACES, CAMERA, holding, TIMES) == []
    moving = {"right": hand(_joints(np.linspace([0.06, 0.0, 0.09], [0.14, 0.0, 0.09], 60)))}
    assert len(object_rests(BOX, FACES, CAMERA, moving, TIMES)) == 1


def test_a_still_hand_far_behind_does_not_hold_what_it_is_seen_beside() -> None:
    behind = still("far", 0.1, 0.0).camera_from_object[0, :3, 3] * 1.8
    place = transform_points(inverse(CAMERA_FROM_WORLD), behind[None])
    (rest,) = object_rests(BOX, FACES, CAMERA, {"right": hand(_joints(np.tile(place, (60, 1))))}, TIMES)
    assert rest.wrong == PriorOptions().wrong


def test_less_is_known_of_a_guessed_camera_and_of_an_unknown_size() -> None:
    (sure,) = object_rests(BOX, FACES, CAMERA, {}, TIMES)
    (guessed,) = object_rests(BOX, FACES, replace(CAMERA, source="assumed"), {}, TIMES)
    (unsized,) = object_rests(replace(BOX, scale_source="hand"), FACES, CAMERA, {}, TIMES)
    assert guessed.along > 2 * sure.along and unsized.along > 5 * sure.along
    assert guessed.place_sigma(UP) > sure.place_sigma(UP)
    assert (guessed.up_sigma > sure.up_sigma).all()


def test_options_decide_what_is_rest() -> None:
    strict = SceneOptions(rests=replace(SceneOptions().rests, frames=61))
    assert object_rests(BOX, FACES, CAMERA, {}, TIMES, strict) == []


def test_what_keeps_still_for_a_moment_only_may_be_held() -> None:
    brief = still("box", 0.1, 0.0)
    brief.track.valid[8:] = False
    (rest,) = object_rests(brief, FACES, CAMERA, {}, TIMES)
    assert rest.wrong == PriorOptions().brief > PriorOptions().unknown
    (slow,) = object_rests(brief, FACES, CAMERA, {}, 10 * TIMES)
    assert slow.wrong == PriorOptions().unknown
