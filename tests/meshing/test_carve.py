from __future__ import annotations

import numpy as np

from dexman_pose.data import OCCLUDER, Camera
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.meshing.carve import HullVotes

CAMERA = Camera.from_focal(400.0, 200, 160)


def silhouette_of_box(pose: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Exact silhouette of a box by the convex hull of its projected corners."""
    import cv2

    corners = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T * half
    pixels = CAMERA.project(corners @ pose[:3, :3].T + pose[:3, 3])
    out = np.zeros((160, 200), np.uint8)
    cv2.fillConvexPoly(out, cv2.convexHull(np.round(pixels).astype(np.int32)), 1)
    return out


def votes_for(half: np.ndarray, hide: bool = False) -> HullVotes:
    votes = HullVotes(np.full(3, -0.06), np.full(3, 0.06), 0.004)
    for k in range(12):
        pose = se3(so3_exp([0, np.pi * k / 12, 0]) @ so3_exp([0.5 * (k % 3), 0, 0]), [0.0, 0.0, 0.6])
        labels = silhouette_of_box(pose, half)
        if hide:
            labels[:, 100:] = OCCLUDER
        votes.add(labels, 1, CAMERA, pose)
    return votes


def test_points_inside_are_inside_in_every_view_and_points_outside_are_not() -> None:
    half = np.array([0.03, 0.02, 0.01])
    votes = votes_for(half)
    inside = np.array([[0.0, 0, 0], [0.02, 0.01, 0.004], [-0.02, -0.012, 0.0]])
    outside = np.array([[0.05, 0, 0], [0.0, 0.05, 0.0], [0.0, 0.0, 0.04]])
    assert votes.share(inside).min() > 0.95
    assert votes.share(outside).max() < 0.55


def test_hidden_pixels_do_not_vote() -> None:
    half = np.array([0.03, 0.02, 0.01])
    seen, hidden = votes_for(half), votes_for(half, hide=True)
    center = np.zeros((1, 3))
    assert hidden.known(center)[0] < seen.known(center)[0]
    assert hidden.share(np.array([[0.02, 0.01, 0.004]]))[0] > 0.9


def test_points_nobody_saw_count_as_inside() -> None:
    votes = HullVotes(np.full(3, -0.02), np.full(3, 0.02), 0.01)
    np.testing.assert_array_equal(votes.share(np.zeros((2, 3))), 1.0)
