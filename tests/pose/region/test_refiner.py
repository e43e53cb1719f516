"""Poses refined in pictures: right where the picture shows the object, told apart from nothing where it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.data import Camera, Mesh
from dexman_pose.pose.region.options import TEXTURE_FLOW, PointOptions, RegionOptions
from dexman_pose.pose.region.refiner import lighter
from dexman_pose.pose.solver.residuals import PointMatches

SOFT = PointOptions(flow=TEXTURE_FLOW)
"""Corners of a body whose colours change softly."""


def moved(pose: Any, x: float, y: float, z: float) -> Any:
    out = pose.copy()
    out[:3, 3] = x, y, z
    return out


def test_corners_of_the_last_picture_are_followed_until_it_is_forgotten(scene: Any, shapes: Any) -> None:
    options = RegionOptions(texture=False, points=SOFT)
    poses = [scene.pose_at((0.4, 0.5 + 0.05 * t, 0.1), (0.004 * t, 0.0, 0.3)) for t in range(3)]
    images = [scene.picture(scene.mesh, pose)[0] for pose in poses]
    refiner = shapes.refiner_of(scene.mesh, scene.camera, options)
    refiner.learn_at(poses[0], images[0])
    found = refiner.refine(poses[0], images[0])
    assert found.flow == 0
    assert np.isnan(found.colors)
    refiner.keep(found, images[0])
    found = refiner.refine(found.camera_from_object, images[1])
    assert found.flow > 15
    shift, turn = scene.error(found.camera_from_object, poses[1])
    assert shift < 2.0
    assert turn < 2.2  # of 2.9
    refiner.keep(found, images[1])
    refiner.forget()
    assert refiner.refine(found.camera_from_object, images[2]).flow == 0


def test_a_picture_is_not_changed_and_may_lie_in_memory_as_it_likes(shapes: Any) -> None:
    mesh, true = shapes.cube(), shapes.pose_at((0.6, 0.7, 0.2), (0.0, 0.0, 0.25))
    image = shapes.picture_of(mesh, true)
    poses = []
    for given in (image, np.asfortranarray(image), image[::-1, ::-1].copy()[::-1, ::-1]):
        given.flags.writeable = False
        refiner = shapes.refiner_of(mesh)
        refiner.learn_at(true, given)
        found = refiner.refine(true, given)
        refiner.keep(found, given)
        poses.append(refiner.refine(true, given).camera_from_object)
    np.testing.assert_array_equal(poses[0], poses[1])
    np.testing.assert_array_equal(poses[0], poses[2])


@pytest.mark.parametrize(
    "place",
    [
        (5.0, 0.0, 0.45),
        (-5.0, 0.0, 0.45),
        (0.0, 0.0, 0.06),
        (0.0, 0.0, 0.0),
        (0.0, 0.0, -0.45),
    ],
)
def test_an_object_out_of_sight_or_of_a_pixel_gives_a_finite_pose_and_no_agreement(
    shapes: Any, place: tuple[float, float, float]
) -> None:
    mesh = shapes.cube()
    image = shapes.picture_of(mesh, shapes.pose_at((0.6, 0.7, 0.2), (0.0, 0.0, 0.25)))
    refiner = shapes.refiner_of(mesh)
    pose = shapes.pose_at((0.6, 0.7, 0.2), place)
    refiner.learn_at(pose, image)
    for _ in range(2):
        found = refiner.refine(pose, image)
        assert np.isfinite(found.camera_from_object).all()
        assert np.isfinite(found.hessian).all()
        assert found.agree == 0.0
        refiner.keep(found, image)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (97, 131), (2, 400)])
def test_pictures_of_odd_sizes_are_read(shapes: Any, size: tuple[int, int]) -> None:
    camera = Camera.from_focal(150, size[1], size[0])
    mesh, pose = shapes.cube(), shapes.pose_at((0.6, 0.7, 0.2), (0.0, 0.0, 0.3))
    image = np.random.default_rng(0).integers(0, 255, (*size, 3)).astype(np.uint8)
    refiner = shapes.refiner_of(mesh, camera)
    refiner.learn_at(pose, image)
    found = refiner.refine(pose, image)
    refiner.keep(found, image)
    assert np.isfinite(refiner.refine(pose, image).camera_from_object).all()


def test_an_object_that_fills_the_picture_is_not_seen(shapes: Any) -> None:
    mesh, pose = shapes.cube(), shapes.pose_at((0.0, 0.0, 0.0), (0.0, 0.0, 0.05))
    image = shapes.picture_of(mesh, pose)
    assert (image == shapes.object_color).all()
    refiner = shapes.refiner_of(mesh)
    refiner.learn_at(pose, image)
    found = refiner.refine(pose, image)
    assert found.seen == 0.0
    assert np.isfinite(found.camera_from_object).all()


def test_four_faces_and_very_many_are_refined(shapes: Any) -> None:
    corners = np.array([[0, 0, 0], [0.05, 0, 0], [0, 0.05, 0], [0, 0, 0.05]])
    tetra = Mesh(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    pose = shapes.pose_at((0.3, 0.2, 0.1), (0.0, 0.0, 0.25))
    image = shapes.picture_of(tetra, pose)
    refiner = shapes.refiner_of(tetra)
    refiner.learn_at(pose, image)
    found = refiner.refine(pose, image)
    assert found.agree > 0.9
    assert np.linalg.norm(found.camera_from_object[:3, 3] - pose[:3, 3]) < 0.002


def test_thousands_of_pictures_take_no_more_memory(shapes: Any) -> None:
    mesh, pose = shapes.cube(), shapes.pose_at((0.6, 0.7, 0.2), (0.0, 0.0, 0.4))
    image = shapes.picture_of(mesh, pose)
    refiner = shapes.refiner_of(mesh)
    refiner.learn_at(pose, image)

    def many(count: int) -> None:
        for _ in range(count):
            refiner.keep(refiner.refine(pose, image), image)

    many(100)
    before = resident()
    many(2000)
    assert resident() - before < 5.0


def resident() -> float:
    """MiB of this process in memory."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096 / 2**20
    except OSError:
        pytest.skip("the system does not tell the memory of a process")


def test_weights_are_lowered_by_a_share_and_nothing_is_left_of_none() -> None:
    points = PointMatches(np.zeros((2, 3)), np.zeros((2, 2)), np.array([1.0, 0.5]))
    half = lighter(points, 0.5)
    assert half is not None
    np.testing.assert_array_equal(half.weight, [0.5, 0.25])
    assert lighter(points, 0.0) is None
    assert lighter(None, 1.0) is None


def test_a_mask_alone_says_where_an_object_is_that_looks_like_its_ground(shapes: Any) -> None:
    mesh, true = shapes.cube(), shapes.pose_at((0.6, 0.7, 0.2), (0.0, 0.0, 0.25))
    empty = np.full((shapes.camera.height, shapes.camera.width, 3), 90, np.uint8)
    mask = (shapes.picture_of(mesh, true) == shapes.object_color).all(-1)
    start = moved(true, 0.004, 0.0, 0.25)
    refiner = shapes.refiner_of(mesh)
    refiner.learn_at(start, empty, None, mask)
    pose = start
    for _ in range(4):
        pose = refiner.refine(pose, empty, None, mask).camera_from_object
    assert np.linalg.norm(pose[:2, 3] - true[:2, 3]) < 0.002  # of 4 mm
    shown = shapes.picture_of(mesh, true)
    shifted = np.roll(mask, 4, axis=1)  # a mask that is beside what the picture shows
    refiner.learn_at(true, shown, None, shifted)
    pose = true
    for _ in range(4):
        pose = refiner.refine(pose, shown, None, shifted).camera_from_object
    assert np.linalg.norm(pose[:2, 3] - true[:2, 3]) < 0.001  # four pixels are 3.3 mm


def test_corners_of_what_hides_the_object_are_not_taken_for_its_own(scene: Any, shapes: Any) -> None:
    """A patterned sheet slides over the left half of the object, which stands still."""
    true = scene.pose_at((0.4, 0.5, 0.1), (0.0, 0.0, 0.3))
    image = scene.picture(scene.mesh, true)[0]
    columns = np.nonzero(scene.mask(scene.mesh, true).any(0))[0]
    edge = int(columns.mean())
    pattern = (
        np.random.default_rng(0).integers(0, 255, (62, 100, 3)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
    )
    hidden = np.zeros(image.shape[:2], np.bool_)
    hidden[:, :edge] = True
    frames = []
    for shift in (0, 3):
        frames.append(image.copy())
        frames[-1][hidden] = pattern[shift : shift + 240, :320][hidden]
    errors, flows = [], []
    for told in (hidden, None):
        refiner = shapes.refiner_of(scene.mesh, scene.camera, RegionOptions(texture=False, points=SOFT))
        refiner.learn_at(true, frames[0], hidden)
        found = refiner.refine(true, frames[0], told)
        refiner.keep(found, frames[0])
        window = refiner._window
        assert window is not None
        points = refiner._follower.follow(window, window.gray(frames[1]), found.camera_from_object)
        assert points is not None
        pose = found.camera_from_object
        there = scene.camera.project(points.points @ pose[:3, :3].T + pose[:3, 3])
        flows.append(len(points))
        errors.append(np.linalg.norm(points.pixels - there, axis=1))
        if told is not None:
            assert (there[:, 0] > edge).all()
    assert 8 < flows[0] < flows[1]
    assert errors[0].max() < 0.5
    assert errors[1].max() > 2.0  # the sheet's own corners went three pixels down


def test_the_texture_is_compared_where_nothing_hides_the_object(scene: Any, shapes: Any) -> None:
    true = scene.pose_at((0.4, 0.5, 0.1), (0.0, 0.0, 0.3))
    image = scene.picture(scene.mesh, true)[0]
    columns = np.nonzero(scene.mask(scene.mesh, true).any(0))[0]
    hidden = np.zeros(image.shape[:2], np.bool_)
    hidden[:, : int(columns.mean())] = True
    image[hidden] = np.random.default_rng(0).integers(0, 255, (int(hidden.sum()), 3))
    refiner = shapes.refiner_of(scene.mesh, scene.camera)
    refiner.learn_at(true, image, hidden)
    told = refiner.refine(true, image, hidden)
    assert told.colors > 0.5 and told.texture >= 12
    assert refiner.refine(true, image).colors < 0.4
