"""Depth moved from one camera to another, against surfaces whose depth is known in both."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.data import Camera, align_depth
from dexman_pose.errors import InputError
from dexman_pose.geometry import se3, so3_exp

SMALL = Camera.from_focal(60.0, 64, 48)
LARGE = Camera.from_focal(150.0, 160, 120)


def test_the_same_camera_changes_nothing() -> None:
    depth = np.random.default_rng(0).uniform(0.3, 2.0, (48, 64)).astype(np.float32)
    depth[10:14, 20:30] = 0.0
    np.testing.assert_allclose(align_depth(depth, SMALL, np.eye(4), SMALL), depth, rtol=1e-6)


def test_a_wall_in_a_finer_camera_has_no_holes_and_its_own_depth() -> None:
    """A tilted plane n . p = d, whose depth in any camera is d / (n . ray)."""
    normal, distance = np.array([0.2, -0.1, 1.0]), 0.8
    motion = se3(so3_exp([0.02, -0.03, 0.01]), [0.015, 0.002, -0.01])
    pixels = np.stack(np.meshgrid(np.arange(64), np.arange(48)), -1)
    depth = (distance / (SMALL.unproject(pixels, np.ones((48, 64))) @ normal)).astype(np.float32)

    moved = align_depth(depth, SMALL, motion, LARGE)

    turned = motion[:3, :3] @ normal
    rays = LARGE.unproject(np.stack(np.meshgrid(np.arange(160), np.arange(120)), -1), np.ones((120, 160)))
    expected = (distance + turned @ motion[:3, 3]) / (rays @ turned)
    inner = (slice(12, -12), slice(12, -12))
    assert (moved[inner] > 0).all()
    # A depth pixel is a square facing its camera: at its corner the plane is off by slope x half a pixel.
    assert np.abs(moved[inner] - expected[inner]).max() < 0.8 * (0.2 + 0.1) * 0.7 / 60.0
    assert abs(float((moved[inner] - expected[inner]).mean())) < 5e-4


def test_the_nearer_surface_hides_the_farther_one() -> None:
    """A camera moved to the side sees a near post in front of another part of the wall, and the wall's blind strip."""
    depth = np.full((48, 64), 2.0, np.float32)
    depth[:, 30:34] = 0.5
    moved = align_depth(depth, SMALL, se3(np.eye(3), [-0.05, 0.0, 0.0]), SMALL)
    # By 60 * 0.05 / 0.5 = 6 pixels to the left for the post, 1.5 for the wall.
    assert (moved[:, 24:28] == 0.5).all()
    assert (moved[:, 20:23] == 2.0).all()
    assert (moved[:, 29:31] == 0.0).all()
    assert set(np.unique(moved)) == {np.float32(0.0), np.float32(0.5), np.float32(2.0)}


def test_points_behind_and_far_outside_are_left_out() -> None:
    depth = np.full((48, 64), 0.5, np.float32)
    assert not align_depth(depth, SMALL, se3(np.eye(3), [0.0, 0.0, -0.5]), SMALL).any()
    assert not align_depth(depth, SMALL, se3(np.eye(3), [1e9, 0.0, 0.0]), SMALL).any()


@pytest.mark.parametrize(
    ("shape", "motion", "message"),
    [
        ((48, 63), np.eye(4), r"depth must have shape \(48, 64\)"),
        ((48, 64), np.diag([2.0, 1, 1, 1]), "color_from_depth"),
    ],
)
def test_bad_input_is_named(shape: tuple[int, int], motion: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        align_depth(np.ones(shape, np.float32), SMALL, motion, SMALL)


def test_distortion_is_refused() -> None:
    bent = Camera(SMALL.K, 64, 48, distortion=np.array([0.1, 0, 0, 0]))
    with pytest.raises(InputError, match="depth_camera has lens distortion"):
        align_depth(np.ones((48, 64), np.float32), bent, np.eye(4), SMALL)
