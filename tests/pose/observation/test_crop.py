from __future__ import annotations

import numpy as np

from dexman_pose.data import OCCLUDER, Camera
from dexman_pose.imaging.masks import crop_box, inner_edge, mask_box, signed_distance_field
from dexman_pose.pose.observation.crop import gather, visible_iou


def test_signed_distance_is_zero_midway_between_inside_and_outside() -> None:
    mask = np.zeros((9, 20), bool)
    mask[:, 10:] = True
    field = signed_distance_field(mask)
    assert field[4, 10] == 0.5
    assert field[4, 9] == -0.5
    assert field[4, 13] == 3.5


def test_signed_distance_of_an_empty_mask_is_far_outside() -> None:
    assert (signed_distance_field(np.zeros((5, 5), bool)) < -100).all()
    assert (signed_distance_field(np.ones((5, 5), bool)) > 100).all()


def test_inner_edge_is_the_rim_of_a_square() -> None:
    mask = np.zeros((10, 10), bool)
    mask[2:7, 3:8] = True
    edge = inner_edge(mask)
    assert len(edge) == 16
    assert set(map(tuple, edge)) >= {(3, 2), (7, 6), (5, 2)}
    assert (5, 4) not in set(map(tuple, edge))


def test_mask_box_and_empty_mask() -> None:
    mask = np.zeros((20, 30), bool)
    assert mask_box(mask) is None
    mask[4:9, 11:25] = True
    np.testing.assert_array_equal(mask_box(mask), [11, 4, 24, 8])


def test_crop_keeps_rays_of_the_whole_camera() -> None:
    camera = Camera.from_focal(700.0, 640, 480)
    labels = np.zeros((480, 640), np.uint8)
    labels[100:400, 200:600] = 1
    evidence = gather(labels, 1, camera, crop_box([np.array([200.0, 100.0, 599.0, 399.0])], 0.2))
    assert max(evidence.size) <= 176
    pixels = np.array([[210.0, 130.0], [555.0, 390.0]])
    expected = camera.unproject(pixels, np.ones(2))
    np.testing.assert_allclose(
        evidence.camera.unproject(evidence.to_crop(pixels), np.ones(2)), expected, atol=1e-12
    )


def test_edges_next_to_an_occluder_and_outside_the_image_are_no_evidence() -> None:
    camera = Camera.from_focal(300.0, 100, 80)
    labels = np.zeros((80, 100), np.uint8)
    labels[20:60, 0:40] = 1
    labels[20:60, 40:60] = OCCLUDER
    evidence = gather(labels, 1, camera, crop_box([np.array([0.0, 20.0, 39.0, 59.0])], 0.2))
    edge = evidence.edge / evidence.factors + np.array(evidence.origin)
    assert len(edge) > 20
    assert edge[:, 0].max() < 38.5, "the side that touches the occluder"
    assert edge[:, 0].min() > 0.5, "the side at the image border"


def test_visible_overlap_ignores_what_an_occluder_hides() -> None:
    camera = Camera.from_focal(300.0, 100, 80)
    labels = np.zeros((80, 100), np.uint8)
    labels[20:60, 20:40] = 1
    labels[20:60, 40:60] = OCCLUDER
    evidence = gather(labels, 1, camera, (0, 0, 100, 80))
    rendered = np.zeros((80, 100), bool)
    rendered[20:60, 20:60] = True
    assert visible_iou(rendered, evidence) == 1.0
    rendered[:, :] = False
    rendered[20:60, 30:60] = True
    assert visible_iou(rendered, evidence) == 0.5
