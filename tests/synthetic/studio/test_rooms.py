"""Rooms: every surface where it is, textures that stay where they are, the same for a seed."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.data import Camera
from dexman_pose.geometry.se3 import inverse, transform_points
from dexman_pose.synthetic.demo.clip import look_at
from dexman_pose.synthetic.studio.rooms import TABLES, Room, RoomOptions

CAMERA = Camera.from_focal(100, 120, 90)
SMALL = RoomOptions(pixels=(240, 180))
POSE = look_at([0.2, -1.0, 0.6], [0.0, 0.0, 0.1])


def test_depth_is_that_of_table_floor_and_walls() -> None:
    seen = Room(3, options=SMALL).backdrop(CAMERA, POSE)
    v, u = np.mgrid[0:90, 0:120]
    points = CAMERA.unproject(np.stack([u, v], -1).astype(float), seen.depth.astype(float))
    world = transform_points(inverse(POSE), points.reshape(-1, 3)).reshape(90, 120, 3)
    on_table = (np.abs(world[..., 2]) < 1e-3) & (np.abs(world[..., :2]).max(-1) < 0.85)
    on_floor = np.abs(world[..., 2] + 0.74) < 1e-3
    on_wall = (np.abs(world[..., :2]).max(-1) > 1.5) & (world[..., 2] > -0.74)
    assert (on_table | on_floor | on_wall).all()
    assert on_table.sum() > 1000 and (on_floor | on_wall).sum() > 500
    assert on_table[45, 60]
    np.testing.assert_allclose(seen.points[on_table], world[on_table], atol=2e-3)
    assert (np.abs(seen.points[~on_table][:, :2]) > 10).all()


def test_a_seed_is_a_room_and_textures_stand_still() -> None:
    first, again, other = (Room(seed, options=SMALL).backdrop(CAMERA, POSE).albedo for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.02
    # The same table point has the same colour from another place.
    room = Room(6, "print", SMALL)
    elsewhere = look_at([-0.3, -0.8, 0.9], [0.0, 0.0, 0.0])
    colors = []
    for pose in (POSE, elsewhere):
        pixel = np.round(CAMERA.project(transform_points(pose, np.array([[0.0, 0.05, 0.0]])))).astype(int)[0]
        colors.append(room.backdrop(CAMERA, pose).albedo[pixel[1], pixel[0]])
    np.testing.assert_allclose(colors[0], colors[1], atol=0.06)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_a_picture(table: str) -> None:
    albedo = Room(1, table, SMALL).backdrop(CAMERA, POSE).albedo
    assert albedo.shape == (90, 120, 3) and (albedo > 0).all() and (albedo < 1).all()
    assert albedo[40:60, 40:80].std() > 1e-4
