"""Stretches in which an object does not move."""

from __future__ import annotations

import numpy as np

from dexman_pose.scene.stillness import still_stretches
from tests.scene.staged import moved, noisy, still


def test_before_and_after_it_is_carried() -> None:
    obj = moved(60)
    found = still_stretches(obj.track, obj.mesh.center)
    assert len(found) == 2
    first, last = found
    assert first.frames[0] == 0 and 18 <= first.frames[-1] <= 23
    assert 37 <= last.frames[0] <= 42 and last.frames[-1] == 59
    np.testing.assert_allclose(first.pose[:3, 3], obj.camera_from_object[0, :3, 3], atol=2e-3)
    np.testing.assert_allclose(last.pose, obj.camera_from_object[-1], atol=5e-3)


def test_noise_is_no_motion_and_is_averaged() -> None:
    obj = noisy(still("box", 0.1, 0.0), degrees=0.6, metres=0.0007)
    (found,) = still_stretches(obj.track, obj.mesh.center)
    assert len(found.frames) > 50
    off = found.pose[:3, 3] - still("box", 0.1, 0.0).camera_from_object[0, :3, 3]
    assert np.linalg.norm(off) < 5e-4


def test_one_place_seen_twice_is_one_rest() -> None:
    obj = still("box", 0.1, 0.0)
    obj.track.valid[20:40] = False
    (found,) = still_stretches(obj.track, obj.mesh.center)
    assert len(found.frames) == 40


def test_an_outlier_does_not_end_a_rest_and_is_left_out() -> None:
    obj = still("box", 0.1, 0.0)
    obj.track.camera_from_object[30, 0, 3] += 0.05
    (found,) = still_stretches(obj.track, obj.mesh.center)
    assert len(found.frames) == 59 and 30 not in found.frames


def test_what_is_never_seen_is_never_at_rest() -> None:
    obj = still("box", 0.1, 0.0)
    obj.track.valid[:] = False
    assert still_stretches(obj.track, obj.mesh.center) == []
