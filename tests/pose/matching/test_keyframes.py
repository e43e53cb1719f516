"""Earlier views: recognised from another pose, kept few, and no drift where points alone would drift."""

from __future__ import annotations

import numpy as np
import pytest

from dexman_pose.benchmarks.stress.drift import OBJECT, DriftCase, drift_case
from dexman_pose.geometry import se3, so3_exp
from dexman_pose.imaging.correlation import correlation
from dexman_pose.pose.matching.keyframes import Keyframes, coarse_depth, drawn_at, evened_crop, make_keyframe
from dexman_pose.render import Rasterizer


@pytest.fixture(scope="module")
def case() -> DriftCase:
    """A printed can, turned out and back, that a slab passes over in the middle."""
    return drift_case("can", 60, period=30.0, hidden=0.7, size=(320, 240))


def seen(case: DriftCase, frame: int):  # type: ignore[no-untyped-def]
    gray = np.asarray(case.clip.frame(frame) @ np.array([0.299, 0.587, 0.114]), np.uint8)
    found = evened_crop(gray, case.masks.labels(frame), case.masks.label_of(OBJECT), case.camera)
    assert found is not None
    return found


def about_z(pose: np.ndarray, degrees: float) -> np.ndarray:
    return pose @ se3(so3_exp([0.0, 0.0, np.radians(degrees)]), np.zeros(3))


def test_a_view_drawn_at_a_later_true_pose_looks_like_the_picture_and_at_a_wrong_one_does_not(
    case: DriftCase,
) -> None:
    rasterizer, first, later = Rasterizer(case.mesh), 0, 5
    keyframe = make_keyframe(rasterizer, case.camera_from_object[first], seen(case, first), 1.0)
    assert keyframe is not None and len(keyframe.points) >= 8
    now = seen(case, later)
    alike = []
    for wrong in (0.0, 12.0):
        pose = about_z(case.camera_from_object[later], wrong)
        depth = coarse_depth(rasterizer, pose, now.camera)
        drawn = drawn_at(keyframe, pose, now, depth, rasterizer.mesh.radius)
        alike.append(correlation(drawn.gray, now.gray, drawn.known & now.own))
    assert alike[0] > 0.7 > alike[1] + 0.2


def test_points_are_found_where_the_truth_has_them_although_the_pose_asked_at_is_off(case: DriftCase) -> None:
    keyframes = Keyframes(4, Rasterizer(case.mesh))
    keyframes.offer(case.camera_from_object[0], seen(case, 0), 1.0, 1.0)
    truth = case.camera_from_object[4]
    found = keyframes.match(about_z(truth, 3.0), seen(case, 4))
    assert found is not None and len(found) >= 10
    expected = case.camera.project(found.points @ truth[:3, :3].T + truth[:3, 3])
    assert np.median(np.linalg.norm(found.pixels - expected, axis=1)) < 0.5


def test_a_view_is_kept_only_if_it_is_new_believed_and_well_seen(case: DriftCase) -> None:
    keyframes = Keyframes(2, Rasterizer(case.mesh))
    pose, view = case.camera_from_object[0], seen(case, 0)
    keyframes.offer(pose, view, 1.0, 0.3)
    assert len(keyframes) == 0  # mostly hidden
    keyframes.offer(pose, view, 1.0, 1.0)
    keyframes.offer(about_z(pose, 10.0), view, 1.0, 1.0)
    assert len(keyframes) == 1  # seen already
    keyframes.offer(about_z(pose, 50.0), view, 0.2, 1.0)
    assert len(keyframes) == 1  # not believed
    first = keyframes.views[0]
    for degrees in (50.0, 100.0, 150.0):
        keyframes.offer(about_z(pose, degrees), view, 1.0, 1.0)
    assert len(keyframes) == 2 and keyframes.views[0] is first  # few, and the first stays


def test_spin_does_not_drift_past_an_occluder_as_it_does_with_followed_points_alone(case: DriftCase) -> None:
    spins = {}
    for count in (0, 8):
        track = case.track(keyframes=count)
        spin, _ = case.errors(track.camera_from_object)
        spins[count] = float(np.abs(spin[-10:]).mean())
        assert track.valid.mean() > 0.9
    assert spins[8] < 1.5
    assert spins[0] > 2.0 * spins[8]
