"""The painted table agrees with its geometry."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.data import Camera
from dexman_pose.synthetic.scenes.handheld import HandheldOptions, handheld
from dexman_pose.synthetic.scenes.solids import Lamp, paint_solids, prism
from dexman_pose.synthetic.scenes.tabletop import TableOptions, Tabletop

CAMERA = Camera.from_focal(300.0, 320, 240)
SQUARE = np.array([[-0.03, -0.03], [0.03, -0.03], [0.03, 0.03], [-0.03, 0.03]])


def _table(seed: int = 0, **options: int) -> Tabletop:
    return Tabletop(SQUARE, np.array([200.0, 60, 40]), np.random.default_rng(seed), TableOptions(**options))  # type: ignore[arg-type]


def test_a_painted_box_covers_the_pixels_its_geometry_covers() -> None:
    lamp = Lamp(np.array([0.0, 0.0, 1.0]))
    box = prism(SQUARE, 0.04, [250, 0, 0], lamp)
    view = handheld(np.random.default_rng(0), np.zeros(3), 0.05, CAMERA)(0.0)
    image = np.zeros((240, 320, 3), np.uint8)
    paint_solids(image, [box], CAMERA.K, view)
    from scipy.spatial import ConvexHull

    corners = np.concatenate([side.corners for side in box.sides])
    seen = CAMERA.project(corners @ view[:3, :3].T + view[:3, 3])
    assert (image[..., 0] > 60).sum() == pytest.approx(
        ConvexHull(seen).volume, rel=0.1
    )  # OpenCV paints outlines half a pixel wide
    v, u = np.nonzero(image[..., 0] > 60)
    assert np.abs([u.min() - seen[:, 0].min(), v.max() - seen[:, 1].max()]).max() < 2.5


def test_a_lamp_lights_the_side_that_faces_it() -> None:
    lamp = Lamp(np.array([1.0, 0.0, 0.0]))
    facing, away = lamp.shade([[2.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    assert facing == pytest.approx(away + lamp.direct)


def test_solids_keep_off_the_free_place_and_some_look_like_the_object() -> None:
    table = _table()
    for solid in table.solids:
        outline = solid.sides[0].corners[:, :2]
        assert (np.abs(outline).max(1) > 0.03).all()
    colors = np.array([s.sides[0].color for s in table.solids])
    bright = colors / np.linalg.norm(colors, axis=1, keepdims=True)
    like = np.array([200.0, 60, 40]) / np.linalg.norm([200.0, 60, 40])
    alike = (bright @ like > 0.985).sum()
    assert 3 <= alike < len(table.solids)


def test_pictures_and_depth_follow_the_camera() -> None:
    table, view = _table(), handheld(np.random.default_rng(1), np.zeros(3), 0.06, CAMERA)
    first, second = view(0.0), view(3.0)
    depth = table.depth(CAMERA, first)
    assert (depth > 0).all()
    # every fourth pixel of the first picture, taken along its depth into the second, shows the same colour there
    v, u = (x.ravel() for x in np.mgrid[8:232:4, 8:312:4])
    points = CAMERA.unproject(np.stack([u, v], -1).astype(float), depth[v, u].astype(float))
    moved = points @ (second @ np.linalg.inv(first))[:3, :3].T + (second @ np.linalg.inv(first))[:3, 3]
    at = np.round(CAMERA.project(moved)).astype(int)
    inside = (at >= 4).all(1) & (at < [316, 236]).all(1)
    one, other = table.draw(CAMERA, first).astype(float), table.draw(CAMERA, second).astype(float)
    difference = np.abs(one[v, u] - other[at[:, 1].clip(0, 239), at[:, 0].clip(0, 319)]).max(1)[inside]
    still = np.abs(one[v, u] - other[v, u]).max(1)[inside]
    assert inside.sum() > 2000
    assert np.mean(difference < 20) > 0.85 > np.mean(still < 20) + 0.1


def test_the_camera_moves_smoothly_at_the_pace_asked_for_and_keeps_the_target_in_sight() -> None:
    camera = Camera.from_focal(600.0, 640, 480)
    target = np.array([0.02, 0.01, 0.04])
    for seed in range(4):
        view = handheld(
            np.random.default_rng(seed), target, 0.06, camera, HandheldOptions(pixels=(10.0, 10.0))
        )
        poses = np.array([view(float(t)) for t in range(120)])
        seen = camera.project(poses[:, :3, :3] @ target + poses[:, :3, 3])
        steps = np.linalg.norm(np.diff(seen, axis=0), axis=1)
        assert np.percentile(steps, 90) == pytest.approx(10.0, rel=0.15) and steps.max() < 20
        assert (seen > 60).all() and (seen < [580, 420]).all()
        assert np.allclose(np.linalg.det(poses[:, :3, :3]), 1.0)
    assert np.abs(view(5.0) - view(5.01)).max() < 1e-3


def test_a_tinted_table_is_nearer_to_the_colour_of_what_lies_on_it() -> None:
    color, corners = np.array([206.0, 92.0, 40.0]), 0.02 * np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
    camera = Camera.from_focal(200.0, 80, 60)
    above = np.diag([1.0, -1.0, -1.0, 1.0])
    above[2, 3] = 0.5
    apart = []
    for tinted in (0.0, 0.6):
        options = TableOptions(solids=0, sheets=0, tinted=tinted)
        table = Tabletop(corners, color, np.random.default_rng(3), options, shadow=False)
        ground = np.median(table.draw(camera, above).reshape(-1, 3), axis=0)
        apart.append(float(np.linalg.norm(ground - float(table.lamp.shade([0.0, 0.0, 1.0])) * color)))
    assert apart[1] < 0.7 * apart[0]
