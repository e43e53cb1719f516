"""An object that was carried away and turned is found by its colours, from all sides, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.tracking.recovery.from_all_sides import far_search, likely_places, merit
from dexman_pose.pose.tracking.region_options import FarSearchOptions, RegionTrackOptions
from dexman_pose.pose.tracking.region_tracker import RegionFrame, RegionTracker
from dexman_pose.pose.tracking.tracked_object import TrackedObject
from dexman_pose.render import Rasterizer

OPTIONS = FarSearchOptions()


@pytest.fixture(scope="module")
def begun(scene: Any) -> RegionTracker:
    """A tracker that has learnt the object's colours."""
    tracker = RegionTracker(
        TrackedObject(PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center), scene.camera, 1),
        RegionTrackOptions(),
    )
    pose = scene.pose_at((0.5, 0.4, 0.1), (-0.04, 0.0, 0.35))
    assert tracker.start(pose, RegionFrame(scene.picture(scene.mesh, pose)[0])).valid
    return tracker


def test_it_is_found_far_away_and_turned_by_a_lot(scene: Any, begun: RegionTracker) -> None:
    there = scene.pose_at((0.5, 0.4, 1.8), (0.04, 0.01, 0.35))
    frame = RegionFrame(scene.picture(scene.mesh, there)[0])
    found = far_search(begun._refiner, begun.tracked, [begun.pose], frame, OPTIONS)
    assert found is not None
    shift, turn = scene.error(found.camera_from_object, there)
    assert shift < 8.0 and turn < 4.0


def test_nothing_is_found_where_its_colours_are_not(scene: Any, begun: RegionTracker) -> None:
    grey = np.full((scene.camera.height, scene.camera.width, 3), 90, np.uint8)
    assert far_search(begun._refiner, begun.tracked, [begun.pose], RegionFrame(grey), OPTIONS) is None


def test_a_place_is_the_middle_of_its_colours_and_not_where_something_hides(
    scene: Any, begun: RegionTracker
) -> None:
    there = scene.pose_at((0.5, 0.4, 0.1), (0.03, 0.01, 0.35))
    frame = RegionFrame(scene.picture(scene.mesh, there)[0])
    [place] = likely_places(begun._refiner, begun.tracked, begun.pose, frame, OPTIONS)
    middle = begun.tracked.refiner.camera_center(there)
    assert np.linalg.norm(place - middle) < 0.4 * scene.mesh.radius
    hidden = np.ones(frame.image.shape[:2], np.bool_)
    covered = replace(frame, hidden=hidden)
    assert likely_places(begun._refiner, begun.tracked, begun.pose, covered, OPTIONS) == []


def test_of_two_that_look_the_same_none_is_believed(scene: Any, begun: RegionTracker) -> None:
    there = scene.pose_at((1.4, -0.5, 0.9), (0.04, 0.01, 0.35))
    frame = RegionFrame(scene.picture(scene.mesh, there)[0])
    strict = replace(OPTIONS, lead=10.0)
    assert far_search(begun._refiner, begun.tracked, [begun.pose], frame, strict) is None
    assert merit(begun._refiner.refine(there, frame.image)) > 2.0


def test_of_poses_with_the_same_surface_the_one_nearest_to_the_guess_is_taken(scene: Any) -> None:
    """A can of one colour looks the same however it is spun."""
    import trimesh

    from dexman_pose.data import Mesh

    part = trimesh.creation.cylinder(radius=0.03, height=0.08)
    can = Mesh(np.asarray(part.vertices), np.asarray(part.faces, np.int32))
    tracked = TrackedObject(PoseRefiner(Rasterizer(can), can.center), scene.camera, 1)
    tracker = RegionTracker(tracked, RegionTrackOptions())
    begin = scene.pose_at((1.2, 0.2, 0.0), (-0.03, 0.0, 0.35))
    image = scene.painted(np.full((240, 320, 3), 90, np.uint8), can, begin, (200, 60, 50))
    tracker.start(begin, RegionFrame(image))
    there = scene.pose_at((1.2, 0.2, 0.0), (0.03, 0.0, 0.35))
    frame = RegionFrame(scene.painted(np.full((240, 320, 3), 90, np.uint8), can, there, (200, 60, 50)))
    found = far_search(tracker._refiner, tracked, [there], frame, replace(OPTIONS, lead=0.3))
    assert found is not None
    turned = np.degrees(
        np.arccos(np.clip((np.trace(found.camera_from_object[:3, :3].T @ there[:3, :3]) - 1) / 2, -1, 1))
    )
    assert turned < 60.0
