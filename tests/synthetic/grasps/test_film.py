"""Films: the truth falls on the pictures, blur follows motion, the same seed gives the same frames."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.geometry.se3 import transform_points
from dexman_pose.render import Rasterizer
from dexman_pose.synthetic.grasps.film import FilmOptions, GraspFilm
from dexman_pose.synthetic.grasps.placed import PlacedGrasp
from dexman_pose.synthetic.grasps.stories import lift, with_bystander

SMALL = FilmOptions(size=(160, 120), resolution=0.005, forearm=0.3, shadow_pixels=64)


@pytest.fixture(scope="module")
def film(placed: PlacedGrasp) -> GraspFilm:
    scene = lift(placed, np.random.default_rng(0))
    return GraspFilm(with_bystander(scene, "other", placed.mesh, np.random.default_rng(1)), 2, SMALL)


def test_truth_falls_on_the_pictures(film: GraspFilm) -> None:
    t = film.scene.num_frames - 1
    picture = film.picture(t)
    for k, thing in enumerate(film.scene.objects):
        seen = Rasterizer(thing.mesh).render(film.camera_from_object[k, t], film.camera.K, 160, 120)
        assert seen.depth is not None
        whole = picture.outlines[k]
        assert (seen.mask[0] & whole).sum() / (seen.mask[0] | whole).sum() > 0.9
        inner = (picture.labels == k + 1) & seen.mask[0]
        assert inner.sum() > 20
        assert np.median(np.abs(picture.depth[inner] - seen.depth[0][inner])) < 2e-3
    pixels = np.round(film.camera.project(film.joints[0, t])).astype(int)
    inside = ((pixels >= 0) & (pixels < [160, 120])).all(1)
    assert (picture.labels[pixels[inside, 1], pixels[inside, 0]] != 0).mean() > 0.8
    assert ((picture.hand_ids > 0) == (picture.labels == 255)).all() and picture.hand_ids.max() == 1


def test_depth_beside_things_is_that_of_the_table(film: GraspFilm) -> None:
    picture = film.picture(0)
    floor = film.scene.objects[0].world_from_object[0, :2, 3]
    spots = np.array([[*(floor + d), 0.0] for d in ([0.09, 0.0], [-0.09, 0.0], [0.0, 0.09], [0.0, -0.09])])
    seen = transform_points(film.camera_from_world, spots)
    pixels = np.round(film.camera.project(seen)).astype(int)
    inside = ((pixels >= 0) & (pixels < [160, 120])).all(1)
    bare = [i for i in np.flatnonzero(inside) if picture.labels[pixels[i, 1], pixels[i, 0]] == 0]
    assert bare
    for i in bare:
        assert abs(picture.depth[pixels[i, 1], pixels[i, 0]] - seen[i, 2]) < 0.02


def test_the_same_seed_gives_the_same_frame_and_noise_differs_from_frame_to_frame(
    film: GraspFilm, placed: PlacedGrasp
) -> None:
    scene = lift(placed, np.random.default_rng(0))
    again = GraspFilm(with_bystander(scene, "other", placed.mesh, np.random.default_rng(1)), 2, SMALL)
    np.testing.assert_array_equal(again.frame(3), film.frame(3))
    other = GraspFilm(film.scene, 3, SMALL)
    assert (other.frame(3) != film.frame(3)).mean() > 0.5
    spread = film.frame(0).astype(float) - film.frame(1)
    assert 1.0 < spread[:8].std() < 6.0


def test_fast_motion_is_blurred_and_rest_is_not(film: GraspFilm) -> None:
    counts = [len(film._moments(t)) for t in range(film.scene.num_frames)]
    assert set(counts) <= {1, 3}
    still = GraspFilm(film.scene.at_frames(np.zeros(3)), 2, SMALL)
    assert len(still._moments(1)) == 1
    fast = GraspFilm(film.scene.at_frames(np.array([4.0, 9.0, 14.0])), 2, SMALL)
    moments = fast._moments(1)
    assert len(moments) == 3 and abs(moments.sum()) < 1e-12
    assert np.ptp(moments) < SMALL.exposure


def test_all_pictures_come_in_order(film: GraspFilm) -> None:
    for index, picture in zip(range(3), film.pictures()):
        np.testing.assert_array_equal(picture.labels, film.picture(index).labels)
