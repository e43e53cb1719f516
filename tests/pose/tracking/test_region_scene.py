"""Several objects of one picture: what is nearer hides what is behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dexman_pose.data import OCCLUDER
from dexman_pose.pose.refinement.refiner import PoseRefiner
from dexman_pose.pose.tracking.region_scene import RegionScene, draw_mask, frame_of
from dexman_pose.pose.tracking.region_tracker import RegionFrame
from dexman_pose.pose.tracking.track_record import TrackStart
from dexman_pose.pose.tracking.tracked_object import TrackedObject
from dexman_pose.render import Rasterizer

FAR, NEAR = ((0.3, 0.4, 0.1), (0.0, 0.0, 0.45)), ((0.1, 0.4, 0.2), (0.03, 0.01, 0.3))


def scene_of(scene: Any) -> RegionScene:
    """A plain body behind, a coloured one in front."""
    starts = {
        name: TrackStart(PoseRefiner(Rasterizer(mesh), mesh.center), 0, np.eye(4))
        for name, mesh in (("far", scene.plain), ("near", scene.mesh))
    }
    return RegionScene(starts, scene.camera)


def both(scene: Any, far: Any, near: Any, seed: int = 0) -> RegionFrame:
    behind = scene.painted(scene.clutter(), scene.plain, far, scene.plain_color)
    return RegionFrame(scene.filmed(scene.painted(behind, scene.mesh, near), seed))


@pytest.fixture
def poses(scene: Any) -> tuple[Any, Any]:
    return scene.pose_at(*FAR), scene.pose_at(*NEAR)


def test_a_nearer_object_hides_what_is_behind_it_and_not_the_other_way(scene: Any, poses: Any) -> None:
    objects, frame = scene_of(scene), both(scene, *poses)
    for name, pose in zip(("far", "near"), poses):
        objects.place(name, pose)
    seen = objects._seen("far", frame)
    np.testing.assert_array_equal(seen.hidden, scene.mask(scene.mesh, poses[1]))
    assert seen.image is frame.image and seen.mask is None and seen.depth is None
    assert objects._seen("near", frame) is frame


def test_who_is_apart_lost_stopped_or_not_begun_hides_nothing(scene: Any, poses: Any) -> None:
    frame = both(scene, *poses)
    objects = scene_of(scene)
    objects.place("far", poses[0])
    assert objects._seen("far", frame) is frame and not objects.is_running("near")
    objects.place("near", poses[1])
    assert objects.is_running("near") and objects._seen("far", frame) is not frame
    objects.trackers["near"].lost_for = 1
    assert objects._seen("far", frame) is frame
    objects.place("near", poses[1])
    assert objects._seen("far", frame) is not frame  # placed, it is not lost any more
    objects.stop("near")
    assert objects._seen("far", frame) is frame and not objects.is_running("near")
    objects.place("near", scene.pose_at(NEAR[0], (0.11, 0.0, 0.3)))
    assert objects._seen("far", frame) is frame


def test_all_that_are_nearer_hide_together(scene: Any, poses: Any) -> None:
    refiner = PoseRefiner(Rasterizer(scene.mesh), scene.mesh.center)
    objects = RegionScene(
        {name: TrackStart(refiner, 0, np.eye(4)) for name in ("far", "left", "right")}, scene.camera
    )
    sides = [scene.pose_at(NEAR[0], (x, 0.01, 0.3)) for x in (-0.03, 0.03)]
    for name, pose in zip(("far", "left", "right"), (poses[0], *sides)):
        objects.place(name, pose)
    left, right = (scene.mask(scene.mesh, pose) for pose in sides)
    assert (left & ~right).any() and (right & ~left).any()
    np.testing.assert_array_equal(objects._seen("far", both(scene, *poses)).hidden, left | right)


def test_the_nearest_is_looked_at_first(scene: Any, poses: Any) -> None:
    objects = scene_of(scene)
    for order in (poses, poses[::-1]):
        objects.place("far", order[0])
        objects.place("near", order[1])
        distances = {"far": order[0][2, 3], "near": order[1][2, 3]}
        assert objects.nearest_first(("far", "near")) == sorted(distances, key=lambda n: distances[n])
    assert objects.nearest_first(["far"]) == ["far"]


def test_what_hides_is_added_to_what_was_hidden_and_nothing_given_is_changed(scene: Any, poses: Any) -> None:
    objects = scene_of(scene)
    for name, pose in zip(("far", "near"), poses):
        objects.place(name, pose)
    hidden = np.zeros((scene.camera.height, scene.camera.width), np.bool_)
    hidden[:20] = True
    own = np.ones_like(hidden)
    depth = np.ones(hidden.shape, np.float32)
    frame = RegionFrame(both(scene, *poses).image, hidden, own, depth)
    seen = objects._seen("far", frame)
    drawn = scene.mask(scene.mesh, poses[1])
    assert not drawn[:20].any() and drawn.any()
    np.testing.assert_array_equal(seen.hidden, drawn | hidden)
    assert seen.mask is own and seen.depth is depth
    assert hidden[:20].all() and not hidden[20:].any()


def test_an_object_behind_another_is_followed_by_what_is_left_of_it(scene: Any) -> None:
    """The coloured body passes in front of the plain one; told of it, the plain one's pose stays right."""
    far = scene.pose_at((0.3, 0.4, 0.1), (0.0, 0.0, 0.4))
    way = [scene.pose_at((0.1, 0.4, 0.2), (0.075 - 0.007 * t, 0.012, 0.3)) for t in range(8)]
    together, alone = scene_of(scene), scene_of(scene)
    off: dict[str, list[float]] = {"together": [], "alone": []}
    together.place("near", way[0])
    for number, near in enumerate(way):
        frame = both(scene, far, near, seed=number)
        front = together.step("near", frame) if number else together.start("near", near, frame)
        assert front.valid and scene.error(front.camera_from_object, near)[0] < 5.0
        for objects, errors in zip((together, alone), off.values()):
            found = objects.step("far", frame) if number else objects.start("far", far, frame)
            error = scene.error(found.camera_from_object, far, scene.plain)[0]
            errors.append(error if found.valid else np.inf)
            if objects is together:
                known = found.signals.known
                assert found.valid
    assert 0.2 < known < 0.6
    assert max(off["together"]) < min(4.0, max(off["alone"]))


def test_a_mask_is_drawn_where_the_object_is_and_cut_at_the_border(scene: Any) -> None:
    tracked = TrackedObject(PoseRefiner(Rasterizer(scene.plain), scene.plain.center), scene.camera, 1)
    for place in ((0.0, 0.0, 0.3), (0.11, -0.08, 0.3), (-0.12, 0.09, 0.3)):
        pose = scene.pose_at(NEAR[0], place)
        box = tracked.image_box(pose)
        assert box is not None
        out = np.zeros((scene.camera.height, scene.camera.width), np.bool_)
        draw_mask(out, tracked, pose, box)
        np.testing.assert_array_equal(out, scene.mask(scene.plain, pose))
        assert out.any()


def test_labels_tell_the_object_and_what_hides_it() -> None:
    image = np.zeros((4, 5, 3), np.uint8)
    labels = np.zeros((4, 5), np.uint8)
    labels[0, 0], labels[1, 1], labels[2, 2] = 1, 2, OCCLUDER
    hidden = np.zeros((4, 5), np.bool_)
    hidden[3, 3] = True
    frame = frame_of(image, labels, 1, None, None)
    assert frame.mask is not None and np.argwhere(frame.mask).tolist() == [[0, 0]]
    assert frame.hidden is not None and np.argwhere(frame.hidden).tolist() == [[1, 1], [2, 2]]
    frame = frame_of(image, labels, 3, hidden, None)
    assert frame.mask is None  # nothing of it is in the picture: not a mask that says it is nowhere
    assert frame.hidden is not None
    assert np.argwhere(frame.hidden).tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    frame = frame_of(image, None, 1, hidden, None)
    assert frame.mask is None and frame.hidden is hidden
    assert np.argwhere(hidden).tolist() == [[3, 3]]
